"""What a machine cannot place, a person places: every kind of case, every act, row by row; and never twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, INSTALMENTS, NEVER_PAID, NUMBER, SOON, STRANGER, UNENROLLED, World
from test_service_cases import CASES, suspended

from adapters.registry.openimis import tables as t
from gateway import cases_cli
from gateway.domain.bill import Bill
from gateway.domain.cases import RECURRING, Act, CaseState, acts_for
from gateway.domain.errors import CASE_CODES
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.policy import Policy, PolicyStatus
from gateway.ports import Case, ControlNumberGiven
from gateway.service.settle_case import CaseRefusedError, Decision, KnownCase, SettleCase
from gateway.store import tables as g

A = "+255712000001"
BY = "Ester Mrema"


@dataclass
class Waiting:
    """A case, and the world around it."""

    world: World
    bill: Bill
    report: PaymentReport
    id: int

    async def settle(self, act: Act, **more: Any) -> str:
        world = self.world
        settle = SettleCase(world.database, world.messages, world.clock)
        return await settle(self.id, Decision(act, more.pop("by", BY), **more))

    async def case(self) -> dict[str, Any]:
        (row,) = await self.world.rows(g.case, id=self.id)
        return row

    async def payment(self) -> dict[str, Any]:
        (row,) = await self.world.rows(g.payment, reference=self.report.reference)
        return row

    async def entry(self) -> dict[str, Any]:
        (row,) = await self.world.rows(g.entry, inbox_id=(await self.case())["inbox_id"])
        return row

    async def shown(self) -> dict[str, Any] | None:
        """The tblPayment row that shows the money."""
        record_id = (await self.case())["details"]["payment_record_id"]
        rows = await self.world.rows(t.payments, PaymentID=record_id) if record_id is not None else []
        return rows[0] if rows else None


async def waiting(world: World, name: str, payer: str = STRANGER) -> Waiting:
    """One of the cases that ``test_service_cases`` shows to be kept; a day later, when a person comes to it."""
    family_id, before, told, _, _ = CASES[name]
    bill = await world.numbered(family_id)
    await before(world, bill)
    bill = await world.bill(bill.id)
    report = world.payment(bill, **{"reference": "R1", "payer_msisdn": payer, **told})
    await world.told(report)
    world.clock.pass_(days=1)
    (case,) = await world.rows(g.case)
    return Waiting(world, bill, report, case["id"])


async def chfid_of(world: World, family_id: int) -> str:
    async with world.database.reading() as tx:
        family = await tx.registry.family(family_id)
    assert family is not None
    return str(family.head.chfid)


async def policies(world: World, family_id: int) -> tuple[Policy, ...]:
    async with world.database.reading() as tx:
        found: tuple[Policy, ...] = await tx.registry.policies(family_id)
        return found


async def ours(world: World) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: await world.rows(table) for table in (g.case, g.payment, g.entry, g.audit, g.outbox, g.policy_event)
    }


async def chain_holds(world: World) -> bool:
    async with world.database.writing() as tx:
        await tx.audit.seal(world.clock.now(), 1_000)
    async with world.database.reading() as tx:
        return not await tx.audit.verify()


async def refused(case: Waiting, act: Act, sentence: str, **more: Any) -> None:
    """With a sentence, and not one row of anybody's changed."""
    before = await ours(case.world)

    async def settle() -> None:
        with pytest.raises(CaseRefusedError, match=sentence):
            await case.settle(act, **more)

    done = await case.world.changes_of(settle)
    assert (done.inserted, done.updated) == ({}, {})
    assert await ours(case.world) == before


# ---- matched


@dataclass(frozen=True)
class Match:
    """Where the money of a case goes and what it does there, in cents."""

    family_id: int
    born: bool
    due: int = 0
    excess: int = 0


