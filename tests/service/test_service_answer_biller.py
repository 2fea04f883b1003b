"""What a biller is told: what would be booked now, a masked name and no more, and what became of its own notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from service_world import (
    COVERED,
    EXPIRED,
    INSTALMENTS,
    NUMBER,
    RENEWED,
    SUSPENDED,
    UNENROLLED,
    World,
)
from sqlalchemy import update
from test_service_bank import BANK, NOBODY, by_chfid, chfid_of, noticed
from test_service_cutover import NUMBER as LEGACY_NUMBER
from test_service_cutover import legacy_bill

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.cases import Act
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import Answer, Due, DueOf, NotDue, Question, Standing, StandingOf, StandingState, Unanswered
from gateway.service.answer_biller import AnswerBiller
from gateway.service.settle_case import Decision, SettleCase
from gateway.store import tables as g


async def ask(world: World, question: Question, biller: str = BANK, limit: int = 5) -> Answer:
    return await AnswerBiller(world.database, world.clock, {BANK: limit, "bank-nmb": limit})(biller, question)


async def rows_of_ours(world: World) -> dict[str, Any]:
    return {table.name: await world.rows(table) for table in g.metadata.sorted_tables if table is not g.miss}


# ------------------------------------------------------------------------------------------------------------- due


async def test_a_control_number_of_ours(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    quote = await world.quote(EXPIRED)
    assert await ask(world, DueOf(control_number=NUMBER)) == Due(
        masked_name=" ".join(f"{name[0]}***" for name in bill.payer_name.split()),
        amount=Money(3_000_000),
        product=quote.product.name,
        payable_until=eat_day(bill.expires_at),
        partial=False,
        start=quote.period.start,
        until=quote.period.expiry,
    )


@pytest.mark.parametrize("family_id", [EXPIRED, UNENROLLED, INSTALMENTS])
async def test_an_insurance_number_gets_the_quote_of_the_menu_and_writes_nothing(world: World, family_id: int) -> None:
    quote = await world.quote(family_id)
    before = (await world.snapshot(), await rows_of_ours(world))
    due = await ask(world, DueOf(chfid=await chfid_of(world, family_id)))
    assert isinstance(due, Due)
    assert (due.amount, due.product, due.start, due.until) == (
        quote.amount,
        quote.product.name,
        quote.period.start,
        quote.period.expiry,
    )
    assert due.partial is (family_id == INSTALMENTS)
    assert due.payable_until == world.today, "the price is of the day"
    assert (await world.snapshot(), await rows_of_ours(world)) == before


async def test_an_insurance_number_whose_bill_is_open_can_be_paid_as_long_as_the_bill(world: World) -> None:
    bill = await world.ask(EXPIRED)
    due = await ask(world, DueOf(chfid=await chfid_of(world, EXPIRED)))
    assert isinstance(due, Due)
    assert due.payable_until == eat_day(bill.expires_at)


async def test_a_number_of_the_service_before_us_is_told_and_not_adopted(world: World) -> None:
    product = next(p["ProductCode"] for p in await world.rows(t.products))
    await legacy_bill(world, EXPIRED, product=product)
    before = await rows_of_ours(world)
    due = await ask(world, DueOf(control_number=LEGACY_NUMBER))
    assert isinstance(due, Due)
    assert due.amount == Money(3_000_000)
    assert await rows_of_ours(world) == before


async def test_old_premiums_without_a_receipt_hide_nothing(world: World) -> None:
    await world.execute(update(t.premiums).values(Receipt=""))
    assert isinstance(await ask(world, DueOf(chfid=await chfid_of(world, EXPIRED))), Due)


async def test_what_is_due_is_what_is_booked(world: World) -> None:
    """The promise of a look-up: the same amount, paid on the same number, is settled."""
    for family_id in (EXPIRED, UNENROLLED, INSTALMENTS):
        chfid = await chfid_of(world, family_id)
        due = await ask(world, DueOf(chfid=chfid))
        assert isinstance(due, Due)
        report = await by_chfid(world, family_id, due.amount, reference=f"CRDB-{family_id}")
        assert await noticed(world, report) == ["settled"]
        (premium,) = await world.rows(t.premiums, Receipt=f"CRDB-{family_id}")
        (policy,) = await world.rows(t.policies, PolicyID=premium["PolicyID"])
        assert (policy["StartDate"], policy["ExpiryDate"]) == (due.start, due.until)


@pytest.mark.parametrize(
    ("family_id", "code"), [(SUSPENDED, "PAY-SUSPENDED"), (RENEWED, "PAY-COVERED"), (COVERED, "PAY-COVERED")]
)
async def test_a_family_that_owes_nothing(world: World, family_id: int, code: str) -> None:
    assert await ask(world, DueOf(chfid=await chfid_of(world, family_id))) == NotDue(code)


async def test_unknown_paid_expired_cancelled_and_covered_are_answers(world: World) -> None:
    assert await ask(world, DueOf(control_number="1")) == NotDue("PAY-UNKNOWN-NUMBER")
    assert await ask(world, DueOf(chfid=NOBODY)) == NotDue("PAY-UNKNOWN-NUMBER")
    bill = await world.numbered(EXPIRED)
    async with world.database.writing() as tx:
        await tx.bills.record(bill, BillFact.CANCELLED, world.clock.now())
    assert await ask(world, DueOf(control_number=NUMBER)) == NotDue("PAY-CANCELLED")

    other = await world.numbered(UNENROLLED, "994120000012")
    world.clock.pass_(days=31)
    assert await ask(world, DueOf(control_number="994120000012")) == NotDue("PAY-EXPIRED")
    assert await world.told(world.payment(other)) == ["settled"], "late truth counts all the same"
    assert await ask(world, DueOf(control_number="994120000012")) == NotDue("PAY-TWICE")
    world.clock.pass_(days=31)
    assert await ask(world, DueOf(control_number="994120000012")) == NotDue("PAY-TWICE"), "paid, not expired"

    third = await world.numbered(INSTALMENTS, "994120000013")
    assert third.amount
    assert await noticed(world, await by_chfid(world, INSTALMENTS, third.amount)) == ["settled"]
    assert await ask(world, DueOf(control_number="994120000013")) == NotDue("PAY-TWICE")


async def test_a_bill_whose_cover_an_officer_sold_meanwhile(world: World) -> None:
    await world.numbered(EXPIRED)
    values = {"PolicyStatus": 2, "ExpiryDate": world.today + timedelta(days=364)}
    old = (await world.rows(t.policies, FamilyID=EXPIRED, ValidityTo=None))[0]
    renewed = {**{name: value for name, value in old.items() if name not in ("PolicyID", "PolicyUUID")}, **values}
    await world.put(t.policies, **{**renewed, "StartDate": world.today, "EffectiveDate": world.today})
    assert await ask(world, DueOf(control_number=NUMBER)) == NotDue("PAY-COVERED")


async def test_the_name_is_never_more_than_masked(world: World) -> None:
    for family_id in (EXPIRED, UNENROLLED, INSTALMENTS):
        (head,) = [i for i in await world.rows(t.insurees, FamilyID=family_id, ValidityTo=None) if i["IsHead"]]
        due = await ask(world, DueOf(chfid=head["CHFID"]))
        assert isinstance(due, Due)
        assert set(due.masked_name.split()) <= {f"{letter}***" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
        assert not [name for name in (head["LastName"], head["OtherNames"]) if name in repr(due)]


# ------------------------------------------------------------------------------------------------- numbers tried out


async def test_a_bank_that_tries_numbers_is_stopped_and_its_neighbour_is_not(world: World) -> None:
    chfid = await chfid_of(world, EXPIRED)
    for n in range(5):
        assert await ask(world, DueOf(chfid=f"{n}")) == NotDue("PAY-UNKNOWN-NUMBER")
    assert await ask(world, DueOf(chfid="6")) == Unanswered("PAY-LIMIT")
    assert await ask(world, DueOf(chfid=chfid)) == Unanswered("PAY-LIMIT"), "a right guess is not told either"
    assert await ask(world, StandingOf("CRDB-1")) == Standing(StandingState.UNKNOWN)
    assert isinstance(await ask(world, DueOf(chfid=chfid), biller="bank-nmb"), Due)
    world.clock.pass_(hours=1)
    assert isinstance(await ask(world, DueOf(chfid=chfid)), Due)


async def test_right_numbers_are_not_counted(world: World) -> None:
    chfid = await chfid_of(world, EXPIRED)
    for _ in range(8):
        assert isinstance(await ask(world, DueOf(chfid=chfid)), Due)


# ------------------------------------------------------------------------------------------------------------ in time


class Slow:
    """A unit of work that hangs or breaks."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        if self._failure:
            raise self._failure
        await asyncio.Event().wait()
        yield None

    writing = reading


