"""What peers told us: immutable evidence, the mutable state of each entry, and the one row of each payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, literal, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.family_payment import HeldMoney
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.ports import (
    Entry,
    EntryMark,
    Evidence,
    KnownPayment,
    Notice,
    PaymentClaim,
    PaymentMark,
    SentPayment,
    Verdict,
)
from gateway.store import notices
from gateway.store.statements import any_exists, insert_absent, insert_if_absent, locked, padded
from gateway.store.tables import bill, case, entry, inbox, payment

# A literal: of a parameter a kept plan does not know that the partial index serves it.
_NEW: ColumnElement[str] = literal_column("'new'")
_NOTICE: ColumnElement[str] = literal_column("'notice'")

_RECEIPT_WIDTH = 100  # gw_payment.receipt
# Made once: each payment runs them.
_MARK_ENTRY = update(entry).where(entry.c.inbox_id == bindparam("of_inbox"), entry.c.line == bindparam("of_line"))
_MARK_PAYMENT = update(payment).where(
    payment.c.reference == bindparam("of_reference"), payment.c.control_number == bindparam("of_number")
)
_KNOWN_PAYMENTS = select(
    payment.c.reference, payment.c.control_number, payment.c.id, payment.c.digest, payment.c.state
).where(payment.c.control_number.in_(bindparam("numbers", expanding=True)))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.inbox_id,
        row.line,
        row.provider,
        row.kind,
        notices.load(row.kind, row.notice),
        EntryState(row.state),
        row.received_at,
        row.attempts,
    )


def _fitting(text: str | None, width: int) -> str | None:
    """Evidence cut to the width of its column, as SQL Server counts it: a long receipt must not stop a payment."""
    return None if text is None else text.encode("utf-16-le")[: 2 * width].decode("utf-16-le", "ignore")


def _evidence_row(evidence: Evidence) -> dict[str, Any]:
    return {
        "id": evidence.id,
        "provider": evidence.provider,
        "route": evidence.route,
        "received_at": evidence.received_at,
        "body": evidence.body,
        "size": evidence.size,
        "headers": dict(evidence.headers),
        "digest": evidence.digest,
        "verdict": evidence.verdict,
        "why": evidence.why,
        "message_id": evidence.message_id,
        "reply_status": evidence.reply_status,
    }


def _evidence(row: Row[Any]) -> Evidence:
    fields = dict(row._mapping)
    return Evidence(**{**fields, "body": bytes(row.body), "verdict": Verdict(row.verdict)})


def _entry_rows(evidence: Evidence, noticed: Sequence[Notice]) -> list[dict[str, Any]]:
    rows = []
    for line, notice in enumerate(noticed):
        kind, fields = notices.dump(notice)
        rows.append(
            {
                "inbox_id": evidence.id,
                "line": line,
                "provider": evidence.provider,
                "kind": kind,
                "notice": fields,
                "state": EntryState.NEW,
                "received_at": evidence.received_at,
                "not_before": evidence.received_at,
                "attempts": 0,
                "note": "",
                "updated_at": evidence.received_at,
            }
        )
    return rows


def _payment_row(claim: PaymentClaim, now: datetime) -> dict[str, Any]:
    report = claim.report
    return {
        "reference": report.reference,
        "control_number": report.control_number,
        "digest": report.digest,
        "provider": claim.provider,
        "amount_minor": report.amount.amount_minor,
        "currency": report.amount.currency,
        "paid_at": report.paid_at,
        "receipt": _fitting(report.receipt, _RECEIPT_WIDTH),
        "state": EntryState.NEW,
        "inbox_id": claim.inbox_id,
        "first_seen_at": now,
        "updated_at": now,
    }


def _is_due(now: datetime) -> ColumnElement[bool]:
    """New, and of a kind that we know: a newer release's kinds are left to its processes."""
    return and_(entry.c.state == _NEW, entry.c.not_before <= now, entry.c.kind.in_(notices.KINDS))