MATCHES = {
    "a cent short": Match(COVERED, True, due=1),
    "a cent over": Match(COVERED, True, excess=1),
    "an instalment over": Match(INSTALMENTS, False, excess=1),
    "half, for an officer's policy": Match(NEVER_PAID, False, due=15_000_00),
    "unknown number": Match(UNENROLLED, True),
    "another number than the bill's": Match(COVERED, True),
    "cancelled": Match(COVERED, True),
    "family gone": Match(NEVER_PAID, False),
    "covered by cash meanwhile": Match(EXPIRED, True),
    "first cover by cash meanwhile": Match(UNENROLLED, True),
    "paid twice": Match(COVERED, True),
    "paid twice, and another amount": Match(COVERED, True, due=15_000_00),
}


@pytest.mark.parametrize(("name", "match"), MATCHES.items(), ids=MATCHES)
async def test_matched_to_a_family(world: World, name: str, match: Match) -> None:
    case = await waiting(world, name)
    kind, family_id, amount = CaseKind(CASES[name][4]), match.family_id, case.report.amount.to_decimal()
    before, earlier, shown = await policies(world, family_id), await world.sms(), await case.shown()
    chfid = await chfid_of(world, family_id)
    done = await world.changes_of(lambda: case.settle(Act.MATCH, chfid=chfid, note="asked the family"))
    now, paid_on = world.clock.now(), world.today - timedelta(days=1)

    # the premium, under the provider's reference and of the day on which it was paid
    (premium,) = done.inserted["tblPremium"]
    assert (premium["Amount"], premium["Receipt"], premium["PayDate"]) == (amount, "R1", paid_on)
    after = {p.id: p for p in await policies(world, family_id)}
    policy = after[premium["PolicyID"]]
    assert policy.paid.amount_minor == policy.value.amount_minor - match.due + match.excess
    history = [row for row in done.inserted["tblPolicy"] if row["ValidityTo"] is not None]
    assert [(row["LegacyID"], row["PolicyStatus"]) for row in history] == [(policy.id, PolicyStatus.IDLE)]

    # the policy: the idle one, or one born after the last cover; nobody else's days are moved
    assert (policy.id not in {p.id for p in before}) == match.born == ("tblInsureePolicy" in done.inserted)
    assert [after[p.id] for p in before if p.id != policy.id] == [p for p in before if p.id != policy.id]
    assert policy.status == (PolicyStatus.IDLE if match.due else PolicyStatus.ACTIVE)
    if match.born:
        last = max((p.expiry_date for p in before if p.expiry_date and p.status != PolicyStatus.IDLE), default=None)
        assert policy.start_date == max(paid_on, last + timedelta(days=1) if last else paid_on)
        assert done.updated.get("tblPolicy") is None
    elif not match.due:
        assert done.updated["tblPolicy"] == {policy.id: {"PolicyStatus": 2, "EffectiveDate": policy.effective_date}}

    # the ministry's screens: the row that showed the money is matched, and keeps what it says of it
    assert shown is not None
    assert shown["ReceivedAmount"] == amount
    assert done.updated["tblPayment"] == {
        shown["PaymentID"]: {"PaymentStatus": 5, "MatchedDate": now, "RejectedReason": None}
    }
    (details,) = done.updated["tblPaymentDetails"].values()
    assert (details["Amount"], details["PremiumID"]) == (amount, premium["PremiumId"])
    (row,) = await world.rows(t.payment_details, PaymentID=shown["PaymentID"])
    assert (row["InsuranceNumber"], row["PolicyStage"]) == (chfid, policy.stage)
    assert set(done.inserted) | set(done.updated) <= {
        "tblPolicy",
        "tblInsureePolicy",
        "tblPremium",
        "tblPayment",
        "tblPaymentDetails",
        "tblPolicyRenewals",
    }

    # ours
    closed = await case.case()
    assert (closed["state"], closed["act"], closed["closed_by"]) == ("closed", "match", BY)
    assert (closed["note"], closed["closed_at"]) == ("asked the family", now)
    payment = await case.payment()
    assert (payment["state"], payment["premium_id"]) == ("settled", premium["PremiumId"])
    assert (await case.entry())["state"] == "settled"
    assert await world.bill(case.bill.id) == case.bill
    (audit,) = await world.rows(g.audit, action="case.settled")
    assert (audit["actor"], audit["subject"]) == (BY, f"case:{case.id}")
    assert audit["details"] == {
        "act": "match",
        "kind": kind,
        "about": closed["subject"],
        "policy": policy.id,
        "premium": premium["PremiumId"],
        "amount_minor": case.report.amount.amount_minor,
        "born": match.born,
        "activated": not match.due,
        "excess_minor": match.excess,
    }
    assert await chain_holds(world)

    # what is too much is a case of its own
    assert await world.cases() == (["overpaid"] if match.excess else [])
    if match.excess:
        (over,) = await world.rows(g.case, kind="overpaid")
        assert over["details"]["excess_minor"] == match.excess

    # the family is told, and the stranger who paid gets receipt and amount
    told = (await world.sms())[len(earlier) :]
    assert (told[-1], len(told)) == (("receipt", STRANGER), 2)
    assert told[0][0] == ("receipt" if match.due else "covered")
    assert told[0][1] != STRANGER
    if not match.due:
        text = (await world.texts())[len(earlier)]
        assert "R1" in text
        assert chfid in text


