"""A bank's account of a day, posted by it: CSV of any size, or JSON, signed like everything else of the contract.

CSV: the first line ``#statement,2026-11-25``, then the names of the columns, then a line each; no line ends within a
field. JSON: ``{"day": "2026-11-25", "lines": [...]}``, lines with the fields of a notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from gateway.domain.outcomes import Done
from gateway.ports import HttpReply, StatementReading, Verdict

from . import statement_csv, statement_json
from .limits import UnreadableError
from .role import BankRole
from .signing import Unsigned, verify
from .statement_csv import CsvLines
from .statement_json import JsonLines

_CHUNK: Final = 1_048_576  # bytes read at once
_HEAD: Final = 64  # bytes that tell one format from the other


class BankStatements(BankRole):
    """Implements ``gateway.ports.StatementReceiver``."""

    @property
    def statement_routes(self) -> Sequence[str]:
        return ("statement",)

    def open_statement(self, route: str, path: Path, headers: Mapping[str, str], /) -> StatementReading:
        """Verify the whole file, then read its head. Never raises for content."""
        signed = verify(self._settings, headers, _chunks(path), self._clock.now())
        if isinstance(signed, Unsigned):
            return StatementReading(route, Verdict.BAD_SIGNATURE, why=signed.why)
        try:
            dialect, day = _head(path)
        except UnreadableError as error:
            to = signed.answer_to
            return StatementReading(route, Verdict.UNREADABLE, why=str(error), answer_to=to, is_signed=True)
        return StatementReading(
            route,
            Verdict.GENUINE,
            Done(),
            end=path.stat().st_size,
            dialect=dialect,
            day=day,
            answer_to=signed.answer_to,
            is_signed=True,
        )

    def lines_of(self, reading: StatementReading) -> CsvLines | JsonLines:
        """How the lines of a GENUINE statement are read."""
        return CsvLines(self._settings) if reading.dialect == "csv" else JsonLines(self._settings)

    def acknowledge_statement(self, reading: StatementReading, _reply_id: str) -> HttpReply:
        """As a notice is acknowledged."""
        if reading.verdict is not Verdict.GENUINE:
            return self._replies.refused(reading.verdict, reading.why, reading.answer_to)
        day = reading.day.isoformat() if reading.day else None
        return self._replies.said(200, reading.answer_to, status="received", day=day)

    def statement_not_kept(self, _route: str) -> HttpReply:
        """HTTP 503: the bank must send it again."""
        return self._replies.not_kept()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _head(path: Path) -> tuple[str, date]:
    """The format and the day."""
    with path.open("rb") as file:
        start = file.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{"):
        return "json", statement_json.day_of(path)
    return "csv", statement_csv.head_of(path).day
