"""A bank over real HTTP: look-up, payment, notice with retries, and what it does to the family, with real processes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from processes_harness import Family, World, run_gateway, until
from sqlalchemy import select

from adapters.registry.openimis.tables import payments, policies, premiums
from gateway.domain.clock import eat_day
from gateway.domain.policy import PolicyStatus
from gateway.store.tables import bill, case, entry, inbox, payment


async def pay(world: World, **body: Any) -> dict[str, Any]:
    return dict(await world.sandbox("POST", "/sandbox/bank/pay", body))


async def covered_by(world: World, family: Family, receipt: str) -> None:
    """One premium under this receipt, on one active policy of the family, and the SMS that says so."""

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], receipt)

    await until(told, "the SMS that says covered")
    await world.quiet()
    money = await world.sql.rows(select(premiums).where(premiums.c.Receipt == receipt))
    assert [row.Amount for row in money] == [Decimal("30000.00")]
    live = await world.sql.rows(
        select(policies).where(
            policies.c.FamilyID == family.id, policies.c.ValidityTo.is_(None), policies.c.PolicyID != family.policy_id
        )
    )
    assert [(row.PolicyID, row.PolicyStatus) for row in live] == [(money[0].PolicyID, PolicyStatus.ACTIVE)]
    assert len(await told()) == 1


async def withdrawn(world: World, number: str) -> None:
    """The number can no longer be paid at the one who issued it."""

    async def gone() -> bool:
        bills = await world.sandbox("GET", f"/sandbox/bills?control_number={number}")
        return [b["status"] for b in bills] == ["cancelled"]

    await until(gone, "the number withdrawn")


async def test_dial_a_number_and_pay_it_at_the_bank(world: World) -> None:
    family = await world.family()
    number = await world.number_for(family)
    paid = await pay(world, control_number=number, msisdn=family.phones[0])
    assert (paid["status"], paid["attempts"]) == ("paid", ["received"])
    looked = paid["lookup"]
    assert (looked["status"], looked["name"], looked["amount"], looked["partial"]) == (
        "due",
        "M*** M***",
        "30000.00",
        False,
    )
    receipt = f"DEMO-{paid['reference']}"
    await covered_by(world, family, receipt)
    (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    assert (ours.state, ours.control_number) == ("paid", number)
    (shown,) = await world.sql.rows(select(payments).where(payments.c.PaymentID == ours.payment_record_id))
    assert (shown.PaymentStatus, shown.ReceiptNo) == (5, receipt)
    await withdrawn(world, number)
    refused = await pay(world, control_number=number, msisdn=family.phones[0])
    assert (refused["status"], refused["lookup"]["code"]) == ("refused", "PAY-TWICE")


async def test_pay_by_insurance_number(world: World) -> None:
    family = await world.family()
    paid = await pay(world, chfid=family.chfid, amount="30000.00", msisdn=family.phones[0])
    assert paid["status"] == "paid"
    assert (paid["lookup"]["status"], paid["lookup"]["name"]) == ("due", "M*** M***")
    await covered_by(world, family, f"DEMO-{paid['reference']}")
    assert await world.bills_at_provider(family) == [], "no number was asked for"
    again = await pay(world, chfid=family.chfid, msisdn=family.phones[0])
    assert (again["status"], again["lookup"]["code"]) == ("refused", "PAY-COVERED")


async def test_pay_by_insurance_number_what_was_asked_for_by_phone(world: World) -> None:
    family = await world.family()
    number = await world.number_for(family)
    paid = await pay(world, chfid=family.chfid, msisdn=family.phones[0])
    await covered_by(world, family, f"DEMO-{paid['reference']}")
    await withdrawn(world, number)


@pytest.mark.parametrize("fault", ["drop", "double", "alter", "error_after", "reorder"])
async def test_whatever_happens_to_the_notice_on_its_way_the_money_counts_once(world: World, fault: str) -> None:
    family = await world.family()
    await world.fault("bank_notice", fault, seconds=0.3 if fault == "reorder" else 0)
    paid = await pay(world, chfid=family.chfid, msisdn=family.phones[0])
    assert paid["status"] == "paid"
    first = {"drop": ["dropped"], "alter": ["http 401"], "error_after": ["lost"]}.get(fault, [])
    assert paid["attempts"] == [*first, "received"]
    receipt = f"DEMO-{paid['reference']}"
    await covered_by(world, family, receipt)
    assert await world.sql.count(payment, payment.c.reference == receipt) == 1
    assert await world.sql.count(case, case.c.subject == f"payment:{receipt}/{family.chfid}") == 0
    if fault == "alter":
        forged = await world.sql.rows(select(inbox.c.verdict).where(inbox.c.provider == "bank-demo"))
        assert "bad_signature" in {row.verdict for row in forged}, "kept as evidence, never believed"


async def test_the_same_payment_twenty_times_at_once(world: World) -> None:
    """Over all serving processes, each notice freshly signed."""
    family = await world.family()
    await world.fault("bank_notice", "drop", forever=True)
    paid = await pay(world, chfid=family.chfid, msisdn=family.phones[0])
    assert paid["status"] == "undelivered"
    await world.no_faults()
    body = {"reference": paid["reference"], "times": 20}
    answers = await world.sandbox("POST", "/sandbox/bank/redeliver", body)
    assert answers == {"answers": {"received": 20}}
    receipt = f"DEMO-{paid['reference']}"
    await covered_by(world, family, receipt)
    states = await world.sql.rows(
        select(entry.c.state).join(inbox, inbox.c.id == entry.c.inbox_id).where(inbox.c.message_id == receipt)
    )
    assert sorted(row.state for row in states) == [*["duplicate"] * 19, "settled"]
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 1


async def test_gepg_and_the_bank_at_once_buy_one_cover(world: World) -> None:
    """Both took the money before either could know: one cover, and the other payment before a person."""
    family = await world.family()
    number = await world.number_for(family)
    # its amount is said, since the look-up names none where the other was the sooner
    by_bank = pay(world, control_number=number, amount="30000.00", msisdn=family.phones[0], force=True)
    at_gepg, at_bank = await asyncio.gather(world.pay(number, family.phones[0]), by_bank)
    assert (at_gepg["status"], at_bank["status"]) == ("paid", "paid")
    await world.quiet()
    references = [at_gepg["pay_ref_id"], f"DEMO-{at_bank['reference']}"]
    booked = await world.sql.rows(select(premiums.c.Receipt).where(premiums.c.Receipt.in_(references)))
    assert len(booked) == 1
    kinds = await world.sql.rows(
        select(case.c.kind).where(case.c.subject.in_([f"payment:{reference}/{number}" for reference in references]))
    )
    assert [row.kind for row in kinds] == ["paid_twice"]


async def test_another_amount_is_put_before_a_person_and_the_bank_is_told(world: World) -> None:
    family = await world.family()
    paid = await pay(world, chfid=family.chfid, amount="29000.00", msisdn=family.phones[0])
    assert paid["status"] == "paid", "the money has moved: it is acknowledged whatever it is"
    await world.quiet()
    subject = f"payment:DEMO-{paid['reference']}/{family.chfid}"
    cases = await world.sql.rows(select(case.c.kind, case.c.amount_minor).where(case.c.subject == subject))
    assert [(row.kind, row.amount_minor) for row in cases] == [("wrong_amount", 2_900_000)]
    standing = await world.sandbox("POST", "/sandbox/bank/status", {"reference": paid["reference"]})
    assert (standing["status"], standing["code"], standing["amount"]) == ("waiting", "PAY-AMOUNT", "29000.00")


@pytest.mark.parametrize(("form", "days_ago"), [("csv", 1), ("json", 2)])
async def test_the_banks_day_is_matched_and_a_lost_notice_settled_once(world: World, form: str, days_ago: int) -> None:
    day = (eat_day(datetime.now(UTC)) - timedelta(days=days_ago)).isoformat()
    told, lost = await world.family(), await world.family()
    number = await world.number_for(told)
    first = await pay(world, control_number=number, msisdn=told.phones[0], day=day)
    await covered_by(world, told, f"DEMO-{first['reference']}")
    await world.fault("bank_notice", "drop", forever=True)
    second = await pay(world, chfid=lost.chfid, msisdn=lost.phones[0], day=day)
    assert (first["status"], second["status"]) == ("paid", "undelivered")
    await world.no_faults()
    for _ in range(2):  # sent again, it adds nothing
        sent = await world.sandbox("POST", "/sandbox/bank/statement", {"day": day, "form": form})
        assert (sent["http"], sent["believed"], sent["day"]) == (200, True, day)
    reports = []
    for _ in range(2):
        done = await asyncio.to_thread(
            run_gateway,
            *("reconcile", day, "--provider", "bank-demo", "--format", "json", "--wait", "20"),
            environment=world.stack.environment,
        )
        assert done.returncode == 1, done.stderr
        reports.append(json.loads(done.stdout))
    [found] = reports[0]["differences"]
    receipt = f"DEMO-{second['reference']}"
    assert (found["kind"], found["became"], found["reference"]) == ("missing_here", "settled", receipt)
    assert reports[0]["totals"]["provider"] == {"count": 2, "minor": {"TZS": 6_000_000}} == reports[0]["totals"]["ours"]
    assert reports[0] == reports[1]
    await covered_by(world, lost, receipt)
    await world.sandbox("POST", "/sandbox/bank/redeliver", {"reference": second["reference"]})
    await covered_by(world, lost, receipt)


async def test_no_name_no_phone_and_no_secret_in_the_logs(world: World) -> None:
    family = await world.family()
    paid = await pay(world, chfid=family.chfid, msisdn=family.phones[0])
    await world.fault("bank_notice", "alter")
    await pay(world, chfid="12345", amount="1.00", msisdn=family.phones[0], force=True)
    await world.quiet()
    for child in (*world.stack.serving, *world.stack.workers):
        text = child.log.read_text("utf-8", "replace")
        assert not [word for word in (family.phones[0][1:], family.chfid, "MLIPAJI", "/bank/demo") if word in text]
        assert world.stack.environment["GATEWAY_BANK__DEMO__KEYS__DEMO"] not in text
    assert paid["status"] == "paid"