async def test_the_familys_own_phone_is_told_once(world: World) -> None:
    case = await waiting(world, "cancelled", payer=A)
    await case.settle(Act.MATCH, chfid=case.bill.chfid)
    assert (await world.sms())[-2:] == [("held", A), ("covered", A)]


async def test_matched_to_one_policy(world: World) -> None:
    case = await waiting(world, "unknown number")
    (idle,) = await policies(world, NEVER_PAID)
    said = await case.settle(Act.MATCH, policy_id=idle.id)
    (after,) = await policies(world, NEVER_PAID)
    assert (after.id, after.status, after.paid) == (idle.id, PolicyStatus.ACTIVE, case.report.amount)
    assert f"policy {idle.id}" in said
    assert "paid in full" in said
    (details,) = await world.rows(t.payment_details, PaymentID=(await case.shown() or {})["PaymentID"])
    assert (details["InsuranceNumber"], details["ProductCode"], details["PolicyStage"]) == (
        await chfid_of(world, NEVER_PAID),
        case.bill.product_code,
        "N",
    )


async def test_the_rest_of_a_short_payment_completes_it(world: World) -> None:
    """Half is placed by a person; the family asks anew, is billed the other half, and pays."""
    case = await waiting(world, "half, for an officer's policy")
    said = await case.settle(Act.MATCH, chfid=case.bill.chfid)
    assert "TZS 15,000 still due" in said
    rest = await world.ask(NEVER_PAID)
    assert rest.amount == Money.parse("15000")
    await world.told(ControlNumberGiven(rest.id, "994120000012"))
    assert await world.told(world.payment(await world.bill(rest.id), reference="R2")) == ["settled"]
    (policy,) = await policies(world, NEVER_PAID)
    assert (policy.status, policy.paid) == (PolicyStatus.ACTIVE, policy.value)


async def test_the_renewal_prompt_is_answered(world: World) -> None:
    case = await waiting(world, "unknown number")
    done = await world.changes_of(lambda: match_to(case, SOON))
    assert [row["ResponseStatus"] for row in done.updated["tblPolicyRenewals"].values()] == [1]


async def match_to(case: Waiting, family_id: int) -> None:
    await case.settle(Act.MATCH, chfid=await chfid_of(case.world, family_id))


async def test_our_own_work_is_noticed_as_ours(world: World) -> None:
    case = await waiting(world, "cancelled")
    await case.settle(Act.MATCH, chfid=case.bill.chfid)
    events = [(row["kind"], row["origin"]) for row in await world.rows(g.policy_event)]
    assert sorted(events) == [("activated", "gateway"), ("enrolled", "gateway")]


# ---- matched: refused


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("suspended", "is suspended: decide on the suspension first"),
        ("receipt used", "the receipt R1 stands on a premium of CHFDOM already"),
        ("family gone", "there is no live family with the insurance number"),
        ("dollars", "match is not for PAY-CURRENCY; what can be done: refund or reject"),
        ("nothing", "match is not for PAY-AMOUNT; what can be done: reject"),
        ("negative", "match is not for PAY-AMOUNT"),
    ],
)
async def test_what_cannot_be_matched(world: World, name: str, sentence: str) -> None:
    case = await waiting(world, name)
    await refused(case, Act.MATCH, sentence, chfid=case.bill.chfid)


