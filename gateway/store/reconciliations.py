"""Statements and their lines, and each day's differences. The database does the matching, a set at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import case as either
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.reconcile import BESIDE, DECIDED, NOT_OURS, Became, Difference, Held, Kind, Tally
from gateway.ports.reconciliations import Day, JudgedLine, OtherRunError, StagedPart, Statement, Suspect
from gateway.ports.statements import DayOrder, StatementRow
from gateway.store import notices
from gateway.store.copying import copy_text, plain
from gateway.store.statements import insert_if_absent, locked
from gateway.store.tables import (
    bill,
    case,
    difference,
    entry,
    payment,
    reconciliation,
    statement,
    statement_fault,
    statement_line,
    statement_order,
)

_FEW = 500  # values in one IN list
_UNJUDGED = ""
# A literal: of a parameter a kept plan does not know that the partial index serves it.
_NEW: ColumnElement[str] = literal_column("'new'")
_LINES_BEFORE_NEXT = 1_000_000_000  # puts lines of several statements in one order
_PLACING = [kind for kind in CaseKind if kind not in BESIDE]
_JUDGE = (
    update(difference)
    .where(difference.c.id == bindparam("of_id"))
    .values(
        kind=bindparam("to_kind"),
        became=bindparam("to_became"),
        code=bindparam("to_code"),
        payment_id=bindparam("to_payment"),
        held_minor=bindparam("to_minor"),
        held_currency=bindparam("to_currency"),
        why=bindparam("to_why"),
    )
)


def _statement(row: Row[Any]) -> Statement:
    return Statement(
        id=row.id,
        provider=row.provider,
        day=row.day,
        provider_code=row.provider_code,
        request_id=row.request_id,
        inbox_id=row.inbox_id,
        digest=row.digest,
        file=row.file,
        size=row.size,
        usable=bool(row.usable),
        how=row.how,
        staged=bool(row.staged),
        position=row.position,
        lines=row.lines,
        total=Tally(row.lines, row.totals),
    )


def _day(row: Row[Any]) -> Day:
    return Day(
        row.id,
        row.provider,
        row.day,
        row.report,
        row.first_tried_at,
        row.closed_at,
        row.closed_by,
        row.closed_report,
    )


def _about(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _money(minor: int | None, currency: str | None) -> Money | None:
    return None if minor is None or currency is None else Money(minor, currency)


def _told_by_a_statement() -> ColumnElement[bool]:
    """Not a join: a database hashes the few statements there are, once."""
    return payment.c.inbox_id.in_(select(statement.c.inbox_id))


def _same_key(one: Any, other: Any) -> ColumnElement[bool]:
    return and_(one.c.reference == other.c.reference, one.c.control_number == other.c.control_number)


def _is_listed(statement_ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether a line of these statements has the payment's key."""
    of_day = statement_line.c.statement_id.in_(statement_ids)
    return select(statement_line.c.line).where(_same_key(statement_line, payment), of_day).exists()


