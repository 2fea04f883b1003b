"""The steps of settling that are gathered from entries settled side by side, each with its bulk form in the store.

What is not gathered, because it is rare, is asked one after the other on the same connection. Locks come in one order:
payment keys, then families, then bills, and of each kind the lesser first (the store sees to that). So of two workers
whose batches overlap one waits for the other, and neither for both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, cast

from gateway.domain.bill import Bill, BillFact
from gateway.domain.effects import Effect
from gateway.domain.payments import EntryState, PaymentReport
from gateway.domain.policy import NewPolicy, NewPremium, Policy
from gateway.domain.settlement import Activation
from gateway.domain.upkeep import PolicyEvent
from gateway.ports import (
    BillChange,
    Deed,
    Entry,
    EntryMark,
    PaymentClaim,
    PaymentMark,
    PaymentReceived,
    Transaction,
)
from gateway.service.side_by_side import Asked, SideBySide, Step

T = TypeVar("T")


async def together(tx: Transaction, works: Sequence[Callable[[Transaction], Coroutine[Any, Any, T]]]) -> list[T]:
    """Run pieces of work, each written for a transaction of its own, side by side in this one; what they returned.

    They must be about different families, bills and payments. NotApartError where two of them are not after all.
    """
    lane = cast(Transaction, _Gathered(tx))
    return await SideBySide[T](tx, _ORDER).run([work(lane) for work in works])


def _now(moments: Sequence[datetime]) -> datetime:
    assert all(moment == moments[0] for moment in moments), "one batch, one moment"
    return moments[0]


# -------------------------------------------------------------------------------------------- what is asked at once


async def _first_reports(tx: Transaction, asked: Sequence[tuple[PaymentClaim, datetime]]) -> Sequence[Any]:
    return await tx.payments.first_reports([claim for claim, _ in asked], _now([now for _, now in asked]))


async def _bills_by_number(tx: Transaction, numbers: Sequence[str]) -> Sequence[Any]:
    found = await tx.bills.by_control_numbers(numbers)
    return [found.get(number) for number in numbers]


async def _pooled(tx: Transaction, numbers: Sequence[str]) -> Sequence[Any]:
    found = await tx.pool.by_control_numbers(numbers)
    return [found.get(number) for number in numbers]


async def _bills_by_id(tx: Transaction, bill_ids: Sequence[str]) -> Sequence[Any]:
    found = await tx.bills.by_ids(bill_ids)
    return [found.get(bill_id) for bill_id in bill_ids]


async def _locked_families(tx: Transaction, family_ids: Sequence[int]) -> Sequence[Any]:
    held = await tx.registry.lock_families(family_ids)
    return [family_id in held for family_id in family_ids]


async def _locked_bills(tx: Transaction, bill_ids: Sequence[str]) -> Sequence[Any]:
    found = await tx.bills.by_ids(bill_ids, lock=True)
    return [found.get(bill_id) for bill_id in bill_ids]


async def _products(tx: Transaction, asked: Sequence[None]) -> Sequence[Any]:
    return [await tx.registry.products() for _ in asked]


async def _families(tx: Transaction, family_ids: Sequence[int]) -> Sequence[Any]:
    found = await tx.registry.families(family_ids)
    return [found.get(family_id) for family_id in family_ids]


async def _policies(tx: Transaction, family_ids: Sequence[int]) -> Sequence[Any]:
    of: dict[int, list[Policy]] = {family_id: [] for family_id in family_ids}
    for policy in await tx.registry.policies_of(list(of)):
        of[policy.family_id].append(policy)
    return [tuple(of[family_id]) for family_id in family_ids]


async def _officers(tx: Transaction, asked: Sequence[tuple[Sequence[int], datetime]]) -> Sequence[Any]:
    return [await tx.registry.officer_near(places, now) for places, now in asked]


async def _receipts(tx: Transaction, asked: Sequence[tuple[int, str]]) -> Sequence[Any]:
    used = await tx.registry.receipts_used(asked)
    return [receipt in used for receipt in asked]


async def _activation_options(tx: Transaction, asked: Sequence[None]) -> Sequence[Any]:
    return [await tx.registry.activation_option() for _ in asked]


async def _new_policies(tx: Transaction, asked: Sequence[tuple[NewPolicy, datetime]]) -> Sequence[Any]:
    return await tx.registry.add_policies([policy for policy, _ in asked], _now([now for _, now in asked]))


async def _new_premiums(tx: Transaction, asked: Sequence[tuple[int, NewPremium, datetime]]) -> Sequence[Any]:
    now = _now([now for _, _, now in asked])
    return await tx.registry.add_premiums([(policy_id, premium) for policy_id, premium, _ in asked], now)


async def _activations(tx: Transaction, asked: Sequence[tuple[int, Activation]]) -> Sequence[Any]:
    await tx.registry.activate_all(asked)
    return [None] * len(asked)


async def _notices(tx: Transaction, asked: Sequence[tuple[Sequence[PolicyEvent], datetime]]) -> Sequence[Any]:
    return await tx.follow.notice_each([events for events, _ in asked], _now([now for _, now in asked]))


async def _closed_prompts(tx: Transaction, asked: Sequence[tuple[int, datetime]]) -> Sequence[Any]:
    await tx.registry.close_prompts_of([policy_id for policy_id, _ in asked], _now([now for _, now in asked]))
    return [None] * len(asked)


async def _numbers_given(tx: Transaction, asked: Sequence[tuple[int, str, datetime]]) -> Sequence[Any]:
    now = _now([now for _, _, now in asked])
    await tx.registry.numbers_given([(payment_id, number) for payment_id, number, _ in asked], now)
    return [None] * len(asked)


async def _payments_received(tx: Transaction, asked: Sequence[tuple[int, PaymentReceived, datetime]]) -> Sequence[Any]:
    now = _now([now for _, _, now in asked])
    await tx.registry.payments_received([(payment_id, received) for payment_id, received, _ in asked], now)
    return [None] * len(asked)


async def _part_paid(tx: Transaction, covers: Sequence[tuple[int, int]]) -> Sequence[Any]:
    found = await tx.bills.part_paid_records_of(covers)
    return [found.get(cover, ()) for cover in covers]


async def _records(tx: Transaction, asked: Sequence[tuple[BillChange, datetime]]) -> Sequence[Any]:
    return await tx.bills.record_all([change for change, _ in asked], _now([now for _, now in asked]))


async def _requesters(tx: Transaction, bill_ids: Sequence[str]) -> Sequence[Any]:
    found = await tx.bills.requesters_of(bill_ids)
    return [found.get(bill_id, ()) for bill_id in bill_ids]


async def _languages(tx: Transaction, asked: Sequence[Sequence[str]]) -> Sequence[Any]:
    found = await tx.callers.languages(sorted({msisdn for msisdns in asked for msisdn in msisdns}))
    return [{msisdn: found[msisdn] for msisdn in msisdns if msisdn in found} for msisdns in asked]


async def _disowned(tx: Transaction, asked: Sequence[Collection[tuple[str, int]]]) -> Sequence[Any]:
    found = await tx.callers.disowned({pair for pairs in asked for pair in pairs})
    return [[pair for pair in pairs if pair in found] for pairs in asked]


async def _effects(tx: Transaction, asked: Sequence[tuple[Sequence[Effect], datetime]]) -> Sequence[Any]:
    return await tx.outbox.put_each([effects for effects, _ in asked], _now([now for _, now in asked]))


async def _payment_marks(tx: Transaction, asked: Sequence[tuple[PaymentMark, datetime]]) -> Sequence[Any]:
    await tx.payments.mark_all([mark for mark, _ in asked], _now([now for _, now in asked]))
    return [None] * len(asked)


async def _entry_marks(tx: Transaction, asked: Sequence[tuple[EntryMark, datetime]]) -> Sequence[Any]:
    await tx.inbox.mark_all([mark for mark, _ in asked], _now([now for _, now in asked]))
    return [None] * len(asked)


async def _deeds(tx: Transaction, asked: Sequence[tuple[Deed, datetime]]) -> Sequence[Any]:
    await tx.audit.add_all([deed for deed, _ in asked], _now([now for _, now in asked]))
    return [None] * len(asked)


# ---------------------------------------------------------------------------- in the order in which settling takes them

FIRST_REPORT = Step("payments.first_report", _first_reports, alone=True)
BILL_BY_NUMBER = Step("bills.by_control_number", _bills_by_number)
POOLED = Step("pool.by_control_number", _pooled)
BILL_BY_ID = Step("bills.by_id", _bills_by_id)
LOCK_FAMILY = Step("registry.lock_family", _locked_families, alone=True)
LOCK_BILL = Step("bills.by_id, locked", _locked_bills, alone=True)
PRODUCTS = Step("registry.products", _products, alike=True)
# Nobody here writes families: one that was read is as it was read until the end.
FAMILY = Step("registry.family", _families, alike=True)
POLICIES = Step("registry.policies", _policies)
OFFICER = Step("registry.officer_near", _officers, alike=True)
RECEIPT = Step("registry.receipt_is_used", _receipts)
ACTIVATION_OPTION = Step("registry.activation_option", _activation_options, alike=True)
ADD_POLICY = Step("registry.add_policy", _new_policies)
ADD_PREMIUM = Step("registry.add_premium", _new_premiums)
ACTIVATE = Step("registry.activate", _activations)
NOTICE = Step("follow.notice", _notices)
CLOSE_PROMPTS = Step("registry.close_renewal_prompts", _closed_prompts)
RECEIVED = Step("registry.payment_received", _payments_received)
PART_PAID = Step("bills.part_paid_records", _part_paid)
RECORD = Step("bills.record", _records)
NUMBER_GIVEN = Step("registry.number_given", _numbers_given)
REQUESTERS = Step("bills.requesters", _requesters)
DISOWNED = Step("callers.disowned", _disowned)
LANGUAGES = Step("callers.languages", _languages)
PUT = Step("outbox.put", _effects)
MARK_PAYMENT = Step("payments.mark", _payment_marks)
MARK_ENTRY = Step("inbox.mark", _entry_marks)
AUDIT = Step("audit.add", _deeds)

_ORDER = (
    FIRST_REPORT,
    BILL_BY_NUMBER,
    POOLED,
    BILL_BY_ID,
    LOCK_FAMILY,
    LOCK_BILL,
    PRODUCTS,
    FAMILY,
    POLICIES,
    OFFICER,
    RECEIPT,
    ACTIVATION_OPTION,
    ADD_POLICY,
    ADD_PREMIUM,
    ACTIVATE,
    NOTICE,
    CLOSE_PROMPTS,
    RECEIVED,
    PART_PAID,
    RECORD,
    NUMBER_GIVEN,
    REQUESTERS,
    DISOWNED,
    LANGUAGES,
    PUT,
    MARK_PAYMENT,
    MARK_ENTRY,
    AUDIT,
)


# ------------------------------------------------------------------------------------------ the transaction of a lane


@cache
def _one_by_one(repository: str, method: str) -> Step:
    async def ask(tx: Transaction, asked: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> Sequence[Any]:
        call = getattr(getattr(tx, repository), method)
        return [await call(*args, **kwargs) for args, kwargs in asked]

    return Step(f"{repository}.{method}", ask)


class _Repository:
    """What is not gathered."""

    _name: str

    def __getattr__(self, method: str) -> Callable[..., Asked]:
        step = _one_by_one(self._name, method)
        return lambda *args, **kwargs: Asked(step, (args, kwargs))


class _Payments(_Repository):
    _name = "payments"

    def first_report(self, provider: str, report: PaymentReport, inbox_id: str, now: datetime) -> Asked:
        return Asked(FIRST_REPORT, (PaymentClaim(provider, report, inbox_id), now), report.key)

    def mark(
        self, report: PaymentReport, state: EntryState, bill_id: str | None, premium_id: int | None, now: datetime
    ) -> Asked:
        return Asked(MARK_PAYMENT, (PaymentMark(report, state, bill_id, premium_id), now))


class _Inbox(_Repository):
    _name = "inbox"

    def mark(
        self, marked: Entry, state: EntryState, now: datetime, bill_id: str | None = None, note: str = ""
    ) -> Asked:
        return Asked(MARK_ENTRY, (EntryMark(marked, state, bill_id, note), now))


class _Bills(_Repository):
    _name = "bills"

    def by_id(self, bill_id: str, lock: bool = False) -> Asked:
        return Asked(LOCK_BILL if lock else BILL_BY_ID, bill_id, bill_id)

    def by_control_number(self, number: str, lock: bool = False) -> Asked:
        if lock:  # of the bill that a number moves from: rare, and the family's lock is held
            return Asked(_one_by_one(self._name, "by_control_number"), ((number,), {"lock": True}))
        return Asked(BILL_BY_NUMBER, number)

    def part_paid_records(self, family_id: int, product_id: int) -> Asked:
        return Asked(PART_PAID, (family_id, product_id))

    def record(self, known: Bill, fact: BillFact, now: datetime, **details: Any) -> Asked:
        return Asked(RECORD, (BillChange(known, fact, details), now))

    def requesters(self, bill_id: str) -> Asked:
        return Asked(REQUESTERS, bill_id)


class _Registry(_Repository):
    _name = "registry"

    def products(self) -> Asked:
        return Asked(PRODUCTS, None)

    def activation_option(self) -> Asked:
        return Asked(ACTIVATION_OPTION, None)

    def lock_family(self, family_id: int) -> Asked:
        return Asked(LOCK_FAMILY, family_id, family_id)

    def family(self, family_id: int) -> Asked:
        return Asked(FAMILY, family_id, family_id)

    def policies(self, family_id: int) -> Asked:
        return Asked(POLICIES, family_id)

    def officer_near(self, location_ids: Sequence[int], now: datetime) -> Asked:
        return Asked(OFFICER, (location_ids, now), tuple(location_ids))

    def receipt_is_used(self, product_id: int, receipt: str) -> Asked:
        return Asked(RECEIPT, (product_id, receipt))

    def add_policy(self, policy: NewPolicy, now: datetime) -> Asked:
        return Asked(ADD_POLICY, (policy, now))

    def add_premium(self, policy_id: int, premium: NewPremium, now: datetime) -> Asked:
        return Asked(ADD_PREMIUM, (policy_id, premium, now))

    def activate(self, policy_id: int, activation: Activation) -> Asked:
        return Asked(ACTIVATE, (policy_id, activation))

    def close_renewal_prompts(self, policy_id: int, now: datetime) -> Asked:
        return Asked(CLOSE_PROMPTS, (policy_id, now))

    def number_given(self, payment_id: int, control_number: str, now: datetime) -> Asked:
        return Asked(NUMBER_GIVEN, (payment_id, control_number, now))

    def payment_received(self, payment_id: int, received: PaymentReceived, now: datetime) -> Asked:
        return Asked(RECEIVED, (payment_id, received, now))


class _Callers(_Repository):
    _name = "callers"

    def languages(self, msisdns: Sequence[str]) -> Asked:
        return Asked(LANGUAGES, msisdns)

    def disowned(self, asked: Collection[tuple[str, int]]) -> Asked:
        return Asked(DISOWNED, asked)


class _Outbox(_Repository):
    _name = "outbox"

    def put(self, effects: Sequence[Effect], now: datetime) -> Asked:
        return Asked(PUT, (effects, now))


class _Follow(_Repository):
    _name = "follow"

    def notice(self, events: Sequence[PolicyEvent], now: datetime) -> Asked:
        return Asked(NOTICE, (events, now))


class _Audit(_Repository):
    _name = "audit"

    def add(self, actor: str, action: str, subject: str, now: datetime, **details: Any) -> Asked:
        return Asked(AUDIT, (Deed(actor, action, subject, details), now))


class _Cases(_Repository):
    _name = "cases"


class _Reconciliations(_Repository):
    _name = "reconciliations"


class _Screens(_Repository):
    _name = "screens"


class _Retention(_Repository):
    _name = "retention"


class _Pool(_Repository):
    _name = "pool"

    def by_control_number(self, number: str, lock: bool = False) -> Asked:
        if lock:
            return Asked(_one_by_one(self._name, "by_control_number"), ((number,), {"lock": True}))
        return Asked(POOLED, number)


class _Gathered:
    """``gateway.ports.Transaction`` as a lane sees it."""

    def __init__(self, tx: Transaction) -> None:
        self.after_commit = tx.after_commit
        self.registry, self.bills, self.inbox, self.payments = _Registry(), _Bills(), _Inbox(), _Payments()
        self.outbox, self.cases, self.audit, self.callers = _Outbox(), _Cases(), _Audit(), _Callers()
        self.follow, self.reconciliations, self.pool = _Follow(), _Reconciliations(), _Pool()
        self.screens, self.retention = _Screens(), _Retention()