async def test_not_on_a_suspended_nor_on_an_active_policy(world: World) -> None:
    case = await waiting(world, "unknown number")
    await suspended(world, replace(case.bill, family_id=NEVER_PAID))
    (held,) = await policies(world, NEVER_PAID)
    await refused(case, Act.MATCH, f"policy {held.id} is suspended", policy_id=held.id)
    active = (await policies(world, COVERED))[-1]
    await refused(case, Act.MATCH, f"policy {active.id} is paid for", policy_id=active.id)
    await refused(case, Act.MATCH, "there is no live policy 999999", policy_id=999_999)
    await refused(case, Act.MATCH, "there is no live family", chfid="000000000")


async def test_a_suspension_lifted_a_match_made(world: World) -> None:
    case = await waiting(world, "suspended")
    live = t.policies.update().where(t.policies.c.FamilyID == COVERED)
    await world.execute(live.values(PolicyStatus=PolicyStatus.ACTIVE))
    await case.settle(Act.MATCH, chfid=case.bill.chfid)
    assert (await case.payment())["state"] == "settled"


async def test_without_the_evidence_nothing_is_placed(world: World) -> None:
    case = await waiting(world, "unknown number")
    await world.execute(g.entry.delete())
    await refused(case, Act.MATCH, "not in the inbox", chfid=case.bill.chfid)


# ---- held, refunded, rejected

_NOTHING = {"nothing", "negative"}
HELD_AND_RETURNED = [
    (name, act)
    for name, case in CASES.items()
    for act in acts_for(CaseKind(case[4]), CaseState.OPEN, Money(0 if name in _NOTHING else 1))
    if act != Act.MATCH
]


@pytest.mark.parametrize(("name", "act"), HELD_AND_RETURNED)
async def test_held_refunded_or_rejected(world: World, name: str, act: Act) -> None:
    case = await waiting(world, name)
    family = UNENROLLED if name == "family gone" else case.bill.family_id
    chfid, code = await chfid_of(world, family), CASE_CODES[CaseKind(CASES[name][4])]
    shown, earlier, audited = await case.shown(), await world.sms(), await world.count(g.audit)
    where = {"chfid": chfid} if act == Act.HOLD else {"why": "TT 26/113"}
    done = await world.changes_of(lambda: case.settle(act, **where))

    # one row of openIMIS': what its screens say of the money
    status, reason = {
        Act.HOLD: (4, f"{code}: kept for the next cover of {chfid}"),
        Act.REFUND: (-3, f"{code}: refunded, TT 26/113"),
        Act.REJECT: (-3, f"{code}: rejected, TT 26/113"),
    }[act]
    assert done.inserted == {}
    if shown is None:
        assert name == "dollars"
        assert done.updated == {}
    else:
        changed = {"PaymentStatus": status, "RejectedReason": reason}
        only = {column: value for column, value in changed.items() if shown[column] != value}
        assert done.updated == {"tblPayment": {shown["PaymentID"]: only}}

    row, state = await case.case(), {Act.HOLD: "held", Act.REFUND: "refunded", Act.REJECT: "rejected"}[act]
    assert (row["state"], row["act"], row["closed_by"]) == ("held" if act == Act.HOLD else "closed", act, BY)
    assert (row["closed_at"] is None) == (act == Act.HOLD)
    payment = await case.payment()
    assert (payment["state"], payment["premium_id"]) == (state, None)
    assert payment["bill_id"] == (None if CASES[name][3] == "unmatched" else case.bill.id)
    assert (await case.entry())["state"] == state
    (audit,) = (await world.rows(g.audit))[audited:]
    assert (audit["actor"], audit["action"], audit["details"]["act"]) == (BY, "case.settled", act)
    assert await world.sms() == earlier
    assert await world.bill(case.bill.id) == case.bill
    assert await world.told(replace(case.report, receipt="again")) == ["duplicate"]
    assert await chain_holds(world)


