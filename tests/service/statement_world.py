"""A provider whose statements are lines of text, and short ways to reconcile with it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from service_world import World

from gateway import reconcile_report
from gateway.domain.clock import EAT
from gateway.domain.money import Money
from gateway.domain.outcomes import Accepted, Busy, Done, Outcome, Refused
from gateway.domain.payments import PaymentReport
from gateway.domain.reconcile import Difference
from gateway.ports import (
    DayOrder,
    HttpReply,
    HttpRequest,
    HttpResponse,
    LineFault,
    Span,
    Statement,
    StatementReading,
    StatementRow,
    Verdict,
)
from gateway.service.accept_callback import ForgeryQuota
from gateway.service.accept_statement import AcceptStatement, reading_of
from gateway.service.reconcile_day import Expected, ReconcileDay
from gateway.service.stage_statement import StageStatement
from gateway.service.statement_files import StatementFolder
from gateway.service.take_file import TakeFile

NAME = "fakepay"


@dataclass(frozen=True)
class TextLines:
    """``reference|number|minor units|currency|receipt`` a line, from the third of the file; ``?`` cannot be read.

    ``lines_in_span``: small, so that a small file has several.
    """

    start: int
    paid_at: datetime
    lines_in_span: int = 3

    def spans(self, path: Path) -> Iterator[Span]:
        offset, number = self.start, 1
        lines = path.read_bytes()[self.start :].splitlines(keepends=True)
        for first in range(0, len(lines), self.lines_in_span):
            part = lines[first : first + self.lines_in_span]
            length = sum(map(len, part))
            yield Span(offset, length, number)
            offset, number = offset + length, number + len(part)

    def rows(self, path: Path, span: Span) -> Sequence[StatementRow | LineFault]:
        rows: list[StatementRow | LineFault] = []
        offset = span.offset
        for number, raw in enumerate(_read(path, span.offset, span.length).splitlines(keepends=True), span.first_line):
            if raw.startswith(b"?"):
                rows.append(LineFault(number, offset, len(raw), "it begins with a question mark"))
            else:
                reference, control, minor, currency, _ = raw.decode().rstrip("\n").split("|")
                rows.append(StatementRow(number, reference, control, int(minor), currency, offset, len(raw)))
            offset += len(raw)
        return rows

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        receipt = _read(path, row.offset, row.length).decode().rstrip("\n").split("|")[4]
        money = Money(row.amount_minor, row.currency)
        return PaymentReport(row.reference, row.control_number, money, self.paid_at, receipt=receipt or None)


def _read(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


@dataclass
class StatementPeer:
    """A provider. A file is ``ok``, ``none`` or ``later``, then ``request id|code``; others forged, signed or junk."""

    paid_at: datetime
    name: str = NAME
    statement_routes: Sequence[str] = ("reconciliations",)
    outcomes: list[Outcome] = field(default_factory=list)
    orders: list[DayOrder] = field(default_factory=list)

    def day_request(self, order: DayOrder, now: datetime) -> HttpRequest:
        self.orders.append(order)
        return HttpRequest("POST", "http://pay/day", {}, order.request_id.encode())

    def day_outcome(self, order: DayOrder, response: HttpResponse) -> Outcome:
        return self.outcomes.pop(0) if self.outcomes else Accepted()

    def open_statement(self, route: str, path: Path, headers: Mapping[str, str], /) -> StatementReading:
        head, _, _ = path.read_bytes().partition(b"\n")
        words = head.decode(errors="replace").split("|")
        outcome: Outcome | None = {"ok": Done(), "none": Refused("7319"), "later": Busy(0.01)}.get(words[0])
        if outcome is None:
            verdict = Verdict.BAD_SIGNATURE if words[0] == "forged" else Verdict.UNREADABLE
            return StatementReading(route, verdict, why="because", is_signed=words[0] == "signed")
        end = path.stat().st_size
        return StatementReading(
            route, Verdict.GENUINE, outcome, words[1], "M1", words[2] or None, len(head) + 1, end, "text"
        )

    def lines_of(self, reading: StatementReading) -> TextLines:
        return TextLines(reading.start, self.paid_at)

    def acknowledge_statement(self, reading: StatementReading, reply_id: str) -> HttpReply:
        return HttpReply(200, "text/plain", str(reading.verdict).encode())

    def statement_not_kept(self, route: str) -> HttpReply:
        return HttpReply(503, "text/plain", b"again")


def line(reference: str, number: str, minor: int = 3_000_000, currency: str = "TZS", receipt: str = "") -> str:
    return f"{reference}|{number}|{minor}|{currency}|{receipt}"


def body(*lines: str, request_id: str = "1", code: str = "", head: str = "ok") -> bytes:
    return "\n".join((f"{head}|{request_id}|{code}", *lines, "")).encode()


class Books:
    """What a person at the gateway does about days."""

    def __init__(self, world: World, folder: Path, settle: bool = True) -> None:
        self.world = world
        self.day: date = world.today - timedelta(days=1)
        self.paid_at = datetime.combine(self.day, time(12), EAT)
        self.peer = StatementPeer(self.paid_at)
        self.folder = StatementFolder(folder, 1_000_000)
        self.accept = AcceptStatement(world.database, world.clock, self.folder, ForgeryQuota())
        self.stage = StageStatement(world.database, self.folder, self.lines_of)
        self.reconcile = ReconcileDay(
            world.database, world.clock, self.folder, self.lines_of, self.stage, world.settle.one if settle else None
        )
        self.taking = TakeFile(world.database, world.clock, self.folder, "Asha")

    def lines_of(self, known: Statement) -> TextLines:
        return self.peer.lines_of(reading_of(known))

    async def send(self, content: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """As the provider does."""
        incoming = self.folder.take_in()
        incoming.write(content)
        incoming.end()
        reply = await self.accept(self.peer, "reconciliations", incoming, headers or {})
        return reply.status, reply.body

    async def bring(self, *lines: str, **head: str) -> Statement:
        """As a person does, from a file."""
        path = self.folder.folder.parent / "brought"
        path.write_bytes(body(*lines, **head))
        return await self.taking.signed(self.peer, path, self.day)

    async def run(self, expected: Expected = Expected(None), wait_s: float = 5.0) -> dict[str, Any]:  # noqa: B008
        return dict(await self.reconcile(NAME, self.day, expected, wait_s))

    async def differences(self) -> list[Difference]:
        async with self.world.database.reading() as tx:
            known = await tx.reconciliations.day(NAME, self.day)
            assert known is not None
            return [difference for _, difference in await tx.reconciliations.differences(known.id, 0, 10_000)]

    async def told(self) -> list[tuple[str, str, str]]:
        """(kind, reference, what became of it) of each difference."""
        return [(d.kind.value, d.reference, d.became.value) for d in await self.differences()]

    async def written(self, format_: str) -> str:
        async with self.world.database.reading() as tx:
            known = await tx.reconciliations.day(NAME, self.day)
        assert known is not None
        assert known.report is not None
        found = await self.differences()

        async def each() -> AsyncIterator[Difference]:
            for difference in found:
                yield difference

        out = io.StringIO()
        await reconcile_report.write(format_, known.report, each(), out.write)
        return out.getvalue()
