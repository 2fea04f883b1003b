"""A bank's or a wallet's statement as CSV: named columns, one payment a line, exact amounts.

UTF-8 with or without a byte order mark, ``,`` or ``;`` between, quotes as RFC 4180 has them but no line end inside one.
A line is read exactly or is a fault; nothing is guessed or rounded.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from pathlib import Path
from typing import Any

from gateway.domain.clock import EAT
from gateway.domain.money import InexactAmountError, Money
from gateway.domain.msisdn import normalise
from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, Span, StatementRow

COLUMNS = ("reference", "control_number", "amount", "currency", "paid_at", "receipt", "payer_msisdn", "channel")
REQUIRED = ("reference", "control_number", "amount")

_SPAN_BYTES = 400_000
_LINE_BYTES = 65_536
_BOM = b"\xef\xbb\xbf"
_CURRENCY = re.compile(r"[A-Z]{3}")
# 2026-11-22, 2026-11-22T10:00, 22/11/2026 10:00:59 (the day first, as Tanzania writes it), fractions, Z and +03:00
_DAY = re.compile(r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<d2>\d\d)/(?P<m2>\d\d)/(?P<y2>\d{4}))(?P<rest>.*)", re.S)
_TIME = re.compile(r"[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?\s*(Z|[+-]\d\d:?\d\d)?")


class _FaultError(ValueError):
    """Why a line cannot be read."""


@dataclass(frozen=True, slots=True)
class CsvStatement:
    """``places``: of each column that the file has, counted from 0. ``start``: the first byte after the header.

    ``day``: when a line was paid that does not say it.
    """

    delimiter: str
    places: tuple[tuple[str, int], ...]
    width: int
    start: int
    day: date
    currency: str = "TZS"

    @classmethod
    def opened(cls, path: Path, names: Mapping[str, str], day: date) -> CsvStatement:
        """Find the columns. ``names``: what the file calls them, where not as ``COLUMNS`` does.

        Raises ValueError with a sentence for a file without them.
        """
        strange = sorted(set(names) - set(COLUMNS))
        if strange:
            raise ValueError(f"there is no column {strange[0]!r}; there are: {', '.join(COLUMNS)}")
        with path.open("rb") as file:
            head = file.readline(_LINE_BYTES)
        start = len(head)
        try:
            text = head.removeprefix(_BOM).decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError("the first line is not UTF-8") from None
        wanted = {column: names.get(column, column).strip().casefold() for column in COLUMNS}
        for delimiter in (",", ";"):
            cells = [cell.strip().casefold() for cell in next(csv.reader([text], delimiter=delimiter), [])]
            places = tuple((column, cells.index(name)) for column, name in wanted.items() if name in cells)
            found = {column for column, _ in places}
            if found.issuperset(REQUIRED) and found.issuperset(names):
                return cls(delimiter, places, len(cells), start, day)
        missing = [wanted[column] for column in COLUMNS if column in (*REQUIRED, *names)]
        raise ValueError(f"the first line does not name these columns, with commas or semicolons: {', '.join(missing)}")

    @classmethod
    def from_json(cls, how: Mapping[str, Any]) -> CsvStatement:
        """What ``as_json`` wrote."""
        places = tuple((column, place) for column, place in how["places"])
        return cls(
            how["delimiter"], places, how["width"], how["start"], date.fromisoformat(how["day"]), how["currency"]
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "delimiter": self.delimiter,
            "places": [list(place) for place in self.places],
            "width": self.width,
            "start": self.start,
            "day": self.day.isoformat(),
            "currency": self.currency,
        }

    # ---- gateway.ports.StatementLines

    def spans(self, path: Path) -> Iterator[Span]:
        with path.open("rb") as file:
            file.seek(self.start)
            offset, line, rest = self.start, 1, b""
            while chunk := file.read(_SPAN_BYTES):
                block = rest + chunk
                end = block.rfind(b"\n") + 1
                if not end:
                    if len(block) > _LINE_BYTES:
                        raise ValueError(f"line {line} is longer than {_LINE_BYTES} bytes")
                    rest = block
                    continue
                yield Span(offset, end, line)
                offset, line, rest = offset + end, line + block.count(b"\n", 0, end), block[end:]
            if rest:
                yield Span(offset, len(rest), line)

    def rows(self, path: Path, span: Span) -> Sequence[StatementRow | LineFault]:
        found: list[StatementRow | LineFault] = []
        offset = span.offset
        for number, raw in enumerate(io.BytesIO(_bytes(path, span.offset, span.length)), span.first_line):
            if raw.strip():
                found.append(self._row(number, raw, offset))
            offset += len(raw)
        return found

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        cells = self._cells(_bytes(path, row.offset, row.length))
        return PaymentReport(
            reference=row.reference,
            control_number=row.control_number,
            amount=Money(row.amount_minor, row.currency),
            paid_at=self._paid_at(cells),
            receipt=cells.get("receipt") or None,
            payer_msisdn=normalise(cells.get("payer_msisdn")),
            channel=cells.get("channel") or None,
        )

    def _row(self, number: int, raw: bytes, offset: int) -> StatementRow | LineFault:
        try:
            cells = self._cells(raw)
            for column in ("reference", "control_number"):
                if not cells[column]:
                    raise _FaultError(f"{column} is empty")
            currency = cells.get("currency") or self.currency
            if not _CURRENCY.fullmatch(currency):
                raise _FaultError("currency is no code of three capital letters")
            amount = _amount(cells["amount"], currency)
            self._paid_at(cells)
        except _FaultError as fault:
            return LineFault(number, offset, len(raw), str(fault))
        return StatementRow(
            number, cells["reference"], cells["control_number"], amount.amount_minor, currency, offset, len(raw)
        )

    def _cells(self, raw: bytes) -> dict[str, str]:
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise _FaultError("not UTF-8") from None
        try:
            cells = next(csv.reader([text], delimiter=self.delimiter, strict=True))
        except (csv.Error, StopIteration):
            raise _FaultError("a quote that does not end") from None
        if len(cells) != self.width:
            raise _FaultError(f"{len(cells)} cells where the first line has {self.width}")
        named = {column: cells[place].strip() for column, place in self.places}
        for column, value in named.items():
            if not value.isprintable():
                raise _FaultError(f"{column} has letters that cannot be shown")
        return named

    def _paid_at(self, cells: Mapping[str, str]) -> datetime:
        said = cells.get("paid_at", "")
        if not said:
            return datetime.combine(self.day, time(0), EAT)
        try:
            return _moment(said)
        except ValueError:
            raise _FaultError("paid_at is no date and time") from None


def _bytes(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _amount(text: str, currency: str) -> Money:
    try:
        amount = Money.parse(text, currency)
    except InexactAmountError:
        raise _FaultError("amount is no plain decimal with at most two places") from None
    if amount.amount_minor <= 0:
        raise _FaultError("amount is not more than nothing")
    return amount


def _moment(text: str) -> datetime:
    day = _DAY.fullmatch(text)
    if day is None:
        raise ValueError("no date")
    on = date(int(day["y"] or day["y2"]), int(day["m"] or day["m2"]), int(day["d"] or day["d2"]))
    if not day["rest"]:
        return datetime.combine(on, time(0), EAT)
    clock = _TIME.fullmatch(day["rest"])
    if clock is None:
        raise ValueError("no time")
    hour, minute, second, fraction, zone = clock.groups()
    at = time(int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0")))
    return datetime.combine(on, at, _zone(zone))


def _zone(text: str | None) -> timezone:
    if text is None:
        return EAT
    zone = datetime.strptime(text.replace("Z", "+0000"), "%z").tzinfo
    assert isinstance(zone, timezone)
    return zone