class SqlReconciliations:
    """See ``gateway.ports.Reconciliations``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    # ---- what was asked for and what came

    async def add_order(self, provider: str, order: DayOrder, now: datetime) -> None:
        row = {
            "request_id": order.request_id,
            "provider": provider,
            "day": order.day,
            "provider_code": order.provider_code,
            "asked_at": now,
        }
        await self._db.execute(insert(statement_order), row)

    async def order(self, provider: str, request_id: str, lock: bool = False) -> DayOrder | None:
        found = select(statement_order).where(
            statement_order.c.request_id == request_id, statement_order.c.provider == provider
        )
        row = (await self._db.execute(locked(found, statement_order) if lock else found)).first()
        return DayOrder(row.day, row.provider_code, row.request_id) if row else None

    async def add_statement(self, new: Statement, now: datetime) -> bool:
        row = {
            "provider": new.provider,
            "day": new.day,
            "about": _about(new.day),
            "provider_code": new.provider_code,
            "request_id": new.request_id,
            "inbox_id": new.inbox_id,
            "digest": new.digest,
            "file": new.file,
            "size": new.size,
            "usable": int(new.usable),
            "how": dict(new.how),
            "taken_at": now,
            "staged": 0,
            "position": 0,
            "lines": 0,
            "totals": {},
        }
        return await insert_if_absent(self._db, statement, ("provider", "digest", "about"), [row]) == 1

    async def statement_of(self, provider: str, digest: str, day: date | None) -> Statement | None:
        found = select(statement).where(
            statement.c.provider == provider, statement.c.digest == digest, statement.c.about == _about(day)
        )
        row = (await self._db.execute(found)).first()
        return _statement(row) if row else None

    async def answers_to(self, provider: str, request_id: str) -> Sequence[Statement]:
        found = (
            select(statement)
            .where(statement.c.provider == provider, statement.c.request_id == request_id)
            .order_by(statement.c.id)
        )
        return [_statement(row) for row in await self._db.execute(found)]

    async def statements(self, provider: str, day: date) -> Sequence[Statement]:
        found = (
            select(statement)
            .where(statement.c.provider == provider, statement.c.day == day, statement.c.usable == 1)
            .order_by(statement.c.id)
        )
        newest = {row.provider_code: _statement(row) for row in await self._db.execute(found)}
        return sorted(newest.values(), key=lambda one: one.id)

    # ---- staging

    @property
    def encode(self) -> Callable[[int, Sequence[StatementRow]], Any]:
        return copy_text if self._db.dialect.name == "postgresql" else plain

    async def stage(self, of: Statement, part: StagedPart) -> None:
        if self._db.dialect.name == "postgresql":
            # what is lost with the server is staged again from the file, position and lines alike
            await self._db.execute(text("SET LOCAL synchronous_commit TO off"))
            await self._copy(part.payload)
        elif part.payload:
            names = [column.name for column in statement_line.c]
            rows = [dict(zip(names, row, strict=True)) for row in part.payload]
            await self._db.execute(insert(statement_line), rows)
        if part.faults:
            faults = [{"statement_id": of.id, "line": fault.line, "why": fault.why} for fault in part.faults]
            await self._db.execute(insert(statement_fault), faults)
        values = {"position": part.position, "lines": part.total.count, "totals": dict(part.total.minor)}
        here = (statement.c.id == of.id, statement.c.position == part.since, statement.c.staged == 0)
        if (await self._db.execute(update(statement).where(*here).values(values))).rowcount != 1:
            raise OtherRunError("another process is loading this statement: wait for it to end")

    async def _copy(self, payload: Sequence[bytes]) -> None:
        """On the transaction's own connection, which the driver has begun by now."""
        raw = await self._db.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.copy_to_table(
            statement_line.name,
            source=_chunks(payload),
            columns=[column.name for column in statement_line.c],
            format="text",
        )

    async def finish_staging(self, statement_id: int) -> None:
        await self._db.execute(update(statement).where(statement.c.id == statement_id).values(staged=1))
        if self._db.dialect.name == "postgresql":
            await self._db.execute(text(f"ANALYZE {statement_line.name}"))

    async def unstage(self, statement_ids: Sequence[int]) -> None:
        of_these = statement.c.id.in_(statement_ids)
        await self._db.execute(delete(statement_line).where(statement_line.c.statement_id.in_(statement_ids)))
        await self._db.execute(delete(statement_fault).where(statement_fault.c.statement_id.in_(statement_ids)))
        nothing: dict[str, Any] = {"staged": 0, "position": 0, "lines": 0, "totals": {}}
        await self._db.execute(update(statement).where(of_these).values(nothing))

    # ---- the day

    async def day(self, provider: str, day: date, lock: bool = False) -> Day | None:
        found = select(reconciliation).where(reconciliation.c.provider == provider, reconciliation.c.day == day)
        row = (await self._db.execute(locked(found, reconciliation) if lock else found)).first()
        return _day(row) if row else None

    async def begin(self, provider: str, day: date, runner: str) -> int:
        await insert_if_absent(self._db, reconciliation, ("provider", "day"), [{"provider": provider, "day": day}])
        known = await self.day(provider, day, lock=True)
        assert known is not None
        await self._db.execute(update(reconciliation).where(reconciliation.c.id == known.id).values(runner=runner))
        await self._db.execute(delete(difference).where(difference.c.reconciliation_id == known.id))
        return known.id

    async def hold(self, day_id: int, runner: str) -> None:
        held = select(reconciliation.c.runner).where(reconciliation.c.id == day_id)
        if await self._db.scalar(locked(held, reconciliation)) != runner:
            raise OtherRunError("another process began to reconcile this day meanwhile: its report is the day's")

    async def find_suspects(
        self, day_id: int, provider: str, paid_about: tuple[datetime, datetime], statement_ids: Sequence[int]
    ) -> None:
        line = statement_line
        of_day = line.c.statement_id.in_(statement_ids)
        place = line.c.statement_id * _LINES_BEFORE_NEXT + line.c.line
        twice = (
            select(line.c.reference, line.c.control_number, func.min(place).label("first"))
            .where(of_day)
            .group_by(line.c.reference, line.c.control_number)
            .having(func.count() > 1)
            .subquery("twice")
        )
        same = and_(
            _same_key(payment, line),
            payment.c.amount_minor == line.c.amount_minor,
            payment.c.currency == line.c.currency,
            payment.c.state.in_(DECIDED),
            ~_told_by_a_statement(),
            # or every payment there ever was would be joined; what is further off is a suspect, and found by its key
            payment.c.provider == provider,
            payment.c.paid_at >= paid_about[0],
            payment.c.paid_at < paid_about[1],
        )
        await self._as_sets()
        chosen: dict[str, Any] = {
            "reconciliation_id": literal(day_id),
            "statement_id": line.c.statement_id,
            "line": line.c.line,
            "kind": literal(_UNJUDGED),
            "became": literal(Became.PENDING.value),
            "reference": line.c.reference,
            "control_number": line.c.control_number,
            "amount_minor": line.c.amount_minor,
            "currency": line.c.currency,
            "repeats": either((twice.c.first < place, 1), else_=0),
            "at_byte": line.c.at_byte,
            "bytes": line.c.bytes,
            "why": literal(""),
        }
        found = (
            select(*(value.label(name) for name, value in chosen.items()))
            .select_from(line.outerjoin(payment, same).outerjoin(twice, _same_key(twice, line)))
            .where(of_day, or_(payment.c.id.is_(None), twice.c.first.is_not(None)))
            .order_by(line.c.statement_id, line.c.line)
        )
        await self._db.execute(insert(difference).from_select(list(chosen), found))

    async def _as_sets(self) -> None:
        """A million lines are joined in one pass over each side, rather than in parts on disk, or line by line where
        the planner takes a day whose statistics it does not have yet for a few rows."""
        if self._db.dialect.name == "postgresql":
            await self._db.execute(text("SET LOCAL work_mem TO '128MB'"))
            await self._db.execute(text("SET LOCAL enable_nestloop TO off"))

    async def suspects(self, day_id: int, after: int, limit: int) -> Sequence[Suspect]:
        subject = literal("payment:") + difference.c.reference + literal("/") + difference.c.control_number
        given = and_(entry.c.inbox_id == statement.c.inbox_id, entry.c.line == difference.c.line)
        found = (
            select(
                difference,
                payment.c.id.label("held_id"),
                payment.c.amount_minor.label("is_minor"),
                payment.c.currency.label("is_currency"),
                payment.c.state,
                payment.c.receipt,
                either((_told_by_a_statement(), 1), else_=0).label("from_statement"),
                case.c.kind.label("case_kind"),
                entry.c.line.label("booked_line"),
            )
            .select_from(
                difference.join(statement, statement.c.id == difference.c.statement_id)
                .outerjoin(payment, _same_key(payment, difference))
                .outerjoin(case, and_(case.c.subject == subject, case.c.kind.in_(_PLACING)))
                .outerjoin(entry, given)
            )
            .where(
                difference.c.reconciliation_id == day_id,
                difference.c.id > after,
                difference.c.became == Became.PENDING.value,
            )
            .order_by(difference.c.id)
            .limit(limit)
        )
        return [_suspect(row) for row in await self._db.execute(found)]

    async def same_number(
        self, suspect_ids: Sequence[int], statement_ids: Sequence[int]
    ) -> Mapping[int, Sequence[Held]]:
        found: dict[int, list[Held]] = {}
        for start in range(0, len(suspect_ids), _FEW):
            for row in await self._db.execute(_candidates(suspect_ids[start : start + _FEW], statement_ids)):
                found.setdefault(row.suspect_id, []).append(_held(row))
        return found

    async def judged(self, lines: Sequence[JudgedLine]) -> None:
        matched = [line.suspect.id for line in lines if line.judgement.kind == Kind.MATCHED]
        for start in range(0, len(matched), _FEW):
            gone = difference.c.id.in_(matched[start : start + _FEW])
            await self._db.execute(delete(difference).where(gone))
        rows = [
            {
                "of_id": line.suspect.id,
                "to_kind": line.judgement.kind.value,
                "to_became": line.judgement.became.value,
                "to_code": line.judgement.code,
                "to_payment": line.payment.id if line.payment else None,
                "to_minor": line.payment.amount.amount_minor if line.payment else None,
                "to_currency": line.payment.amount.currency if line.payment else None,
                "to_why": line.why,
            }
            for line in lines
            if line.judgement.kind != Kind.MATCHED
        ]
        if rows:
            await self._db.execute(_JUDGE, rows)

    async def book(self, of: Statement, reports: Sequence[tuple[int, PaymentReport]], now: datetime) -> int:
        rows = []
        for line, report in reports:
            kind, fields = notices.dump(report)
            rows.append(
                {
                    "inbox_id": of.inbox_id,
                    "line": line,
                    "provider": of.provider,
                    "kind": kind,
                    "notice": fields,
                    "state": EntryState.NEW,
                    "received_at": now,
                    "not_before": now,
                    "attempts": 0,
                    "note": "",
                    "updated_at": now,
                }
            )
        return await insert_if_absent(self._db, entry, ("inbox_id", "line"), rows) if rows else 0

    async def waiting(self, inbox_ids: Sequence[str]) -> int:
        new = select(func.count()).select_from(entry)
        return int(await self._db.scalar(new.where(entry.c.inbox_id.in_(inbox_ids), entry.c.state == _NEW)) or 0)

    async def find_missing_there(
        self,
        day_id: int,
        provider: str,
        between: tuple[datetime, datetime],
        statement_ids: Sequence[int],
        codes: Sequence[str | None] | None,
    ) -> None:
        await self._as_sets()
        taken = select(difference.c.payment_id).where(
            difference.c.reconciliation_id == day_id, difference.c.kind == Kind.OTHER_REFERENCE.value
        )
        chosen: dict[str, Any] = {
            "reconciliation_id": literal(day_id),
            "payment_id": payment.c.id,
            "kind": literal(Kind.MISSING_THERE.value),
            "became": literal(Became.ASK.value),
            "reference": payment.c.reference,
            "control_number": payment.c.control_number,
            "held_minor": payment.c.amount_minor,
            "held_currency": payment.c.currency,
            "repeats": literal(0),
            "why": literal(""),
        }
        columns = [value.label(name) for name, value in chosen.items()]
        listed = and_(_same_key(statement_line, payment), statement_line.c.statement_id.in_(statement_ids))
        found = (
            _of_day(select(*columns), provider, between, codes, unless=listed)
            .where(payment.c.id.not_in(taken))
            .order_by(payment.c.reference, payment.c.control_number)
        )
        await self._db.execute(insert(difference).from_select(list(chosen), found))

    async def find_faults(self, day_id: int, statement_ids: Sequence[int]) -> None:
        chosen: dict[str, Any] = {
            "reconciliation_id": literal(day_id),
            "statement_id": statement_fault.c.statement_id,
            "line": statement_fault.c.line,
            "kind": literal(Kind.UNREADABLE.value),
            "became": literal(Became.ASK.value),
            "reference": literal(""),
            "control_number": literal(""),
            "repeats": literal(0),
            "why": statement_fault.c.why,
        }
        found = (
            select(*(value.label(name) for name, value in chosen.items()))
            .where(statement_fault.c.statement_id.in_(statement_ids))
            .order_by(statement_fault.c.statement_id, statement_fault.c.line)
        )
        await self._db.execute(insert(difference).from_select(list(chosen), found))

    async def ours(
        self, provider: str, between: tuple[datetime, datetime], codes: Sequence[str | None] | None
    ) -> Tally:
        sums = select(payment.c.currency, func.count().label("n"), func.sum(payment.c.amount_minor).label("minor"))
        found = _of_day(sums, provider, between, codes).group_by(payment.c.currency)
        parts = [Tally(row.n, {row.currency: int(row.minor)}) for row in await self._db.execute(found)]
        return sum(parts, Tally())

    async def tallies(self, day_id: int) -> Mapping[str, Tally]:
        minor = func.coalesce(difference.c.amount_minor, difference.c.held_minor)
        currency = func.coalesce(difference.c.currency, difference.c.held_currency)
        found = (
            select(
                difference.c.kind, currency.label("currency"), func.count().label("n"), func.sum(minor).label("minor")
            )
            .where(difference.c.reconciliation_id == day_id)
            .group_by(difference.c.kind, currency)
        )
        kinds: dict[str, Tally] = {}
        for row in await self._db.execute(found):
            part = Tally(row.n, {row.currency: int(row.minor)} if row.currency is not None else {})
            kinds[row.kind] = kinds.get(row.kind, Tally()) + part
        return kinds

    async def differences(self, day_id: int, after: int, limit: int) -> Sequence[tuple[int, Difference]]:
        found = (
            select(difference)
            .where(difference.c.reconciliation_id == day_id, difference.c.id > after)
            .order_by(difference.c.id)
            .limit(limit)
        )
        return [(row.id, _difference(row)) for row in await self._db.execute(found)]

    async def finish(self, day_id: int, report: Mapping[str, Any], now: datetime | None) -> None:
        values = {"report": json.loads(json.dumps(report)), "ran_at": now}
        await self._db.execute(update(reconciliation).where(reconciliation.c.id == day_id).values(values))

    async def close(self, day_id: int, by: str, now: datetime) -> None:
        values = {"closed_at": now, "closed_by": by, "closed_report": reconciliation.c.report}
        await self._db.execute(update(reconciliation).where(reconciliation.c.id == day_id).values(values))

    async def claim(self, provider: str, day: date, now: datetime, until: datetime) -> bool:
        row = {"provider": provider, "day": day, "first_tried_at": now, "not_before": now}
        await insert_if_absent(self._db, reconciliation, ("provider", "day"), [row])
        r = reconciliation.c
        free = and_(r.ran_at.is_(None), or_(r.not_before.is_(None), r.not_before <= now))
        values = {"not_before": until, "first_tried_at": func.coalesce(r.first_tried_at, now)}
        return (
            await self._db.execute(
                update(reconciliation).where(r.provider == provider, r.day == day, free).values(values)
            )
        ).rowcount == 1

    async def release(self, provider: str, day: date, not_before: datetime) -> None:
        r = reconciliation.c
        await self._db.execute(
            update(reconciliation).where(r.provider == provider, r.day == day).values(not_before=not_before)
        )

    async def closed_days(self, limit: int) -> Sequence[Day]:
        found = (
            select(reconciliation)
            .where(reconciliation.c.closed_at.is_not(None))
            .order_by(reconciliation.c.day.desc(), reconciliation.c.provider)
            .limit(limit)
        )
        return [_day(row) for row in await self._db.execute(found)]

    async def late_payments(
        self, after: int, paid_before: datetime, limit: int
    ) -> Sequence[tuple[int, str, datetime, datetime]]:
        found = (
            select(payment.c.id, payment.c.provider, payment.c.paid_at, payment.c.first_seen_at)
            .where(payment.c.id > after, payment.c.paid_at < paid_before)
            .order_by(payment.c.id)
            .limit(limit)
        )
        return [(row.id, row.provider, row.paid_at, row.first_seen_at) for row in await self._db.execute(found)]

    async def last_good_day(self, provider: str) -> date | None:
        found = (
            select(reconciliation)
            .where(reconciliation.c.provider == provider, reconciliation.c.ran_at.is_not(None))
            .order_by(reconciliation.c.day.desc())
            .limit(400)
        )
        for row in await self._db.execute(found):
            if row.closed_at is not None or (row.report or {}).get("good"):
                day: date = row.day
                return day
        return None


