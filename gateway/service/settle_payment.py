"""What a reported payment does, in one transaction: premium, policy, coverage, bill, messages, audit, entry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from gateway.domain.bill import Bill, BillState
from gateway.domain.clock import eat_day
from gateway.domain.effects import SendSms
from gateway.domain.errors import CASE_CODES, ERRORS
from gateway.domain.money import Money
from gateway.domain.payments import REJECTED_KINDS, CaseKind, EntryState, PaymentReport, same_payment
from gateway.domain.policy import NewPolicy, PolicyStatus
from gateway.domain.settlement import Ledger, NeedsPerson, Settlement, settle
from gateway.domain.upkeep import OURS, PolicyEvent, PolicyEventKind
from gateway.ports import Case, Entry, LegacyStatus, PaymentHeld, PaymentReceived, Placed, Requester, Transaction
from gateway.service.adopt_bill import adopt_bill, code_made_under
from gateway.service.family_bill import FamilyBill, family_bill, store_bill
from gateway.service.family_phones import family_phones, still_told
from gateway.service.messages import Messages
from gateway.service.metrics import CASES
from gateway.service.payees import is_anothers
from gateway.service.pool_results import pool_bill_of
from gateway.service.revive_number import release, takes_over
from gateway.service.settle_bill import bind_number
from gateway.service.withdraw_number import withdraw_number


async def settle_payment(
    tx: Transaction, messages: Messages, entry: Entry, report: PaymentReport, codes: Collection[str], now: datetime
) -> EntryState:
    """Apply a payment once, whatever the number and order of its reports. The same key with other content is a case.

    ``codes``: the service provider codes of the settings.
    """
    known = await tx.payments.first_report(entry.provider, report, entry.inbox_id, now)
    if known is not None:
        state = same_payment(known.digest, report)
        if state == EntryState.CONFLICTING:
            await open_case(tx, entry, report, CaseKind.CONFLICT, None, now)
        await tx.inbox.mark(entry, state, now)
        return state
    owed = await _owed(tx, entry, report, codes, now)
    if isinstance(owed, CaseKind):
        return await _keep_for_person(tx, messages, entry, report, owed, None, now)
    bill = owed.bill
    if bill.state == BillState.PART_PAID and await tx.payments.receipt_is_held(report):
        # an instalment under one more reference, or the same one told by the provider and by the bank: a person knows
        return await _keep_for_person(tx, messages, entry, report, CaseKind.SAME_RECEIPT, bill, now)
    ledger = await read_ledger(tx, bill.family_id, bill.product_id, report, now)
    decision = settle(bill, report, eat_day(report.paid_at), eat_day(now), ledger)
    if isinstance(decision, NeedsPerson):
        stored = None if owed.is_new else bill
        return await _keep_for_person(tx, messages, entry, report, decision.kind, stored, now, expected=bill.amount)
    if owed.is_new:
        bill = await store_bill(tx, bill, report, entry.provider, now)
    await _apply(tx, messages, entry, report, bill, decision, now)
    return EntryState.SETTLED


async def _owed(
    tx: Transaction, entry: Entry, report: PaymentReport, codes: Collection[str], now: datetime
) -> FamilyBill | CaseKind:
    """What was paid, under the family's lock; or why a machine cannot say."""
    if report.chfid is not None:
        return await family_bill(tx, report.chfid, report.paid_at, now, lock=True)
    bill = await _bill_of(tx, report, now)
    # before the bill is touched: money of another service provider gives no bill of ours its number
    if await is_anothers(tx, report.provider_code, code_made_under(bill) if bill else None, codes):
        return CaseKind.OTHER_PAYEE
    if bill is not None:
        bill = await _locked(tx, entry, report, bill, now)
    return CaseKind.UNKNOWN_CONTROL_NUMBER if bill is None else FamilyBill(bill, is_new=False)


async def _locked(tx: Transaction, entry: Entry, report: PaymentReport, bill: Bill, now: datetime) -> Bill | None:
    """The bill under the family's lock. Locks are taken in one order everywhere: family, then bill."""
    await tx.registry.lock_family(bill.family_id)
    locked = await tx.bills.by_id(bill.id, lock=True)
    if locked is None or locked.control_number == report.control_number:
        return locked
    if locked.control_number is not None:
        return None  # another number was given while the lock was waited for
    holder = await tx.bills.by_control_number(report.control_number, lock=True)
    if holder is not None and not takes_over(locked, holder, report.control_number):
        if holder.family_id != locked.family_id:  # its lock is not ours: settled at the next attempt
            raise RuntimeError(f"the number of bill {holder.id} was given while bill {locked.id} was waited for")
        return holder
    if holder is not None:
        await release(tx, holder, locked, now)
    return await bind_number(tx, locked, report.control_number, now, entry.provider)


