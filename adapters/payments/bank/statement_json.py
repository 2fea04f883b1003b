"""A statement as one JSON object, in memory as a whole and therefore limited; a larger day comes as CSV.

The bytes are scanned as Latin-1, in which a place in the text is a place in the file; a line is decoded as what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, Span, StatementRow

from .fields import read_object, text_in
from .limits import MAX_STATEMENT_JSON, UnreadableError
from .notice import read_payment
from .settings import BankSettings
from .statement_lines import day_in, read_at, row_of

_AT_ONCE: Final = 1_000  # lines of a span
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


def day_of(path: Path) -> date:
    """Raises UnreadableError; the lines are looked at one by one later."""
    if path.stat().st_size > MAX_STATEMENT_JSON:
        raise UnreadableError("too large for JSON: send it as CSV")
    text = path.read_bytes().decode("latin-1")
    found = dict(_members(text))
    if not isinstance(found.get("lines"), _Array):
        raise UnreadableError("lines: an array is expected")
    return day_in(text_in(found, "day"))


@dataclass(frozen=True, slots=True)
class _Array:
    """Where the array of lines begins."""

    start: int


def _members(text: str) -> Iterator[tuple[str, Any]]:
    """The names and values of the object; of ``lines`` only where they are, and each of them was one JSON value."""
    at = _after(text, _past(text, 3 if text.startswith("\xef\xbb\xbf") else 0), "{")
    seen: set[str] = set()
    while not text.startswith("}", at):
        name, at = _value(text, at)
        at = _after(text, at, ":")
        if type(name) is not str or name in seen:
            raise UnreadableError("the body is not JSON, or a name occurs twice")
        seen.add(name)
        if name == "lines" and text.startswith("[", at):
            yield name, _Array(at)
            at = _end_of(text, at + 1)
        else:
            value, at = _value(text, at)
            yield name, value
        at = _past(text, at)
        if not text.startswith("}", at):
            at = _after(text, at, ",")
    if _past(text, at + 1) != len(text):
        raise UnreadableError("something follows the JSON object")


def _end_of(text: str, at: int) -> int:
    """Behind the array's closing bracket."""
    for _, end in _elements(text, at, "]"):
        at = end
    return _past(text, at) + 1


def _elements(text: str, at: int, closing: str) -> Iterator[tuple[int, int]]:
    """The places of the values up to the closing bracket, or to the end of the text where that is ''."""
    at = _past(text, at)
    while at < len(text) and not (closing and text.startswith(closing, at)):
        _, end = _value(text, at)
        yield at, end
        at = _past(text, end)
        if text.startswith(",", at):
            at = _past(text, at + 1)
        elif at < len(text) and not (closing and text.startswith(closing, at)):
            raise UnreadableError("the body is not JSON")
    if closing and at >= len(text):
        raise UnreadableError("the body is not JSON")


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None


def _past(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int, sign: str) -> int:
    at = _past(text, at)
    if not text.startswith(sign, at):
        raise UnreadableError("the body is not JSON")
    return _past(text, at + 1)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Implements ``gateway.ports.StatementLines``."""

    settings: BankSettings

    def spans(self, path: Path) -> Iterator[Span]:
        """A thousand lines each."""
        text = path.read_bytes().decode("latin-1")
        start = next((v.start for name, v in _members(text) if name == "lines" and isinstance(v, _Array)), None)
        if start is None:
            raise UnreadableError("lines: an array is expected")
        places, line = _elements(text, start + 1, "]"), 1
        while batch := list(islice(places, _AT_ONCE)):
            yield Span(batch[0][0], batch[-1][1] - batch[0][0], line)
            line += len(batch)

    def rows(self, path: Path, span: Span) -> Sequence[StatementRow | LineFault]:
        """Every line of a span."""
        raw = read_at(path, span.offset, span.length)
        return [
            row_of(self.settings, partial(read_object, raw[start:end]), line, span.offset + start, end - start)
            for line, (start, end) in enumerate(_elements(raw.decode("latin-1"), 0, ""), span.first_line)
        ]

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        """One line in full."""
        return read_payment(self.settings, read_object(read_at(path, row.offset, row.length)))