async def test_money_is_held_for_the_bills_family_unless_another_is_named(world: World) -> None:
    case = await waiting(world, "cancelled")
    said = await case.settle(Act.HOLD)
    assert case.bill.chfid in said
    assert (await case.case())["details"]["held_for"] == case.bill.chfid


async def test_money_for_nobody_is_not_held(world: World) -> None:
    case = await waiting(world, "unknown number")
    await refused(case, Act.HOLD, "whose money is it")
    await refused(case, Act.HOLD, "there is no live family", chfid="000000000")


async def test_a_family_that_is_gone_has_no_next_cover(world: World) -> None:
    await refused(await waiting(world, "family gone"), Act.HOLD, "there is no live family")


async def test_held_money_is_matched_when_the_cover_is_due(world: World) -> None:
    """Two of a family paid; the second payment waits eight months and buys the next cover without a gap."""
    case = await waiting(world, "paid twice")
    await case.settle(Act.HOLD)
    assert await world.cases() == []
    async with world.database.reading() as tx:
        (held,) = await tx.cases.listed(9, (CaseState.HELD,))
    assert KnownCase.of(held).held_for == case.bill.chfid
    await refused(case, Act.HOLD, "the money is held already")
    last = (await policies(world, COVERED))[-1]
    world.clock.pass_(days=600)
    await case.settle(Act.MATCH, chfid=case.bill.chfid, by="Juma")
    new = (await policies(world, COVERED))[-1]
    assert last.expiry_date is not None
    assert (new.start_date, new.status) == (last.expiry_date + timedelta(days=1), PolicyStatus.ACTIVE)
    row = await case.case()
    assert (row["state"], row["act"], row["closed_by"]) == ("closed", "match", "Juma")
    assert (await case.shown() or {})["PaymentStatus"] == 5
    settled = await world.rows(g.audit, action="case.settled")
    assert [(a["actor"], a["details"]["act"]) for a in settled] == [(BY, "hold"), ("Juma", "match")]


@pytest.mark.parametrize("act", [Act.REFUND, Act.REJECT])
async def test_held_money_goes_back_after_all(world: World, act: Act) -> None:
    case = await waiting(world, "paid twice")
    await case.settle(Act.HOLD)
    await case.settle(act, why="moved away")
    assert (await case.case())["state"] == "closed"
    assert (await case.shown() or {})["PaymentStatus"] == -3


# ---- contradictions


@pytest.mark.parametrize("act", [Act.REFUND, Act.REJECT])
async def test_a_contradiction_leaves_the_first_report_alone(world: World, act: Act) -> None:
    bill = await world.numbered(COVERED)
    report = world.payment(bill)
    await world.told(report)
    await world.told(replace(report, amount=Money.parse("1")))
    (row,) = await world.rows(g.case)
    case = Waiting(world, bill, report, row["id"])
    before = await case.payment()
    await refused(case, Act.MATCH, "match is not for PAY-CONFLICT", chfid=bill.chfid)
    done = await world.changes_of(lambda: case.settle(act, why="a slip of theirs"))
    assert (done.inserted, done.updated) == ({}, {})
    assert await case.payment() == before
    assert (await case.entry())["state"] == {Act.REFUND: "refunded", Act.REJECT: "rejected"}[act]
    # the same lie again is no news: it was decided on
    assert await world.told(replace(report, amount=Money.parse("1"))) == ["conflicting"]
    assert await world.cases() == []


async def test_a_number_given_to_two_bills_is_closed(world: World) -> None:
    first = await world.numbered(COVERED)
    second = await world.ask(UNENROLLED)
    assert await world.told(ControlNumberGiven(second.id, NUMBER)) == ["conflicting"]
    (row,) = await world.rows(g.case)
    case = Waiting(world, first, world.payment(first), row["id"])
    await refused(case, Act.REFUND, "what can be done: close", why="x")
    await case.settle(Act.CLOSE)
    assert await world.cases() == []


# ---- closed