async def _bill_of(tx: Transaction, report: PaymentReport, now: datetime) -> Bill | None:
    """Whose money it is, before any lock: the number tells, or the bill id where the number has not come yet."""
    number = report.control_number
    bill = await tx.bills.by_control_number(number)
    named = None
    if report.bill_id is not None and (bill is None or bill.id != report.bill_id):
        named = await tx.bills.by_id(report.bill_id)  # the payment overtook the control number
    if bill is not None:
        return named if named is not None and takes_over(named, bill, number) else bill
    if named is not None:
        return named if named.control_number in (None, number) else None  # given between these two looks
    return await pool_bill_of(tx, report, now) or await adopt_bill(tx, number, now)


async def read_ledger(tx: Transaction, family_id: int, product_id: int, report: PaymentReport, now: datetime) -> Ledger:
    """What the registry holds of the family and the product, for a payment to be settled."""
    products = {p.id: p for p in await tx.registry.products()}
    family = await tx.registry.family(family_id)
    policies = await tx.registry.policies(family_id)
    officer_id = None
    if family is not None and not any(p.officer_id for p in policies):
        officer_id = await tx.registry.officer_near(family.location_ids, now)
    return Ledger(
        family=family,
        product=products.get(product_id),
        policies=policies,
        receipt_used=await tx.registry.receipt_is_used(product_id, report.reference),
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
    policy_id, premium_id = await book(tx, decision, bill.family_id, bill.preceding_policy_id, now)
    if bill.payment_record_id is not None:
        matched = decision.activation is not None
        await tx.registry.payment_received(bill.payment_record_id, received(report, premium_id, matched), now)
    if decision.activation is not None:
        await match_part_payments(tx, bill.family_id, bill.product_id, now)
    bill = await tx.bills.record(
        bill, decision.fact, now, amount_minor=report.amount.amount_minor, reference=report.reference
    )
    numbered = bill.control_number is not None
    await tx.outbox.put(await confirmations(tx, messages, bill, report, decision, now, rest_on_number=numbered), now)
    await withdraw_number(tx, bill, report.amount, entry.provider, now)
    if decision.excess:
        await open_case(tx, entry, report, CaseKind.OVERPAID, bill, now, excess=decision.excess)
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
        born=isinstance(decision.policy, NewPolicy),
        activated=decision.activation is not None,
    )


async def book(
    tx: Transaction, decision: Settlement, family_id: int, preceding_policy_id: int | None, now: datetime
) -> tuple[int, int]:
    """Write premium, policy and cover as decided; the PolicyID and the PremiumId."""
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
    await tx.follow.notice(_own_events(policy_id, family_id, decision, born), now)
    if born and preceding_policy_id is not None:
        await tx.registry.close_renewal_prompts(preceding_policy_id, now)
    return policy_id, premium_id


async def match_part_payments(tx: Transaction, family_id: int, product_id: int, now: datetime) -> None:
    """What an earlier bill paid in part is matched by the money that completes the cover."""
    for record_id in await tx.bills.part_paid_records(family_id, product_id):
        await tx.registry.payment_matched(record_id, now)


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


def received(report: PaymentReport, premium_id: int, matched: bool, placed: Placed | None = None) -> PaymentReceived:
    """The payment as its tblPayment row is told of it."""
    return PaymentReceived(
        amount=report.amount,
        receipt=report.reference,
        transaction=report.transaction,
        origin=report.origin,
        paid_at=report.paid_at,
        payer_msisdn=report.payer_msisdn,
        premium_id=premium_id,
        matched=matched,
        placed=placed,
    )


