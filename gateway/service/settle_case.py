"""What a machine cannot place, a person places: one case, in one transaction, audited under the person's name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.cases import (
    AFTER,
    Act,
    CaseState,
    Refusal,
    is_still_to_come,
    objection_to,
    place,
)
from gateway.domain.clock import Clock, eat_day
from gateway.domain.errors import CASE_CODES
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.phone_reports import report_of
from gateway.domain.policy import Family, NewPolicy
from gateway.domain.quote import next_product
from gateway.domain.settlement import Ledger, Settlement, latest_settled
from gateway.ports import Entry, LegacyStatus, Placed, SettledCase, Transaction, UnitOfWork
from gateway.service.messages import Messages
from gateway.service.payees import is_anothers
from gateway.service.quotes import sold_to
from gateway.service.settle_payment import (
    book,
    confirmations,
    match_part_payments,
    open_case,
    read_ledger,
    received,
)


class CaseRefusedError(RuntimeError):
    """Nothing was done; the message is a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person wants done. ``chfid`` or ``policy_id``: where the money goes; ``why``: the refund's reference or
    the reason of a rejection."""

    act: Act
    by: str
    note: str = ""
    chfid: str | None = None
    policy_id: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class KnownCase:
    """A case as the store has it."""

    id: int
    kind: CaseKind
    state: CaseState
    subject: str
    amount: Money | None
    inbox_id: str | None
    bill_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    act: str | None
    note: str | None
    details: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> KnownCase:
        """The case of a row."""
        minor = row["amount_minor"]
        return cls(
            id=row["id"],
            kind=CaseKind(row["kind"]),
            state=CaseState(row["state"]),
            subject=row["subject"],
            amount=Money(minor, row["currency"]) if minor is not None else None,
            inbox_id=row["inbox_id"],
            bill_id=row["bill_id"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            closed_by=row.get("closed_by"),  # lists leave these out
            act=row.get("act"),
            note=row.get("note"),
            details=row["details"],
        )

    @property
    def code(self) -> str:
        """Its code in the table of errors."""
        return CASE_CODES[self.kind]

    @property
    def held_for(self) -> str | None:
        """The insurance number of the family that the money is kept for."""
        chfid = self.details.get("held_for")
        return str(chfid) if chfid else None


@dataclass(frozen=True, slots=True)
class CaseMoney:
    """The money of a case: what was reported, the entry that keeps it, and the bill of ours that it was paid on."""

    entry: Entry
    report: PaymentReport
    bill: Bill | None


@dataclass(frozen=True, slots=True)
class _Done:
    """``facts`` go into the audit, ``details`` into the case; ``said`` is for the person."""

    said: str
    facts: Mapping[str, Any]
    details: Mapping[str, Any]


class SettleCase:
    """Each call settles one case, or raises and leaves everything as it was.

    ``codes``: the service provider codes of the settings.
    """

    def __init__(self, uow: UnitOfWork, messages: Messages, clock: Clock, codes: Collection[str] = ()) -> None:
        self._uow = uow
        self._messages = messages
        self._clock = clock
        self._codes = codes

    async def __call__(self, case_id: int, decision: Decision) -> str:
        """What was done, in a sentence. Raises CaseRefusedError."""
        now = self._clock.now()
        async with self._uow.writing() as tx:
            row = await tx.cases.by_id(case_id, lock=True)  # the second of two persons waits here, then finds it closed
            if row is None:
                raise CaseRefusedError(f"there is no case {case_id}")
            case = KnownCase.of(row)
            against = objection_to(decision.act, case.kind, case.state, case.amount)
            if against is not None:
                raise CaseRefusedError(f"case {case_id}: {against.sentence}{_closed_by(case)}")
            done = await self._act(tx, case, decision, now)
            state = CaseState.HELD if decision.act == Act.HOLD else CaseState.CLOSED
            details = {**case.details, **done.details}
            settled = SettledCase(state, decision.act, decision.by, decision.note, details)
            await tx.cases.settle(case_id, settled, now)
            subject, facts = f"case:{case_id}", {"act": decision.act, "kind": case.kind, "about": case.subject}
            await tx.audit.add(decision.by, "case.settled", subject, now, **facts, **done.facts)
        return done.said

    async def _act(self, tx: Transaction, case: KnownCase, decision: Decision, now: datetime) -> _Done:
        if decision.act == Act.CLOSE:
            if case.kind == CaseKind.PHONE_REPORTED:  # the registry is right now, or was right before
                await tx.callers.lift_report(report_of(case.subject))
            return _Done("closed", {}, {})
        money = await money_of(tx, case)
        if money is None:
            raise CaseRefusedError(f"case {case.id}: the provider's report of this payment is not in the inbox")
        if decision.act in (Act.MATCH, Act.HOLD):
            await self._refuse_anothers(tx, case, money.report)
        if decision.act == Act.MATCH:
            return await self._match(tx, case, money, decision, now)
        if decision.act == Act.HOLD:
            return await _hold(tx, case, money, decision, now)
        return await _give_up(tx, case, money, decision, now)

    async def _refuse_anothers(self, tx: Transaction, case: KnownCase, report: PaymentReport) -> None:
        """Another service provider's money has not come to us, so not even a person can give it to a family."""
        code = report.provider_code
        if case.kind == CaseKind.OTHER_PAYEE and await is_anothers(tx, code, None, self._codes):
            raise CaseRefusedError(f"case {case.id}: the money is for {code!r}, which is no code of ours")

    async def _match(
        self, tx: Transaction, case: KnownCase, money: CaseMoney, decision: Decision, now: datetime
    ) -> _Done:
        family = await _locked_family(tx, decision)
        ledger, bill = await _ledger(tx, family, money, decision, now)
        paid_on, today = eat_day(money.report.paid_at), eat_day(now)
        settlement = place(money.report, paid_on, today, ledger, bill, decision.policy_id)
        if isinstance(settlement, Refusal):
            raise CaseRefusedError(f"case {case.id}: {settlement.sentence}")
        assert ledger.product is not None
        last = latest_settled(ledger.policies)
        policy_id, premium_id = await book(tx, settlement, family.id, last.id if last else None, now)
        placed = Placed(family.head.chfid, ledger.product.code, settlement.policy.stage)
        if (record_id := _record_id(case)) is not None:
            told = received(money.report, premium_id, True, placed)
            await tx.registry.payment_received(record_id, told, now)
        if settlement.activation is not None:
            await match_part_payments(tx, family.id, ledger.product.id, now)
        billed = bill or _as_billed(money.report, family, ledger, settlement, now)
        await tx.outbox.put(
            await confirmations(tx, self._messages, billed, money.report, settlement, now, rest_on_number=False), now
        )
        if settlement.excess:
            await open_case(tx, money.entry, money.report, CaseKind.OVERPAID, money.bill, now, excess=settlement.excess)
        await _mark(tx, case, money, decision.act, premium_id, now)
        return _matched(policy_id, premium_id, settlement)