@pytest.mark.parametrize("failure", [None, ConnectionError("no database"), ValueError("a row of +255712345678")])
async def test_no_answer_in_time_is_an_answer(world: World, failure: Exception | None, logged: list[Any]) -> None:
    slow: Any = Slow(failure)
    answer = await AnswerBiller(slow, world.clock, {BANK: 5}, budget_s=0.05)(BANK, DueOf(chfid="1"))
    assert answer == Unanswered("PAY-NO-ANSWER")
    assert [event["event"] for event in logged] == ["biller_not_answered"]


# --------------------------------------------------------------------------------------------------- what became of it


async def test_what_became_of_a_notice(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await ask(world, StandingOf("CRDB-1")) == Standing(StandingState.UNKNOWN)
    report = world.payment(bill, reference="CRDB-1", bill_id=None)
    async with world.database.writing() as tx:
        from gateway.ports import Evidence, Verdict

        now = world.clock.now()
        kept = Evidence("I1", BANK, "notice", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", "CRDB-1", 200)
        await tx.inbox.keep(kept, [report])
    assert await ask(world, StandingOf("CRDB-1")) == Standing(StandingState.RECEIVED)
    assert await ask(world, StandingOf("CRDB-1"), biller="bank-nmb") == Standing(StandingState.UNKNOWN)
    await world.settle_all()
    settled = Standing(StandingState.SETTLED, NUMBER, report.amount, report.paid_at)
    assert await ask(world, StandingOf("CRDB-1")) == settled
    assert await noticed(world, report) == ["duplicate"]
    assert await ask(world, StandingOf("CRDB-1")) == settled
    assert await ask(world, StandingOf("CRDB-1"), biller="bank-nmb") == Standing(StandingState.UNKNOWN)


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (None, StandingState.WAITING),
        (Act.HOLD, StandingState.WAITING),
        (Act.MATCH, StandingState.SETTLED),
        (Act.REFUND, StandingState.REFUSED),
        (Act.REJECT, StandingState.REFUSED),
    ],
)
async def test_what_a_person_made_of_it(world: World, act: Act | None, state: StandingState) -> None:
    report = await by_chfid(world, EXPIRED, "29000")
    assert await noticed(world, report) == ["case"]
    if act is not None:
        (case,) = await world.rows(g.case)
        chfid = report.chfid if act in (Act.HOLD, Act.MATCH) else None
        await SettleCase(world.database, world.messages, world.clock)(
            case["id"], Decision(act, "Ester", chfid=chfid, why="TR-1")
        )
    standing = await ask(world, StandingOf("CRDB-1"))
    assert isinstance(standing, Standing)
    assert (standing.state, standing.number, standing.amount) == (state, report.chfid, Money(2_900_000))
    assert standing.code == (None if act == Act.MATCH else "PAY-AMOUNT")


async def test_a_forged_notice_is_not_known(world: World) -> None:
    from gateway.ports import Evidence, Verdict

    for n, verdict in enumerate((Verdict.BAD_SIGNATURE, Verdict.UNREADABLE)):
        now = world.clock.now()
        kept = Evidence(f"I{n}", BANK, "notice", now, b"", 0, {}, "0" * 64, verdict, "", "CRDB-1", 401)
        async with world.database.writing() as tx:
            await tx.inbox.keep(kept, [])
    assert await ask(world, StandingOf("CRDB-1")) == Standing(StandingState.UNKNOWN)


async def test_a_payment_through_another_provider_is_none_of_the_banks(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    report: PaymentReport = world.payment(bill, reference="924")
    assert await world.told(report) == ["settled"]
    assert await ask(world, StandingOf("924")) == Standing(StandingState.UNKNOWN)
    await world.execute(update(g.payment).values(provider=BANK))
    assert (await ask(world, StandingOf("924"))) == Standing(
        StandingState.SETTLED, NUMBER, report.amount, report.paid_at
    )
