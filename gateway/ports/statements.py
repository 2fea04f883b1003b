"""A provider's own account of a day: asked for, verified whole, and read line by line however large it is.

A statement may have a million lines and a gigabyte, so it lies in a file, is believed only after its signature held
over every byte, and is read in spans that other processes may read beside this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from gateway.domain.outcomes import Outcome
from gateway.domain.payments import PaymentReport
from gateway.ports.http import HttpReply, HttpRequest, HttpResponse
from gateway.ports.payments import Verdict


@dataclass(frozen=True, slots=True)
class DayOrder:
    """A day's account as a provider is asked for it.

    ``day``: an East African calendar day that has passed. ``provider_code``: the service provider whose money it is,
    None for the provider's default. ``request_id``: unique per request, a positive number below 2**31 in digits (some
    providers take nothing else); the answer names it.
    """

    day: date
    provider_code: str | None
    request_id: str


class StatementRow(NamedTuple):
    """A line as it is matched. ``offset`` and ``length``: its bytes in the file, where the rest of it can be read."""

    line: int  # from 1
    reference: str
    control_number: str
    amount_minor: int
    currency: str
    offset: int
    length: int


class LineFault(NamedTuple):
    """A line that cannot be read. ``why`` names elements or columns, never their values."""

    line: int
    offset: int
    length: int
    why: str


class Span(NamedTuple):
    """Whole lines of the file: the bytes at ``[offset : offset + length]``, the first of them being ``first_line``."""

    offset: int
    length: int
    first_line: int


@dataclass(frozen=True, slots=True)
class StatementReading:
    """What a statement says of itself, once its signature was checked over the whole file.

    ``outcome``: Done where its lines are the day's account; Refused or Busy where the provider says that there is none,
    or none yet. ``start`` and ``end``: the signed bytes; zero unless the verdict is GENUINE. ``dialect``: which of the
    provider's languages it is in; the acknowledgement answers in the same. ``is_signed``: as in ``Reading``.
    """

    route: str
    verdict: Verdict
    outcome: Outcome | None = None
    request_id: str | None = None  # of the order that it answers
    message_id: str | None = None  # its own
    provider_code: str | None = None
    start: int = 0
    end: int = 0
    dialect: str = ""
    why: str = ""
    day: date | None = None  # of a statement that was not asked for
    answer_to: str = ""  # as in ``Reading``
    is_signed: bool = False


class StatementLines(Protocol):
    """How one statement's file is read. Small and picklable: spans are read in processes of their own."""

    def spans(self, path: Path) -> Iterator[Span]:
        """The whole statement in order, a few hundred kilobytes each. Reads the file once, and quickly.

        Raises ValueError, one sentence, for a file whose lines cannot be told apart.
        """
        ...

    def rows(self, path: Path, span: Span) -> Sequence[StatementRow | LineFault]:
        """Every line of a span, in order; a line that cannot be read is a LineFault. Strict, and never raises for
        content."""
        ...

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        """One line in full, as a callback would have said it."""
        ...


class StatementReceiver(Protocol):
    """A payment provider that sends us its account of a day, as pure translation (files are read, nothing else)."""

    @property
    def name(self) -> str: ...

    @property
    def statement_routes(self) -> Sequence[str]:
        """Callback paths below the provider's address on which statements come."""
        ...

    def open_statement(self, route: str, path: Path, headers: Mapping[str, str], /) -> StatementReading:
        """Verify the whole file, then read its head. Never raises for content. Blocks: a gigabyte takes seconds."""
        ...

    def lines_of(self, reading: StatementReading) -> StatementLines:
        """How the lines of a GENUINE statement are read."""
        ...

    def acknowledge_statement(self, reading: StatementReading, reply_id: str) -> HttpReply:
        """The provider's protocol for "received", "bad signature" and "unreadable"."""
        ...

    def statement_not_kept(self, route: str) -> HttpReply:
        """The answer when nothing could be committed: the peer must deliver again."""
        ...


class StatementProvider(StatementReceiver, Protocol):
    """One that can be asked for a day's account."""

    def day_request(self, order: DayOrder, now: datetime) -> HttpRequest:
        """The signed call that asks for the day."""
        ...

    def day_outcome(self, order: DayOrder, response: HttpResponse) -> Outcome:
        """What the immediate answer means: Accepted (the account will come), Refused, Busy or Unknown."""
        ...
