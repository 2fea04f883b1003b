"""Taking away what is past its time, as ``gateway.domain.retention`` says: found by key, then taken in small batches.

What is due is asked once more in the statement that takes it: a row on which work began meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, String, Table, and_, cast, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gateway.domain.bill import BillState
from gateway.domain.cases import CaseState
from gateway.domain.effects import AnswerBySms, SendSms
from gateway.domain.payments import CaseKind, EntryState
from gateway.ports import Verdict
from gateway.store.tables import (
    audit,
    bill,
    bill_requester,
    caller,
    case,
    entry,
    inbox,
    miss,
    outbox,
    statement,
    statement_fault,
    watermark,
)
from gateway.store.types import Prose

_PREFIX = "bill:"  # of an effect's aggregate
_PAYABLE = (BillState.CREATED, BillState.SUBMITTED, BillState.NUMBERED)


class _Ours(FunctionElement[str]):
    """A part of others' text, to be compared with what we make up ourselves: SQL Server compares one way at a time."""

    inherit_cache = True


@compiles(_Ours)
def _as_it_is(element: _Ours, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)}"


@compiles(_Ours, "mssql")
def _as_the_database_compares(element: _Ours, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} COLLATE DATABASE_DEFAULT"


def _texts(before: datetime) -> ColumnElement[bool]:
    about = _Ours(func.substring(outbox.c.aggregate, len(_PREFIX) + 1, 40))
    living = select(bill.c.id).where(
        outbox.c.aggregate.startswith(_PREFIX), bill.c.id == about, bill.c.expires_at >= before
    )
    seen_to = select(case.c.id).where(
        case.c.kind == CaseKind.EFFECT_HELD,
        case.c.subject == literal("outbox:") + cast(outbox.c.id, String(20)),
        _closed(before),
    )
    sent = and_(outbox.c.state == "done", outbox.c.done_at < before)
    given_up = and_(outbox.c.state == "held", seen_to.exists())
    return and_(outbox.c.kind.in_((SendSms.kind, AnswerBySms.kind)), or_(sent, given_up), ~living.exists())


def _askers(before: datetime) -> ColumnElement[bool]:
    over = select(bill.c.id).where(
        bill.c.id == bill_requester.c.bill_id, bill.c.expires_at < before, bill.c.state.not_in(_PAYABLE)
    )
    return over.exists()


def _open_case(key: ColumnElement[Any], of: Column[Any]) -> ColumnElement[bool]:
    return select(case.c.id).where(of == key, case.c.state != CaseState.CLOSED).exists()


def _believed() -> ColumnElement[bool]:
    taken_up = select(entry.c.line).where(entry.c.inbox_id == inbox.c.id).exists()
    return or_(inbox.c.verdict == Verdict.GENUINE, taken_up)


def _refused(before: datetime) -> ColumnElement[bool]:
    return and_(inbox.c.received_at < before, ~_believed(), ~_open_case(inbox.c.id, case.c.inbox_id))


def _evidence(before: datetime) -> ColumnElement[bool]:
    """Money that is not placed, or held, has a case that is not closed."""
    waiting = select(entry.c.line).where(entry.c.inbox_id == inbox.c.id, entry.c.state == EntryState.NEW).exists()
    return and_(inbox.c.received_at < before, _believed(), ~waiting, ~_open_case(inbox.c.id, case.c.inbox_id))


def _bills(before: datetime) -> ColumnElement[bool]:
    return and_(
        bill.c.expires_at < before,
        bill.c.state.not_in(_PAYABLE),
        or_(bill.c.chfid != "", bill.c.payer_name != ""),
        ~_open_case(bill.c.id, case.c.bill_id),
    )


def _closed(before: datetime) -> ColumnElement[bool]:
    return and_(case.c.state == CaseState.CLOSED, case.c.closed_at < before)


def _reports(before: datetime) -> ColumnElement[bool]:
    return and_(_closed(before), case.c.kind == CaseKind.PHONE_REPORTED)


