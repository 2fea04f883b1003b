"""The demo families show what they say they show, on any day of the year."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.openimis import tables as t
from adapters.registry.openimis.demo import demo_phones, load_demo, write_phones_json
from adapters.registry.openimis.demo_families import FAMILIES, PLACES, PRODUCTS
from gateway.domain.bill import PayOption
from gateway.domain.chfid import is_valid
from gateway.domain.cover import Cover, CoverState, cover_on
from gateway.domain.money import Money
from gateway.domain.msisdn import normalise
from gateway.domain.policy import Family, Policy
from gateway.domain.quote import NoQuote, NoQuoteReason, Quote, next_product, quote_for

TODAY = date(2026, 11, 22)
DAYS = [TODAY, date(2027, 1, 31), date(2028, 2, 29), date(2027, 12, 31)]


async def whole(world: Any) -> list[tuple[Family, tuple[Policy, ...]]]:
    found = []
    for family_id in await world.rows(t.families):
        family = await world.registry.family(family_id)
        assert family is not None
        found.append((family, await world.registry.policies(family_id)))
    return found


async def quotes(world: Any, day: date) -> list[Quote | NoQuote]:
    catalogue = await world.registry.products()
    answers = []
    for family, policies in await whole(world):
        sold = [p for p in catalogue if p.location_id is None or p.location_id in family.location_ids]
        product = next_product(sold, catalogue, policies, day)
        assert product is not None
        answers.append(quote_for(product, family, policies, day))
    return answers


@pytest.mark.parametrize("day", DAYS)
async def test_what_each_family_is_told_first(world: Any, day: date) -> None:
    await load_demo(world.connection, day)
    covers = [cover_on(policies, day) for _, policies in await whole(world)]
    assert [cover.state for cover in covers] == [
        CoverState.COVERED,
        CoverState.COVERED,
        CoverState.EXPIRED,
        CoverState.UNPAID,
        CoverState.UNPAID,
        CoverState.NONE,
        CoverState.COVERED,
        CoverState.COVERED,
        CoverState.COVERED,
        CoverState.COVERED,
        CoverState.EXPIRED,
        CoverState.SUSPENDED,
        CoverState.COVERED,
        CoverState.UNPAID,
        CoverState.EXPIRED,
    ]
    assert covers[1].until == day + timedelta(days=7)
    assert covers[14] == Cover(CoverState.EXPIRED, until=day - timedelta(days=1))
    paid_early = covers[12].until
    assert paid_early is not None
    assert paid_early > day + timedelta(days=365)  # both covers run as one


async def test_what_each_family_would_pay(world: Any) -> None:
    await load_demo(world.connection, TODAY)
    answers = await quotes(world, TODAY)
    said = [
        (a.product.code, a.stage, str(a.amount), a.idle is not None) if isinstance(a, Quote) else a.reason
        for a in answers
    ]
    assert said == [
        ("CHFDOM", "R", "30,000", False),
        ("CHFDOM", "R", "30,000", False),
        ("CHFDOM", "R", "30,000", False),
        ("CHFDOM", "R", "30,000", True),
        ("CHFDOM", "N", "30,000", True),
        ("CHFDOM", "N", "30,000", False),
        ("CHFDOM", "R", "30,000", False),
        ("CHFDOM", "R", "30,000", False),
        ("CHFDAR", "R", "150,000", False),
        ("CHFDOM", "R", "30,000", False),
        ("CHFDOM", "R", "30,000", False),
        NoQuoteReason.SUSPENDED,
        NoQuoteReason.ALREADY_RENEWED,
        ("CHFKON", "N", "20,000", True),
        ("CHFDAR", "R", "150,000", False),
    ]
    options = [a.pay_option for a in answers if isinstance(a, Quote)]
    assert [i for i, option in enumerate(options) if option == PayOption.PARTIAL] == [11]
    a_week = answers[1]
    assert isinstance(a_week, Quote)
    assert a_week.period.start == TODAY + timedelta(days=8)


async def test_people_places_and_numbers(world: Any) -> None:
    await load_demo(world.connection, TODAY)
    families = await whole(world)
    assert len(families) == len(FAMILIES) == 15
    members = [m for family, _ in families for m in family.members]
    assert all(is_valid(m.chfid) for m in members)
    assert len({m.chfid for m in members}) == len(members)
    assert all(len(family.location_ids) == 4 for family, _ in families)
    assert all(family.head is family.members[0] and family.head.is_head for family, _ in families)
    assert max(len(family.members) for family, _ in families) == 8
    covered = await world.rows(t.insuree_policies)
    [eight] = [policies for family, policies in families if len(family.members) == 8]
    assert sum(row["PolicyId"] == eight[0].id for row in covered.values()) == 8
    regions = {name for name, kind, _ in PLACES if kind == "R"}
    assert regions == {"Dodoma", "Dar es Salaam"}
    assert {p.code: (p.max_installments, p.provider_code) for p in await world.registry.products()} == {
        "CHFDOM": (0, "SP19960"),
        "CHFDAR": (0, "SP19960"),
        "CHFKON": (3, "SP19960"),
    }
    assert len(PRODUCTS) == 3


async def test_whom_to_dial_as(world: Any) -> None:
    phones = await load_demo(world.connection, TODAY)
    stored = [(row.phone, row.family_id) for row in await world.registry.phones(0, 1000)]
    officers = [row.phone for row in await world.registry.officer_phones(0, 1000)]
    assert {normalise(phone) for phone in (*(phone for phone, _ in stored), *officers)} == {p.msisdn for p in phones}
    assert all(normalise(phone) for phone, _ in stored)
    families_of: dict[str | None, set[int]] = {}
    for phone, family_id in stored:
        families_of.setdefault(normalise(phone), set()).add(family_id)
    assert [len(families) for families in families_of.values()].count(2) == 1
    shapes = {"".join("9" if c.isdigit() else c for c in phone) for phone, _ in stored}
    assert len(shapes) >= 5  # spelt as people spell
    assert [p for p in phones if "Asha Mushi" in p.who] == [
        type(phones[0])("+255712000002", "covered, expires in a week / bima inaisha wiki ijayo — Asha Mushi")
    ]
    [shared] = [p for p in phones if p.msisdn == "+255712000010"]
    assert "Leah Malecela" in shared.who
    assert "Amosi Mtemi" in shared.who
    assert phones == demo_phones()


async def test_loading_twice_changes_nothing(world: Any) -> None:
    phones = await load_demo(world.connection, TODAY)
    before = await world.snapshot()
    assert await load_demo(world.connection, TODAY + timedelta(days=1)) == phones
    assert await world.snapshot() == before


async def test_a_registry_of_others_is_not_touched(world: Any) -> None:
    await world.family("0712000001")
    before = await world.snapshot()
    assert await load_demo(world.connection, TODAY) == []
    assert await world.snapshot() == before


async def test_nothing_in_the_demo_was_entered_in_the_future(world: Any) -> None:
    await load_demo(world.connection, TODAY)
    for table, rows in (await world.snapshot()).items():
        for row in rows.values():
            assert table == "tblReporting" or row["ValidityFrom"].date() < TODAY, table
            assert row.get("ValidityTo") is None


async def test_every_paid_policy_is_paid_in_full(world: Any) -> None:
    await load_demo(world.connection, TODAY)
    held = [p for _, policies in await whole(world) for p in policies]
    assert all(p.paid == p.value for p in held if p.status != 1)
    assert sorted(str(p.paid) for p in held if p.status == 1) == ["0", "0", "10,000"]
    assert all(p.paid <= Money.parse("150000") for p in held)


def test_the_list_as_json(tmp_path: Path) -> None:
    path = tmp_path / "phones.json"
    write_phones_json(path, demo_phones())
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told[0] == {
        "msisdn": "+255712000001",
        "who": "covered for eight more months / mmelindwa miezi minane ijayo — Neema Kimaro",
    }
    assert len(told) == len(demo_phones())