async def _chunks(payload: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in payload:
        yield chunk


def _of_day(
    chosen: Select[Any],
    provider: str,
    between: tuple[datetime, datetime],
    codes: Sequence[str | None] | None,
    unless: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """Payments of the provider's day; of these service providers only, as their bills say.

    ``unless``: how a line of a statement may be joined; payments that have one are left out.
    """
    begins, ends = between
    source: FromClause = payment
    if codes is not None:
        of_code: ColumnElement[bool] = bill.c.provider_code.in_([code for code in codes if code is not None])
        if None in codes:
            of_code = or_(of_code, bill.c.provider_code.is_(None))
        source = source.join(bill, bill.c.id == payment.c.bill_id)
        chosen = chosen.where(of_code)
    if unless is not None:
        source = source.outerjoin(statement_line, unless)
        chosen = chosen.where(statement_line.c.line.is_(None))
    return chosen.select_from(source).where(
        payment.c.provider == provider,
        payment.c.paid_at >= begins,
        payment.c.paid_at < ends,
        payment.c.state != NOT_OURS.value,
    )


def _candidates(suspect_ids: Sequence[int], statement_ids: Sequence[int]) -> Select[Any]:
    taken = select(difference.c.payment_id).where(
        difference.c.kind == Kind.OTHER_REFERENCE.value, difference.c.payment_id == payment.c.id
    )
    of_this_day = taken.where(difference.c.statement_id.in_(statement_ids))  # another day may tell of it too
    suspect = difference.alias("suspect")
    return (
        select(
            suspect.c.id.label("suspect_id"),
            payment.c.id.label("held_id"),
            payment.c.reference,
            payment.c.control_number,
            payment.c.amount_minor.label("is_minor"),
            payment.c.currency.label("is_currency"),
            payment.c.state,
            payment.c.receipt,
            either((_told_by_a_statement(), 1), else_=0).label("from_statement"),
            literal(None).label("case_kind"),
        )
        .select_from(
            suspect.join(
                payment,
                and_(
                    payment.c.control_number == suspect.c.control_number,
                    payment.c.amount_minor == suspect.c.amount_minor,
                    payment.c.currency == suspect.c.currency,
                ),
            )
        )
        .where(
            suspect.c.id.in_(suspect_ids),
            payment.c.receipt.is_not(None),
            payment.c.state != NOT_OURS.value,
            ~_is_listed(statement_ids),
            ~of_this_day.exists(),
        )
        .order_by(suspect.c.id, payment.c.id)
    )


def _held(row: Row[Any]) -> Held:
    return Held(
        row.held_id,
        row.reference,
        row.control_number,
        Money(row.is_minor, row.is_currency),
        EntryState(row.state),
        row.receipt,
        bool(row.from_statement),
        CaseKind(row.case_kind) if row.case_kind else None,
    )


def _suspect(row: Row[Any]) -> Suspect:
    line = StatementRow(
        row.line, row.reference, row.control_number, row.amount_minor, row.currency, row.at_byte, row.bytes
    )
    held = _held(row) if row.held_id is not None else None
    return Suspect(row.id, row.statement_id, line, bool(row.repeats), held, row.booked_line is not None)


def _difference(row: Row[Any]) -> Difference:
    return Difference(
        Kind(row.kind) if row.kind else Kind.MISSING_HERE,
        Became(row.became),
        row.reference,
        row.control_number,
        _money(row.amount_minor, row.currency),
        _money(row.held_minor, row.held_currency),
        row.code,
        row.line,
        row.why,
    )