async def money_of(tx: Transaction, case: KnownCase) -> CaseMoney | None:
    """The reported payment that a case is about; None where it is about none."""
    if case.inbox_id is None:
        return None
    for entry in await tx.inbox.entries_of(case.inbox_id):
        report = entry.notice
        if not isinstance(report, PaymentReport) or report.amount != case.amount:
            continue
        if case.subject == f"payment:{report.reference}/{report.control_number}":
            bill = await tx.bills.by_id(case.bill_id) if case.bill_id else None
            # what a report says of itself makes no bill its own: the number does, or the family that it was paid for
            own = bill is not None and (report.chfid is not None or bill.control_number == report.control_number)
            return CaseMoney(entry, report, bill if own else None)
    return None


async def _locked_family(tx: Transaction, decision: Decision) -> Family:
    """The family that the person named, held to the end of the transaction."""
    if decision.policy_id is not None:
        named = f"there is no live policy {decision.policy_id}"
        policies = await tx.registry.policies_by_id([decision.policy_id])
        family = await tx.registry.family(policies[0].family_id) if policies else None
    else:
        named = f"there is no live family with the insurance number {decision.chfid}"
        family = await tx.registry.family_of(decision.chfid or "")
    if family is None or not await tx.registry.lock_family(family.id):
        raise CaseRefusedError(named)
    return family


async def _ledger(
    tx: Transaction, family: Family, money: CaseMoney, decision: Decision, now: datetime
) -> tuple[Ledger, Bill | None]:
    """What the registry holds now that the family is locked, and the bill if its cover is still to come."""
    policies = await tx.registry.policies(family.id)
    products = list(await tx.registry.products())
    bill = money.bill if money.bill and is_still_to_come(money.bill, family.id, policies) else None
    chosen = next((p.product_id for p in policies if p.id == decision.policy_id), None)
    if chosen is None and bill is not None and any(p.id == bill.product_id for p in products):
        chosen = bill.product_id
    if chosen is None:
        product = next_product(sold_to(family, products), products, policies, eat_day(now))
        chosen = product.id if product else 0  # no product has it: refused with its sentence
    return await read_ledger(tx, family.id, chosen, money.report, now), bill


