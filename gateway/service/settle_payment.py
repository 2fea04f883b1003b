"""What a reported payment does, in one transaction: premium, policy, coverage, bill, messages, audit, entry."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.effects import SendSms
from gateway.domain.errors import CASE_CODES, ERRORS
from gateway.domain.msisdn import normalise
from gateway.domain.payments import REJECTED_KINDS, CaseKind, EntryState, PaymentReport, same_payment
from gateway.domain.policy import NewPolicy, PolicyStatus
from gateway.domain.settlement import Ledger, NeedsPerson, Settlement, settle
from gateway.domain.upkeep import OURS, PolicyEvent, PolicyEventKind
from gateway.ports import Case, Entry, LegacyStatus, PaymentHeld, PaymentReceived, Requester, Transaction
from gateway.service.adopt_bill import adopt_bill
from gateway.service.messages import Messages
from gateway.service.metrics import CASES
from gateway.service.settle_bill import bind_number


async def settle_payment(
    tx: Transaction, messages: Messages, entry: Entry, report: PaymentReport, now: datetime
) -> EntryState:
    """Apply a payment once, whatever the number and order of its reports. The same key with other content is a case."""
    known = await tx.payments.first_report(entry.provider, report, entry.inbox_id, now)
    if known is not None:
        state = same_payment(known.digest, report)
        if state == EntryState.CONFLICTING:
            await _open_case(tx, entry, report, CaseKind.CONFLICT, None, now)
        await tx.inbox.mark(entry, state, now)
        return state
    bill = await _lock_bill(tx, report, now)
    if bill is None:
        return await _keep_for_person(tx, messages, entry, report, CaseKind.UNKNOWN_CONTROL_NUMBER, None, now)
    ledger = await _ledger(tx, bill, report, now)
    decision = settle(bill, report, eat_day(report.paid_at), eat_day(now), ledger)
    if isinstance(decision, NeedsPerson):
        return await _keep_for_person(tx, messages, entry, report, decision.kind, bill, now)
    await _apply(tx, messages, entry, report, bill, decision, now)
    return EntryState.SETTLED


async def _lock_bill(tx: Transaction, report: PaymentReport, now: datetime) -> Bill | None:
    """The bill under the family's lock. Locks are taken in one order everywhere: family, then bill."""
    bill = await tx.bills.by_control_number(report.control_number)
    if bill is None and report.bill_id is not None:
        bill = await tx.bills.by_id(report.bill_id)  # the payment overtook the control number
        if bill is not None and bill.control_number is not None:
            return None
    if bill is None:
        bill = await adopt_bill(tx, report.control_number, now)
    if bill is None:
        return None
    await tx.registry.lock_family(bill.family_id)
    locked = await tx.bills.by_id(bill.id, lock=True)
    if locked is not None and locked.control_number is None:
        locked = await bind_number(tx, locked, report.control_number, now)
    if locked is not None and locked.control_number != report.control_number:
        return None  # another number was given while the lock was waited for
    return locked


async def _ledger(tx: Transaction, bill: Bill, report: PaymentReport, now: datetime) -> Ledger:
    products = {p.id: p for p in await tx.registry.products()}
    family = await tx.registry.family(bill.family_id)
    policies = await tx.registry.policies(bill.family_id)
    officer_id = None
    if family is not None and not any(p.officer_id for p in policies):
        officer_id = await tx.registry.officer_near(family.location_ids, now)
    return Ledger(
        family=family,
        product=products.get(bill.product_id),
        policies=policies,
        receipt_used=await tx.registry.receipt_is_used(bill.product_id, report.reference),
        activation_option=await tx.registry.activation_option(),
        officer_id=officer_id,
    )


async def _apply(
    tx: Transaction,
    messages: Messages,
    entry: Entry,
    report: PaymentReport,
    bill: Bill,
    decision: Settlement,
    now: datetime,
) -> None:
    born = isinstance(decision.policy, NewPolicy)
    policy_id = (
        await tx.registry.add_policy(decision.policy, now)
        if isinstance(decision.policy, NewPolicy)
        else decision.policy.id
    )
    premium_id = await tx.registry.add_premium(policy_id, decision.premium, now)
    if decision.mended is not None:
        await tx.registry.move_policy(policy_id, decision.mended)
    if decision.activation is not None:
        await tx.registry.activate(policy_id, decision.activation)
    await tx.follow.notice(_own_events(policy_id, bill.family_id, decision, born), now)
    if born and bill.preceding_policy_id is not None:
        await tx.registry.close_renewal_prompts(bill.preceding_policy_id, now)
    if bill.payment_record_id is not None:
        await tx.registry.payment_received(bill.payment_record_id, _received(report, premium_id, decision), now)
    if decision.activation is not None:  # what an earlier bill paid in part is matched by this one's money
        for record_id in await tx.bills.part_paid_records(bill.family_id, bill.product_id):
            await tx.registry.payment_matched(record_id, now)
    bill = await tx.bills.record(
        bill, decision.fact, now, amount_minor=report.amount.amount_minor, reference=report.reference
    )
    await tx.outbox.put(await _confirmations(tx, messages, bill, report, decision), now)
    if decision.excess:
        await _open_case(tx, entry, report, CaseKind.OVERPAID, bill, now)
    await tx.payments.mark(report, EntryState.SETTLED, bill.id, premium_id, now)
    await tx.inbox.mark(entry, EntryState.SETTLED, now, bill_id=bill.id)
    await tx.audit.add(
        "provider",
        "payment.settled",
        f"payment:{report.reference}/{report.control_number}",
        now,
        bill=bill.id,
        policy=policy_id,
        premium=premium_id,
        amount_minor=report.amount.amount_minor,
        born=born,
        activated=decision.activation is not None,
    )