def _cases(before: datetime) -> ColumnElement[bool]:
    told = or_(cast(case.c.details, Prose) != literal("{}", Prose), case.c.note.is_not(None))
    return and_(_closed(before), case.c.kind != CaseKind.PHONE_REPORTED, told)


def _statements(before: datetime) -> ColumnElement[bool]:
    again = statement.alias("again")  # one content, brought for another day: one file
    younger = select(again.c.id).where(again.c.file == statement.c.file, again.c.taken_at >= before).exists()
    return and_(statement.c.taken_at < before, statement.c.file != "", ~younger)


@dataclass(frozen=True, slots=True)
class Step:
    """How a rule is carried out. ``first``: columns that name the key in tables whose rows go before; ``blank``: what
    the personal columns hold afterwards, where the row stays."""

    key: Column[Any]
    due: Callable[[datetime], ColumnElement[bool]]
    first: tuple[Column[Any], ...] = ()
    blank: Mapping[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """The rule's table."""
        table: Table = self.key.table
        return table


STEPS: dict[str, Step] = {
    "texts": Step(outbox.c.id, _texts),
    "askers": Step(bill_requester.c.bill_id, _askers),
    "guesses": Step(miss.c.msisdn, lambda before: miss.c.hour < before),
    "languages": Step(caller.c.msisdn, lambda before: caller.c.updated_at < before),
    "reports": Step(case.c.id, _reports),
    "refused messages": Step(inbox.c.id, _refused),
    "evidence": Step(inbox.c.id, _evidence, first=(entry.c.inbox_id,)),
    "bills": Step(bill.c.id, _bills, blank={"chfid": "", "payer_name": ""}),
    "cases": Step(case.c.id, _cases, blank={"details": {}, "note": None}),
    "statements": Step(statement.c.id, _statements, first=(statement_fault.c.statement_id,), blank={"file": ""}),
}

# What a purging role may do to each table: what the steps above do, its own trace in the audit, and when it was done.
_LOOKED_AT = (bill, case, entry)


def purge_rights() -> dict[Table, set[str]]:
    """Rights by table; a right of some columns only names them."""
    rights: dict[Table, set[str]] = {table: {"SELECT"} for table in _LOOKED_AT}
    for step in STEPS.values():
        columns = ", ".join(f'"{name}"' for name in step.blank)
        rights.setdefault(step.table, set()).update({"SELECT", f"UPDATE ({columns})" if columns else "DELETE"})
        for column in step.first:
            rights.setdefault(column.table, set()).update({"SELECT", "DELETE"})
    rights[audit] = {"INSERT", 'SELECT ("id")'}
    rights[watermark] = {"SELECT", "INSERT", "UPDATE"}
    return rights


class SqlRetention:
    """See ``gateway.ports.Retention``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def due(self, rule: str, before: datetime) -> int:
        step = STEPS[rule]
        counted = select(func.count()).select_from(step.table).where(step.due(before))
        return int(await self._db.scalar(counted) or 0)

    async def keys(self, rule: str, before: datetime, after: Any, limit: int) -> Sequence[Any]:
        step = STEPS[rule]
        found = select(step.key).where(step.due(before)).order_by(step.key).limit(limit)
        if len(step.table.primary_key.columns) > 1:  # by its first part, of which there are several rows
            found = found.distinct()
        if after is not None:
            found = found.where(step.key > after)
        return [key for (key,) in await self._db.execute(found)]

    async def take(self, rule: str, before: datetime, keys: Collection[Any]) -> int:
        step = STEPS[rule]
        due = and_(step.key.in_(list(keys)), step.due(before))
        for column in step.first:
            await self._db.execute(delete(column.table).where(column.in_(select(step.key).where(due))))
        taking = update(step.table).values(**step.blank) if step.blank else delete(step.table)
        return int((await self._db.execute(taking.where(due))).rowcount)

    async def files(self, statement_ids: Collection[int], before: datetime) -> Sequence[str]:
        named = select(statement.c.file).distinct().where(statement.c.id.in_(list(statement_ids)), _statements(before))
        return [name for (name,) in await self._db.execute(named)]