async def _hold(tx: Transaction, case: KnownCase, money: CaseMoney, decision: Decision, now: datetime) -> _Done:
    """The money waits for the next cover of a family: the one that is named, else the bill's."""
    chfid = decision.chfid or (money.bill.chfid if money.bill else None)
    if chfid is None:
        raise CaseRefusedError(f"case {case.id}: whose money is it? Name the family: --family CHFID")
    family = await _locked_family(tx, Decision(decision.act, decision.by, chfid=chfid))
    await _decide(tx, case, LegacyStatus.RECEIVED, f"kept for the next cover of {family.head.chfid}", now)
    await _mark(tx, case, money, decision.act, None, now)
    said = f"TZS {money.report.amount} held for the next cover of family {family.head.chfid}"
    return _Done(said, {"family": family.id}, {"held_for": family.head.chfid})


async def _give_up(tx: Transaction, case: KnownCase, money: CaseMoney, decision: Decision, now: datetime) -> _Done:
    """The money is not the scheme's: it went back, or was never owed."""
    reason = f"refunded, {decision.why}" if decision.act == Act.REFUND else f"rejected, {decision.why}"
    await _decide(tx, case, LegacyStatus.REJECTED, reason, now)
    await _mark(tx, case, money, decision.act, None, now)
    return _Done(f"marked as {AFTER[decision.act]}: {decision.why}", {"why": decision.why}, {"why": decision.why})


def _record_id(case: KnownCase) -> int | None:
    """The tblPayment row on which the money stands; None for another currency, and where there never was one."""
    record_id = case.details.get("payment_record_id")
    return int(record_id) if record_id is not None else None


async def _decide(tx: Transaction, case: KnownCase, status: int, reason: str, now: datetime) -> None:
    """Tell the ministry's own payment screens."""
    if (record_id := _record_id(case)) is not None:
        await tx.registry.payment_status(record_id, status, now, f"{case.code}: {reason}", decided=True)


async def _mark(
    tx: Transaction, case: KnownCase, money: CaseMoney, act: Act, premium_id: int | None, now: datetime
) -> None:
    """The payment's own row and its entry. Of a contradiction the first report keeps its row."""
    bill_id = money.bill.id if money.bill else None
    if case.kind != CaseKind.CONFLICT:
        await tx.payments.mark(money.report, AFTER[act], bill_id, premium_id, now)
    await tx.inbox.mark(money.entry, AFTER[act], now, bill_id=bill_id)


def _matched(policy_id: int, premium_id: int, settlement: Settlement) -> _Done:
    facts: dict[str, Any] = {
        "policy": policy_id,
        "premium": premium_id,
        "amount_minor": settlement.premium.amount.amount_minor,
        "born": isinstance(settlement.policy, NewPolicy),
        "activated": settlement.activation is not None,
        "excess_minor": settlement.excess.amount_minor,
    }
    until = f"{settlement.start_date} to {settlement.expiry_date or 'no day'}"
    said = f"TZS {settlement.premium.amount} booked on policy {policy_id} ({until}) as premium {premium_id}"
    if settlement.activation is None:
        said += f"; TZS {settlement.still_due} still due, so it waits"
    elif settlement.excess:
        said += f"; paid in full, TZS {settlement.excess} too much: a case of its own (PAY-OVER)"
    else:
        said += "; paid in full"
    return _Done(said, facts, {"policy": policy_id, "premium": premium_id})


def _closed_by(case: KnownCase) -> str:
    if case.state != CaseState.CLOSED or case.closed_at is None:
        return ""
    return f" ({case.act} by {case.closed_by}, {case.closed_at:%Y-%m-%d %H:%M}Z)"


def _as_billed(report: PaymentReport, family: Family, ledger: Ledger, settlement: Settlement, now: datetime) -> Bill:
    """What a bill for this cover would have said, for the texts of the confirmation. It is never stored."""
    assert ledger.product is not None
    last = latest_settled(ledger.policies)
    return Bill(
        id="",
        key="",
        generation=1,
        family_id=family.id,
        product_id=ledger.product.id,
        product_code=ledger.product.code,
        preceding_policy_id=last.id if last else None,
        stage=settlement.policy.stage,
        chfid=family.head.chfid,
        payer_name="",
        amount=report.amount,
        policy_value=settlement.policy.value,
        pay_option=PayOption.EXACT,
        provider_code=None,
        state=BillState.PAID,
        control_number=report.control_number,
        paid=report.amount,
        created_at=now,
        expires_at=now,
    )