@pytest.mark.parametrize("kind", [CaseKind.BILL_WITHOUT_NUMBER, CaseKind.OVERPAID, *RECURRING[1:]])
async def test_what_holds_no_money_is_closed(world: World, kind: CaseKind) -> None:
    bill = await world.ask(COVERED)
    noted = Case(kind, f"thing:{kind}", bill_id=bill.id, amount=bill.amount)
    async with world.database.writing() as tx:
        await tx.cases.open(noted, world.clock.now())
    (row,) = await world.rows(g.case)
    case = Waiting(world, bill, world.payment(bill, control_number="1"), row["id"])
    for act in set(Act) - {Act.CLOSE}:
        await refused(case, act, "what can be done: close", chfid=bill.chfid, why="x")
    done = await world.changes_of(lambda: case.settle(Act.CLOSE, note="rang them"))
    assert (done.inserted, done.updated) == ({}, {})
    closed = await case.case()
    assert (closed["state"], closed["act"], closed["note"]) == ("closed", "close", "rang them")
    await refused(case, Act.CLOSE, "the case is closed already")


async def test_money_is_not_closed_away(world: World) -> None:
    case = await waiting(world, "paid twice")
    await refused(case, Act.CLOSE, "close is not for PAY-TWICE; what can be done: match, hold, refund or reject")


# ---- once


@pytest.mark.parametrize("first", [Act.MATCH, Act.REFUND, Act.REJECT])
async def test_a_settled_case_is_settled(world: World, first: Act) -> None:
    case = await waiting(world, "cancelled")
    await case.settle(first, chfid=case.bill.chfid, why="TT1", by="Juma")
    for again in Act:
        await refused(case, again, f"closed already .{first} by Juma", chfid=case.bill.chfid, why="TT2")


async def test_no_such_case(world: World) -> None:
    case = await waiting(world, "cancelled")
    case.id += 1
    with pytest.raises(CaseRefusedError, match=f"there is no case {case.id}"):
        await case.settle(Act.CLOSE)


async def test_two_persons_at_once(world: World) -> None:
    """Whoever comes second is refused, whatever each of them wanted: the money goes one way."""
    case = await waiting(world, "paid twice")
    asked = [
        case.settle(Act.MATCH, chfid=case.bill.chfid, by="Ester"),
        case.settle(Act.MATCH, chfid=await chfid_of(world, NEVER_PAID), by="Juma"),
        case.settle(Act.REFUND, why="TT1", by="Neema"),
        case.settle(Act.MATCH, chfid=case.bill.chfid, by="Rehema"),
    ]
    ends = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
    assert sorted(type(end).__name__ for end in ends) == [*["CaseRefusedError"] * 3, "str"]
    assert await world.count(g.audit, action="case.settled") == 1
    assert await world.count(t.premiums, Receipt="R1") == (0 if isinstance(ends[2], str) else 1)
    assert await chain_holds(world)


async def test_two_cases_of_one_family_at_once(world: World) -> None:
    """Each of two payments buys a cover of its own: the second decides on what the first has left."""
    case = await waiting(world, "paid twice")
    await world.told(world.payment(case.bill, "30000", "R2", payer_msisdn=STRANGER))
    rows = await world.rows(g.case)
    both = [Waiting(world, case.bill, case.report, row["id"]) for row in rows]
    await asyncio.wait_for(asyncio.gather(*(one.settle(Act.MATCH, chfid=case.bill.chfid) for one in both)), 60)
    covers = sorted((p.start_date, p.expiry_date) for p in await policies(world, COVERED))
    assert len(covers) == 4
    for (_, end), (start, _) in pairwise(covers):
        assert end is not None
        assert start == end + timedelta(days=1)


async def test_a_case_of_before_has_no_payment_row(world: World) -> None:
    """Opened by a release that showed the money to nobody: it is placed all the same."""
    case = await waiting(world, "cancelled")
    details = {k: v for k, v in (await case.case())["details"].items() if k != "payment_record_id"}
    await world.execute(g.case.update().values(details=details))
    done = await world.changes_of(lambda: case.settle(Act.MATCH, chfid=case.bill.chfid))
    assert len(done.inserted["tblPremium"]) == 1
    assert "tblPayment" not in done.updated