def _own_events(policy_id: int, family_id: int, decision: Settlement, born: bool) -> list[PolicyEvent]:
    """What we do ourselves needs no noticing later: the family is told by our own confirmation."""
    events = []
    if born:
        day = decision.policy.enroll_date
        events.append(PolicyEvent(policy_id, PolicyEventKind.ENROLLED, family_id, day, OURS))
    if decision.activation is not None and decision.activation.status == PolicyStatus.ACTIVE:
        day = decision.activation.effective_date
        events.append(PolicyEvent(policy_id, PolicyEventKind.ACTIVATED, family_id, day, OURS))
    return events


def _received(report: PaymentReport, premium_id: int, decision: Settlement) -> PaymentReceived:
    return PaymentReceived(
        amount=report.amount,
        receipt=report.reference,
        transaction=report.transaction,
        origin=report.origin,
        paid_at=report.paid_at,
        payer_msisdn=report.payer_msisdn,
        premium_id=premium_id,
        matched=decision.activation is not None,
    )


async def _confirmations(
    tx: Transaction, messages: Messages, bill: Bill, report: PaymentReport, decision: Settlement
) -> list[SendSms]:
    """One SMS to the family; a stranger who paid gets receipt and amount only."""
    requesters = {r.msisdn: r for r in await tx.bills.requesters(bill.id)}
    own = set(requesters) | await _family_phones(tx, bill.family_id)
    payer = report.payer_msisdn
    reader = _reader(payer, own, requesters)
    sms: list[SendSms] = []
    if reader is not None:
        reader = await _in_language(tx, reader)
        if decision.activation is not None and decision.activation.status == PolicyStatus.READY:
            sms.append(messages.paid_ready(reader, bill, report.amount, report.reference))
        elif decision.activation is not None:
            start, until = decision.activation.effective_date, decision.expiry_date
            sms.append(messages.covered(reader, bill, report.amount, report.reference, start, until))
        else:
            sms.append(messages.part_paid(reader, bill, report.amount, report.reference, decision.still_due))
    if payer is not None and payer not in own:
        stranger = await _in_language(tx, Requester(payer, ""))
        sms.append(messages.receipt(stranger, report.amount, *report.key))
    return sms


async def _family_phones(tx: Transaction, family_id: int) -> set[str]:
    family = await tx.registry.family(family_id)
    return {phone for m in (family.members if family else ()) if (phone := normalise(m.phone)) is not None}


def _reader(payer: str | None, own: set[str], requesters: dict[str, Requester]) -> Requester | None:
    """Of the family's phones the one that paid, else the one that asked first, else any."""
    if payer is not None and payer in own:
        return requesters.get(payer, Requester(payer, ""))
    if requesters:
        return next(iter(requesters.values()))
    return Requester(min(own), "") if own else None


async def _in_language(tx: Transaction, reader: Requester) -> Requester:
    languages = await tx.callers.languages([reader.msisdn])
    return Requester(reader.msisdn, languages.get(reader.msisdn, reader.language))


async def _keep_for_person(
    tx: Transaction,
    messages: Messages,
    entry: Entry,
    report: PaymentReport,
    kind: CaseKind,
    bill: Bill | None,
    now: datetime,
) -> EntryState:
    """The money is kept and shown; who paid is told that a person looks at it."""
    state = EntryState.UNMATCHED if kind == CaseKind.UNKNOWN_CONTROL_NUMBER else EntryState.CASE
    if kind != CaseKind.WRONG_CURRENCY:  # the registry knows shillings only
        await tx.registry.hold_payment(_held(report, kind, bill), now)
    await _open_case(tx, entry, report, kind, bill, now)
    if report.payer_msisdn is not None:
        payer = await _in_language(tx, Requester(report.payer_msisdn, ""))
        await tx.outbox.put([messages.held(payer, report.amount, *report.key)], now)
    await tx.payments.mark(report, state, bill.id if bill else None, None, now)
    await tx.inbox.mark(entry, state, now, bill_id=bill.id if bill else None)
    return state


def _held(report: PaymentReport, kind: CaseKind, bill: Bill | None) -> PaymentHeld:
    """For the ministry's own payment screens."""
    return PaymentHeld(
        status=LegacyStatus.REJECTED if kind in REJECTED_KINDS else LegacyStatus.RECEIVED,
        reason=f"{CASE_CODES[kind]}: {ERRORS[CASE_CODES[kind]].operator}",
        amount=report.amount,
        expected=bill.amount if bill else None,
        receipt=report.reference,
        transaction=report.transaction,
        origin=report.origin,
        paid_at=report.paid_at,
        payer_msisdn=report.payer_msisdn,
        product_code=bill.product_code if bill else None,
        chfid=bill.chfid if bill else None,
        stage=bill.stage if bill else None,
    )


async def _open_case(
    tx: Transaction, entry: Entry, report: PaymentReport, kind: CaseKind, bill: Bill | None, now: datetime
) -> None:
    opened = await tx.cases.open(
        Case(
            kind,
            subject=f"payment:{report.reference}/{report.control_number}",
            provider=entry.provider,
            inbox_id=entry.inbox_id,
            bill_id=bill.id if bill else report.bill_id,
            amount=report.amount,
            details={
                "control_number": report.control_number,
                "reference": report.reference,
                "receipt": report.receipt,
                "billed_minor": bill.amount.amount_minor if bill else None,
                "paid_at": report.paid_at.isoformat(),
            },
        ),
        now,
    )
    if opened:
        CASES.labels(kind).inc()
        await tx.audit.add("gateway", "case.opened", f"payment:{report.reference}", now, kind=kind)