class SqlInbox:
    """See ``gateway.ports.Inbox``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def keep(self, evidence: Evidence, noticed: Sequence[Notice]) -> None:
        await self.keep_all([(evidence, noticed)])

    async def keep_all(self, messages: Sequence[tuple[Evidence, Sequence[Notice]]]) -> None:
        await self._db.execute(inbox.insert(), [_evidence_row(evidence) for evidence, _ in messages])
        entries = [row for evidence, noticed in messages for row in _entry_rows(evidence, noticed)]
        if entries:
            await self._db.execute(entry.insert(), entries)

    async def due(self, now: datetime) -> bool:
        new = select(entry.c.line).where(_is_due(now))
        return bool(await self._db.scalar(any_exists(new.exists())))

    async def claim_new(self, limit: int, now: datetime) -> Sequence[Entry]:
        statement = select(entry).where(_is_due(now)).order_by(entry.c.not_before).limit(limit)
        return [_entry(row) for row in await self._db.execute(locked(statement, entry, skip_locked=True))]

    async def mark(
        self, marked: Entry, state: EntryState, now: datetime, bill_id: str | None = None, note: str = ""
    ) -> None:
        await self.mark_all([EntryMark(marked, state, bill_id, note)], now)

    async def mark_all(self, marks: Sequence[EntryMark], now: datetime) -> None:
        rows = [
            {
                "of_inbox": mark.entry.inbox_id,
                "of_line": mark.entry.line,
                "state": mark.state,
                "bill_id": mark.bill_id,
                "note": mark.note,
                "updated_at": now,
            }
            for mark in marks
        ]
        await self._db.execute(_MARK_ENTRY, rows)

    async def postpone(self, failed: Entry, not_before: datetime, now: datetime, note: str) -> None:
        await self._db.execute(
            update(entry)
            .where(entry.c.inbox_id == failed.inbox_id, entry.c.line == failed.line, entry.c.state == EntryState.NEW)
            .values(not_before=not_before, attempts=entry.c.attempts + 1, note=note, updated_at=now)
        )

    async def entries_of(self, inbox_id: str) -> Sequence[Entry]:
        statement = select(entry).where(entry.c.inbox_id == inbox_id).order_by(entry.c.line)
        return [_entry(row) for row in await self._db.execute(statement)]

    async def evidence(self, inbox_id: str) -> Evidence | None:
        row = (await self._db.execute(select(inbox).where(inbox.c.id == inbox_id))).first()
        return _evidence(row) if row else None

    async def refused(self, since: datetime, after: tuple[datetime, str] | None, limit: int) -> Sequence[Evidence]:
        readable = inbox.c.verdict.not_in((Verdict.GENUINE, Verdict.TOO_LARGE))
        taken_up = select(entry.c.line).where(entry.c.inbox_id == inbox.c.id).exists()
        statement = select(inbox).where(inbox.c.received_at >= since, readable, ~taken_up)
        if after is not None:
            at, inbox_id = after
            later = or_(inbox.c.received_at > at, and_(inbox.c.received_at == at, inbox.c.id > inbox_id))
            statement = statement.where(later)
        statement = statement.order_by(inbox.c.received_at, inbox.c.id).limit(limit)
        return [_evidence(row) for row in await self._db.execute(statement)]

    async def add_entries(self, evidence: Evidence, noticed: Sequence[Notice], now: datetime) -> int:
        rows = [row | {"not_before": now, "updated_at": now} for row in _entry_rows(evidence, noticed)]
        return await insert_if_absent(self._db, entry, ("inbox_id", "line"), rows) if rows else 0

    async def claim(self, inbox_id: str, line: int) -> Entry | None:
        statement = select(entry).where(entry.c.inbox_id == inbox_id, entry.c.line == line, entry.c.state == _NEW)
        row = (await self._db.execute(locked(statement, entry))).first()
        return _entry(row) if row else None


_AS_REPORTED = (payment.c.reference, payment.c.paid_at, payment.c.first_seen_at)


class SqlPayments:
    """See ``gateway.ports.Payments``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def first_report(
        self, provider: str, report: PaymentReport, inbox_id: str, now: datetime
    ) -> KnownPayment | None:
        return (await self.first_reports([PaymentClaim(provider, report, inbox_id)], now))[0]

    async def first_reports(self, claims: Sequence[PaymentClaim], now: datetime) -> Sequence[KnownPayment | None]:
        keys = [claim.report.key for claim in claims]
        assert len(set(keys)) == len(keys), "of twins among them neither would be the first"
        rows = [_payment_row(claim, now) for claim in sorted(claims, key=lambda claim: claim.report.key)]
        # A twin in another transaction is waited for here, so the loser sees the winner's row below. In one order, so
        # that two who claim several keys wait one way only.
        new = await insert_absent(self._db, payment, ("reference", "control_number"), rows)
        known = await self._known([key for key in keys if key not in new])
        return [None if key in new else known[key] for key in keys]

    async def _known(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], KnownPayment]:
        if not keys:
            return {}
        rows = await self._db.execute(_KNOWN_PAYMENTS, {"numbers": padded([number for _, number in keys])})
        return {(r.reference, r.control_number): KnownPayment(r.id, r.digest, EntryState(r.state)) for r in rows}

    async def receipt_is_held(self, report: PaymentReport) -> bool:
        if not report.receipt:
            return False
        same = select(payment.c.id).where(
            payment.c.control_number == report.control_number,
            payment.c.receipt == report.receipt,
            payment.c.amount_minor == report.amount.amount_minor,
            payment.c.currency == report.amount.currency,
            payment.c.reference != report.reference,
        )
        return bool(await self._db.scalar(any_exists(same.exists())))

    async def mark(
        self, report: PaymentReport, state: EntryState, bill_id: str | None, premium_id: int | None, now: datetime
    ) -> None:
        await self.mark_all([PaymentMark(report, state, bill_id, premium_id)], now)

    async def mark_all(self, marks: Sequence[PaymentMark], now: datetime) -> None:
        rows = [
            {
                "of_reference": mark.report.reference,
                "of_number": mark.report.control_number,
                "state": mark.state,
                "bill_id": mark.bill_id,
                "premium_id": mark.premium_id,
                "updated_at": now,
            }
            for mark in marks
        ]
        await self._db.execute(_MARK_PAYMENT, rows)

    async def came_elsewhere(self, bill_id: str, issuer: str) -> bool:
        other = select(payment.c.id).where(payment.c.bill_id == bill_id, payment.c.provider != issuer)
        return bool(await self._db.scalar(any_exists(other.exists())))

    async def held_for(self, family_id: int, limit: int) -> Sequence[HeldMoney]:
        statement = (
            select(payment.c.amount_minor, payment.c.currency, *_AS_REPORTED)
            .join(bill, bill.c.id == payment.c.bill_id)
            .where(bill.c.family_id == family_id, payment.c.state.in_((EntryState.CASE, EntryState.HELD)))
            .order_by(payment.c.first_seen_at.desc(), payment.c.id.desc())
            .limit(limit)
        )
        rows = await self._db.execute(statement)
        return [HeldMoney(Money(minor, currency), *reported) for minor, currency, *reported in rows]

    async def sent_by(self, provider: str, reference: str) -> SentPayment | None:
        # by the case's subject, whose unique key begins with the kind; a payment has one case, or two: the first
        of_it = and_(
            case.c.kind.in_(list(CaseKind)),
            case.c.subject == literal("payment:") + payment.c.reference + "/" + payment.c.control_number,
        )
        statement = (
            select(payment, case.c.kind.label("case_kind"))
            .outerjoin(case, of_it)
            .where(payment.c.reference == reference, payment.c.provider == provider)
            .order_by(payment.c.id, case.c.id)
            .limit(1)
        )
        row = (await self._db.execute(statement)).first()
        if row is not None:
            kind = CaseKind(row.case_kind) if row.case_kind else None
            amount = Money(row.amount_minor, row.currency)
            return SentPayment(EntryState(row.state), row.control_number, amount, row.paid_at, kind)
        kept = select(inbox.c.id).where(
            inbox.c.message_id == reference,
            inbox.c.route == _NOTICE,
            inbox.c.provider == provider,
            inbox.c.verdict == Verdict.GENUINE,
        )
        return SentPayment(EntryState.NEW) if await self._db.scalar(any_exists(kept.exists())) else None
