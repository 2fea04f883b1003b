"""Periods and values: what we would ask of a family is what openIMIS itself would, but for named differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import asyncpg
import pytest
from value_cases import PLAIN, Case, family_of, generated
from value_differences import COVER_KEPT, FAILURES, OTHERS, WHY, Answer, explain, must_fail, ours

from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import NEW, OTHER_RELATION, RENEWAL

SEED, COUNT, BATCH = 20260522, 3000, 500
TODAY = date(2026, 11, 22)
GROWN, SMALL = date(1980, 5, 5), date(2015, 5, 5)
Compared = Sequence[tuple[Case, dict[str, Any]]]


def stored(value: str) -> Money:
    """As numeric(18,2) keeps the unrounded value that openIMIS computes."""
    return Money.from_decimal(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def answer_of(said: dict[str, Any]) -> Answer:
    period = Period(date.fromisoformat(said["start"]), date.fromisoformat(said["expiry"]))
    return Answer(period, stored(said["value"]))


@pytest.fixture(scope="module")
def compared(openimis: Any) -> Compared:
    """Every generated case with openIMIS' answer."""
    cases = generated(SEED, COUNT)
    answers: list[dict[str, Any]] = []
    for first in range(0, COUNT, BATCH):
        answers += openimis("policy_values", cases=[case.for_openimis() for case in cases[first : first + BATCH]])
    return list(zip(cases, answers, strict=True))


def test_whatever_differs_has_a_name(compared: Compared) -> None:
    agreed, seen = 0, Counter[str]()
    for case, said in compared:
        if "error" in said:
            continue
        theirs = answer_of(said)
        names = explain(case, theirs)
        assert names is not None, f"{case}\nopenIMIS: {theirs}\nours:     {ours(case, theirs.period)}"
        agreed += not names
        if len(names) == 1:
            seen.update(names)
    assert agreed > 1000
    assert set(seen) == set(WHY)  # each on its own, so that a name that no longer differs is taken out
    assert min(seen.values()) > 10


def test_openimis_fails_where_we_expect_it_to_and_nowhere_else(compared: Compared) -> None:
    seen = Counter[str]()
    for case, said in compared:
        failure = FAILURES[said["error"], said["said"]] if "error" in said else None
        assert failure == must_fail(case), f"{case}\nopenIMIS: {said}"
        seen.update([failure] if failure else [])
    assert set(seen) == set(FAILURES.values())


def test_no_day_already_paid_is_sold_again_and_otherwise_their_start_is_kept(compared: Compared) -> None:
    found = 0
    for case, said in compared:
        if "error" in said or case.preceding_expiry is None:
            continue
        theirs = answer_of(said)
        assert ours(case, theirs.period).period.start > case.preceding_expiry, f"{case}"
        if COVER_KEPT in (explain(case, theirs) or ()):
            assert theirs.period.start <= case.preceding_expiry, f"{case}\nopenIMIS: {theirs}"
            found += 1
    assert found > 300


def test_other_relations_are_charged_as_openimis_means_to(openimis: Any, compared: Compared) -> None:
    """Given the relation as the number with which it compares, openIMIS' own code counts as ours does."""
    rest = [name for name in WHY if name != OTHERS]
    families = [case for case, said in compared if "error" not in said and case.has(OTHER_RELATION)]
    said = openimis("policy_values", cases=[case.for_openimis() for case in families], relations_as_numbers=True)
    for case, answer in zip(families, said, strict=True):
        assert explain(case, answer_of(answer), rest) is not None, f"{case}\nopenIMIS: {answer}"
    assert len(families) > 200


