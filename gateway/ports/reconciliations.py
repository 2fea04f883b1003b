"""Reconciliation's part of our own tables: statements taken and staged, and what differs on a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from gateway.domain.payments import PaymentReport
from gateway.domain.reconcile import Difference, Held, Judgement, Tally
from gateway.ports.statements import DayOrder, LineFault, StatementRow


@dataclass(frozen=True, slots=True)
class Statement:
    """A genuine statement. Its file is the truth; its lines are staged up to byte ``position``.

    ``usable``: its lines are the day's account (a provider may also say, signed, that there is none). ``day`` is None
    where it answers no order of ours. ``how``: what the provider's adapter needs to read it once more.
    """

    id: int
    provider: str
    day: date | None
    provider_code: str | None
    request_id: str | None
    inbox_id: str
    digest: str
    file: str
    size: int
    usable: bool
    how: Mapping[str, Any]
    staged: bool = False
    position: int = 0
    lines: int = 0
    total: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class StagedPart:
    """Some lines in order, the bytes from ``since`` to ``position``. ``payload`` is the store's own form of the rows.

    ``total``: of all lines up to there.
    """

    payload: Any
    faults: Sequence[LineFault]
    total: Tally
    since: int
    position: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line that is not plainly the same on both sides. ``booked``: settlement has it already."""

    id: int
    statement_id: int
    row: StatementRow
    repeats: bool
    held: Held | None
    booked: bool


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """What a suspect is. ``payment``: the one that it is, by key or by receipt."""

    suspect: Suspect
    judgement: Judgement
    payment: Held | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a provider's, as it was reconciled last. ``report`` is None before the first time."""

    id: int
    provider: str
    day: date
    report: Mapping[str, Any] | None
    first_tried_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_report: Mapping[str, Any] | None


class OtherRunError(RuntimeError):
    """Another process works on the same day or statement; the message is a sentence for the operator."""


class Reconciliations(Protocol):
    """Days, statements and differences. ``between`` are the moments at which the day begins and ends."""

    async def add_order(self, provider: str, order: DayOrder, now: datetime) -> None:
        """Note what is asked for, before it is asked."""
        ...

    async def order(self, provider: str, request_id: str, lock: bool = False) -> DayOrder | None: ...

    async def add_statement(self, new: Statement, now: datetime) -> bool:
        """Insert; False where the same bytes are known for the day. The id of ``new`` is not looked at."""
        ...

    async def statement_of(self, provider: str, digest: str, day: date | None) -> Statement | None:
        """The statement of these bytes for the day."""
        ...

    async def answers_to(self, provider: str, request_id: str) -> Sequence[Statement]:
        """Statements that answered this order, newest last."""
        ...

    async def statements(self, provider: str, day: date) -> Sequence[Statement]:
        """The day's account: the newest usable statement of each provider code."""
        ...

    @property
    def encode(self) -> Callable[[int, Sequence[StatementRow]], Any]:
        """A picklable function that turns a statement's lines into what ``stage`` loads: other processes call it."""
        ...

    async def stage(self, of: Statement, part: StagedPart) -> None:
        """Add lines and move the statement's position behind them, in this transaction.

        Raises OtherRunError where the position is not where it was.
        """
        ...

    async def finish_staging(self, statement_id: int) -> None: ...

    async def unstage(self, statement_ids: Sequence[int]) -> None:
        """Forget the lines of these statements; their files hold them still."""
        ...

    async def day(self, provider: str, day: date, lock: bool = False) -> Day | None: ...

    async def begin(self, provider: str, day: date, runner: str) -> int:
        """The day's row, made if need be, without any differences; its id. Whoever ran it before runs it no more."""
        ...

    async def hold(self, day_id: int, runner: str) -> None:
        """Lock the day to the end of the transaction. Raises OtherRunError where another runs it by now."""
        ...

    async def find_suspects(
        self, day_id: int, provider: str, paid_about: tuple[datetime, datetime], statement_ids: Sequence[int]
    ) -> None:
        """Every line that is not plainly matched by a payment of about then, in the statements' order."""
        ...

    async def suspects(self, day_id: int, after: int, limit: int) -> Sequence[Suspect]:
        """A page of those that are not judged for good, by id, with what we hold."""
        ...

    async def same_number(
        self, suspect_ids: Sequence[int], statement_ids: Sequence[int]
    ) -> Mapping[int, Sequence[Held]]:
        """For each suspect, payments of its control number and amount that have a receipt and that no line names."""
        ...

    async def judged(self, lines: Sequence[JudgedLine]) -> None:
        """Write down what suspects are; those that are matched are no differences."""
        ...

    async def book(self, statement: Statement, reports: Sequence[tuple[int, PaymentReport]], now: datetime) -> int:
        """Give (line, payment) pairs to settlement; how many were new."""
        ...

    async def waiting(self, inbox_ids: Sequence[str]) -> int:
        """Entries of these messages that are not settled yet."""
        ...

    async def find_missing_there(
        self,
        day_id: int,
        provider: str,
        between: tuple[datetime, datetime],
        statement_ids: Sequence[int],
        codes: Sequence[str | None] | None,
    ) -> None:
        """Payments of the day that no line names. ``codes``: of bills of these service providers only; None: of all."""
        ...

    async def find_faults(self, day_id: int, statement_ids: Sequence[int]) -> None:
        """Lines that cannot be read, as differences."""
        ...

    async def ours(
        self, provider: str, between: tuple[datetime, datetime], codes: Sequence[str | None] | None
    ) -> Tally:
        """What we hold for the day, but for what a person rejected."""
        ...

    async def tallies(self, day_id: int) -> Mapping[str, Tally]:
        """Count and money of the differences, by kind."""
        ...

    async def differences(self, day_id: int, after: int, limit: int) -> Sequence[tuple[int, Difference]]:
        """A page of the day's differences by id."""
        ...

    async def finish(self, day_id: int, report: Mapping[str, Any], now: datetime | None) -> None:
        """Keep the day's report. ``now`` is None where an account is still missing: the day is to be run again."""
        ...

    async def close(self, day_id: int, by: str, now: datetime) -> None:
        """The day is a person's word from now on, as it was reported last."""
        ...

    async def claim(self, provider: str, day: date, now: datetime, until: datetime) -> bool:
        """Whether this process is to reconcile the day, which nobody has; nobody else is before ``until``."""
        ...

    async def release(self, provider: str, day: date, not_before: datetime) -> None:
        """Nobody is to try the day again before then."""
        ...

    async def closed_days(self, limit: int) -> Sequence[Day]:
        """Days that a person has closed, the newest first."""
        ...

    async def late_payments(
        self, after: int, paid_before: datetime, limit: int
    ) -> Sequence[tuple[int, str, datetime, datetime]]:
        """Payments with ids beyond ``after`` that were paid before then: id, provider, when paid, when first seen."""
        ...

    async def last_good_day(self, provider: str) -> date | None:
        """The newest day that was matched to the shilling or closed by a person."""
        ...
