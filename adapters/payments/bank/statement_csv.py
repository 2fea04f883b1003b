"""A statement as CSV. A line of the file is a line of the statement, so that it can be read in spans."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, Span, StatementRow

from .fields import Fields
from .limits import UnreadableError
from .notice import read_payment
from .settings import BankSettings
from .statement_lines import day_in, read_at, row_of

_SPAN: Final = 262_144  # bytes, about
_HEAD: Final = 4_096  # bytes in which the two first lines end
_COLUMNS: Final = (
    "reference", "control_number", "chfid", "amount", "currency", "paid_at",
    "receipt", "payer_msisdn", "payer_name", "channel",
)  # fmt: skip
_NEEDED: Final = {"reference", "amount", "currency", "paid_at"}


@dataclass(frozen=True, slots=True)
class Head:
    """What the two first lines say. ``start``: where the third begins."""

    day: date
    columns: tuple[str, ...]
    start: int


def head_of(path: Path) -> Head:
    """Raises UnreadableError."""
    with path.open("rb") as file:
        raw = file.read(_HEAD)
    first, _, rest = raw.partition(b"\n")
    second, ends, _ = rest.partition(b"\n")
    if not ends and len(raw) == _HEAD:
        raise UnreadableError("the columns: a line of names is expected")
    title = _fields(first.removeprefix(b"\xef\xbb\xbf"))
    if len(title) != 2 or title[0] != "#statement":
        raise UnreadableError("the first line: #statement and the day are expected")
    columns = tuple(name.strip().lower() for name in _fields(second))
    numbers = {"control_number", "chfid"}.intersection(columns)
    known = [name for name in columns if name in _COLUMNS]
    if not numbers or not _NEEDED.issubset(columns) or len(set(known)) != len(known):
        raise UnreadableError(
            "the columns: reference, control_number or chfid, amount, currency and paid_at are needed"
        )
    return Head(day_in(title[1].strip()), columns, len(first) + 1 + len(second) + len(ends))


def _fields(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableError("the line: not CSV in UTF-8") from None
    return rows[0] if rows else []


def _named(columns: Sequence[str], line: bytes) -> Fields:
    values = _fields(line)
    if len(values) != len(columns):
        raise UnreadableError("the line: as many fields as columns are expected")
    return {name: value for name, value in zip(columns, values, strict=True) if value.strip()}


@dataclass(frozen=True, slots=True)
class CsvLines:
    """Implements ``gateway.ports.StatementLines``."""

    settings: BankSettings

    def spans(self, path: Path) -> Iterator[Span]:
        """Whole lines, about a quarter of a megabyte each. Raises ValueError for a file without its head."""
        with path.open("rb") as file:
            offset, line, rest = head_of(path).start, 1, b""
            file.seek(offset)
            while chunk := file.read(_SPAN):
                block = rest + chunk
                cut = block.rfind(b"\n") + 1
                rest = block[cut:]
                if len(rest) > _SPAN:
                    raise UnreadableError("a line is longer than any could be")
                if cut:
                    yield Span(offset, cut, line)
                    offset, line = offset + cut, line + block.count(b"\n", 0, cut)
            if rest:
                yield Span(offset, len(rest), line)

    def rows(self, path: Path, span: Span) -> Sequence[StatementRow | LineFault]:
        """Every line of a span; one without a character is none."""
        columns = head_of(path).columns
        found: list[StatementRow | LineFault] = []
        offset, line = span.offset, span.first_line
        for raw in read_at(path, span.offset, span.length).split(b"\n"):
            if raw.strip():
                found.append(row_of(self.settings, partial(_named, columns, raw), line, offset, len(raw)))
            offset, line = offset + len(raw) + 1, line + 1
        return found

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        """One line in full."""
        return read_payment(self.settings, _named(head_of(path).columns, read_at(path, row.offset, row.length)))