@pytest.mark.parametrize(
    ("case", "start", "expiry", "value"),
    [
        # iCHF as it is sold: one price, whatever the family
        (Case(PLAIN, family_of((GROWN, None)), NEW, TODAY, TODAY, None), "2026-11-22", "2027-11-21", "30000.00"),
        (
            Case(
                replace(PLAIN, premium_adult=Money.parse("5000"), member_count=2),
                family_of((GROWN, None), (GROWN, 8), *[(SMALL, 4)] * 6),
                RENEWAL,
                TODAY,
                TODAY,
                TODAY - timedelta(days=1),
            ),
            "2026-11-22",
            "2027-11-21",
            "30000.00",
        ),
        # eighteen today is a child still, eighteen yesterday is not
        (
            Case(
                replace(PLAIN, lump_sum=Money(0), premium_adult=Money.parse("5000"), premium_child=Money.parse("2000")),
                family_of((date(2008, 11, 22), None), (date(2008, 11, 21), 4)),
                NEW,
                TODAY,
                TODAY,
                None,
            ),
            "2026-11-22",
            "2027-11-21",
            "7000.00",
        ),
        # a discount may leave half a hundredth: it is rounded up
        (
            Case(
                replace(PLAIN, lump_sum=Money.parse("0.45"), renewal_discount_percent=10, renewal_discount_period=1),
                family_of((GROWN, None)),
                RENEWAL,
                TODAY,
                TODAY,
                TODAY + timedelta(days=60),
            ),
            None,
            None,
            "0.41",
        ),
    ],
    ids=["a price for all", "more members than MemberCount", "eighteenth birthday", "half a hundredth"],
)
def test_known_answers(openimis: Any, case: Case, start: str | None, expiry: str | None, value: str) -> None:
    """Worked out by hand: both sides give them."""
    (said,) = openimis("policy_values", cases=[case.for_openimis()])
    theirs = answer_of(said)
    mine = ours(case, theirs.period)
    assert theirs.value == mine.value == Money.parse(value)
    if start is not None:
        assert said["start"] == start == mine.period.start.isoformat()
        assert said["expiry"] == expiry == mine.period.expiry.isoformat()


async def test_the_batch_answers_as_the_screens_do_on_rows(installation: Any) -> None:
    """And the value is stored as we round it."""
    connection = await asyncpg.connect(installation.url)
    family, product, policy, expiry = await connection.fetchrow(
        'SELECT "FamilyID", "ProdID", "PolicyID", "ExpiryDate" FROM "tblPolicy" p WHERE "ValidityTo" IS NULL'
        ' AND "PolicyStatus" = 2 AND "ExpiryDate" > current_date + 90'
        ' AND (SELECT count(*) FROM "tblInsuree" i WHERE i."FamilyID" = p."FamilyID") > 2 LIMIT 1'
    )
    await connection.execute(
        'UPDATE "tblProduct" SET "LumpSum" = 0.45, "RenewalDiscountPerc" = 10, "RenewalDiscountPeriod" = 1,'
        ' "PremiumAdult" = 1000, "MemberCount" = 0, "Threshold" = NULL WHERE "ProdID" = $1',
        product,
    )
    await connection.execute(
        'UPDATE "tblInsuree" SET "Relationship" = 7 WHERE "FamilyID" = $1 AND NOT "IsHead"', family
    )
    members = await connection.fetch(
        'SELECT "DOB", "Relationship" FROM "tblInsuree" WHERE "FamilyID" = $1 AND "ValidityTo" IS NULL', family
    )
    today = date.fromisoformat(installation.openimis("today"))
    case = Case(
        replace(
            PLAIN,
            lump_sum=Money.parse("0.45"),
            premium_adult=Money.parse("1000"),
            member_count=0,
            renewal_discount_percent=10,
            renewal_discount_period=1,
        ),
        family_of(*((born, relation) for born, relation in members)),
        RENEWAL,
        today,
        today,
        expiry,
    )
    (batch,) = installation.openimis("policy_values", cases=[case.for_openimis()])
    made = installation.openimis("renew_policy", policy=policy, enroll_date=today.isoformat())
    assert made["quote"]["start"] == batch["start"]
    assert made["quote"]["expiry"] == batch["expiry"]
    assert Decimal(made["quote"]["value"]) == Decimal(batch["value"]) == Decimal("0.405")
    kept = await connection.fetchval('SELECT "PolicyValue" FROM "tblPolicy" WHERE "PolicyID" = $1', made["id"])
    assert kept == Decimal("0.41")
    await connection.close()