async def test_a_phone_or_a_name_is_never_audited(world: World) -> None:
    case = await waiting(world, "unknown number")
    await case.settle(Act.MATCH, chfid=await chfid_of(world, NEVER_PAID))
    assert STRANGER[1:] not in repr(await world.rows(g.audit))


async def test_what_an_earlier_bill_paid_in_part_is_matched_too(world: World) -> None:
    """An instalment was settled by the machine, the rest by a person: both rows of tblPayment are matched."""
    bill = await world.numbered(INSTALMENTS, msisdn="+255655000014")
    await world.told(world.payment(bill, "5000", "R0"))
    await world.told(world.payment(await world.bill(bill.id), "15000.01", "R1"))
    (row,) = await world.rows(g.case)
    case = Waiting(world, bill, world.payment(bill), row["id"])
    await case.settle(Act.MATCH, chfid=bill.chfid)
    (policy,) = await policies(world, INSTALMENTS)
    assert policy.status == PolicyStatus.ACTIVE
    assert [p["PaymentStatus"] for p in await world.rows(t.payments, ValidityTo=None)] == [5, 5]
    assert policy.paid.to_decimal() == Decimal("30000.01")


# ---- what a person is shown


async def seen(case: Waiting) -> cases_cli.CaseView:
    async with case.world.database.reading() as tx:
        view = await cases_cli.look_at(tx, case.id)
    assert view is not None
    return view


async def test_a_payers_name_steers_no_terminal(world: World) -> None:
    bill = await world.numbered(COVERED)
    await world.told(
        world.payment(bill, "1", payer_msisdn=STRANGER, payer_name="\x1b]0;root\x07 JUMA\u202e", origin="C\nB")
    )
    (row,) = await world.rows(g.case)
    view = await seen(Waiting(world, bill, world.payment(bill), row["id"]))
    lines = cases_cli.shown(view, world.clock.now())
    assert all(line.isprintable() for line in lines)
    assert f"payer     {STRANGER} ?]0;root? JUMA?" in lines
    assert cases_cli.dumped(cases_cli.shown_as_json(view, world.clock.now())).isascii()
    listed = cases_cli.in_list(view.case, world.clock.now())
    assert not any(STRANGER in line or "JUMA" in line or bill.chfid in line for line in listed), "a list is no file"


async def test_the_commands_shown_are_those_that_may_be_done(world: World) -> None:
    case = await waiting(world, "half, for an officer's policy")
    (idle,) = await policies(world, NEVER_PAID)
    start, chfid = f"imis-gateway cases settle {case.id} ", case.bill.chfid
    rest = ["refund --reference TEXT", "reject --reason TEXT"]
    match = [f"match --family {chfid}", f"match --policy {idle.id}"]
    assert cases_cli.commands(await seen(case)) == [start + typed for typed in (*match, "hold", *rest)]
    await case.settle(Act.HOLD)
    assert cases_cli.commands(await seen(case)) == [start + typed for typed in (*match, *rest)]
    await case.settle(Act.MATCH, policy_id=idle.id, note="at the office")
    view = await seen(case)
    assert cases_cli.commands(view) == []
    assert [row["action"] for row in view.history] == ["case.opened", "case.settled", "case.settled"]
    assert f"settled   match by {BY}: at the office" in cases_cli.shown(view, world.clock.now())


async def test_money_of_nobody_shows_no_family(world: World) -> None:
    """Not even where the report names a bill of ours: the number is what was paid."""
    case = await waiting(world, "another number than the bill's")
    view = await seen(case)
    assert (view.bill, view.family) == (None, None)
    assert f"imis-gateway cases settle {case.id} hold --family CHFID" in cases_cli.commands(view)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ({"seconds": 0}, "0 min"),
        ({"minutes": 59}, "59 min"),
        ({"hours": 1}, "1 h"),
        ({"hours": 47}, "47 h"),
        ({"days": 2}, "2 d"),
    ],
)
def test_an_age_is_said_shortly(passed: dict[str, float], said: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert cases_cli.age(now - timedelta(**passed), now) == said
    assert cases_cli.age(now + timedelta(minutes=5), now) == "0 min", "another clock"