async def confirmations(
    tx: Transaction,
    messages: Messages,
    bill: Bill,
    report: PaymentReport,
    decision: Settlement,
    now: datetime,
    *,
    rest_on_number: bool = True,
) -> list[SendSms]:
    """One SMS to the family; a stranger who paid gets receipt and amount only.

    ``rest_on_number``: what is still due can be paid on the same number; where it cannot, the number is not named.
    """
    asked = await tx.bills.requesters(bill.id)
    phones = await family_phones(tx, await tx.registry.family(bill.family_id))
    # an officer who asked for the family is not the family, and hears for it only where it has no phone
    readers = await still_told(tx, [r for r in asked if not (phones and r.officer)], phones, now)
    requesters = {r.msisdn: r for r in readers}
    own = {*requesters, *phones}
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
        elif rest_on_number:
            sms.append(messages.part_paid(reader, bill, report.amount, report.reference, decision.still_due))
        else:
            sms.append(messages.receipt(reader, report.amount, *report.key))
    if payer is not None and payer not in own:
        stranger = await _in_language(tx, Requester(payer, ""))
        sms.append(messages.receipt(stranger, report.amount, *report.key))
    return sms


def _reader(payer: str | None, own: set[str], requesters: dict[str, Requester]) -> Requester | None:
    """Of the family's phones the one that paid, else the one that asked first, else any."""
    if payer is not None and payer in own:
        return requesters.get(payer, Requester(payer, ""))
    if requesters:
        return next(iter(requesters.values()))
    return Requester(min(own), "") if own else None


async def _in_language(tx: Transaction, reader: Requester) -> Requester:
    languages = await tx.callers.languages([reader.msisdn])
    return replace(reader, language=languages.get(reader.msisdn, reader.language))


async def _keep_for_person(
    tx: Transaction,
    messages: Messages,
    entry: Entry,
    report: PaymentReport,
    kind: CaseKind,
    bill: Bill | None,
    now: datetime,
    *,
    expected: Money | None = None,
) -> EntryState:
    """The report is kept and shown; who paid us is told that a person looks at it."""
    state = EntryState.UNMATCHED if kind == CaseKind.UNKNOWN_CONTROL_NUMBER else EntryState.CASE
    record_id = None
    if kind != CaseKind.WRONG_CURRENCY:  # the registry knows shillings only
        record_id = await tx.registry.hold_payment(_held(report, kind, bill, expected), now)
    await open_case(tx, entry, report, kind, bill, now, payment_record_id=record_id, expected=expected)
    # the text says that we have the money, which we have not where it is another service provider's
    if report.payer_msisdn is not None and kind != CaseKind.OTHER_PAYEE:
        payer = await _in_language(tx, Requester(report.payer_msisdn, ""))
        await tx.outbox.put([messages.held(payer, report.amount, *report.key)], now)
    await tx.payments.mark(report, state, bill.id if bill else None, None, now)
    await tx.inbox.mark(entry, state, now, bill_id=bill.id if bill else None)
    return state


def _held(report: PaymentReport, kind: CaseKind, bill: Bill | None, expected: Money | None) -> PaymentHeld:
    """For the ministry's own payment screens."""
    return PaymentHeld(
        status=LegacyStatus.REJECTED if kind in REJECTED_KINDS else LegacyStatus.RECEIVED,
        reason=f"{CASE_CODES[kind]}: {ERRORS[CASE_CODES[kind]].operator}",
        amount=report.amount,
        expected=bill.amount if bill else expected,
        receipt=report.reference,
        transaction=report.transaction,
        origin=report.origin,
        paid_at=report.paid_at,
        payer_msisdn=report.payer_msisdn,
        product_code=bill.product_code if bill else None,
        chfid=bill.chfid if bill else report.chfid,
        stage=bill.stage if bill else None,
    )


async def open_case(
    tx: Transaction,
    entry: Entry,
    report: PaymentReport,
    kind: CaseKind,
    bill: Bill | None,
    now: datetime,
    *,
    payment_record_id: int | None = None,
    excess: Money | None = None,
    expected: Money | None = None,
) -> None:
    """Put a payment before a person. ``payment_record_id``: the tblPayment row on which the money stands meanwhile."""
    billed = bill.amount if bill else expected
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
                "provider_code": report.provider_code,
                "reference": report.reference,
                "receipt": report.receipt,
                "billed_minor": billed.amount_minor if billed else None,
                "paid_at": report.paid_at.isoformat(),
                "payment_record_id": payment_record_id,
                "excess_minor": excess.amount_minor if excess else None,
            },
        ),
        now,
    )
    if opened:
        tx.after_commit.append(CASES.labels(kind).inc)
        await tx.audit.add("gateway", "case.opened", f"payment:{report.reference}", now, kind=kind)
