"""The lines of a day's account, in spans that other processes may read beside this one.

A line is read in one of two ways with the same result. The strict one is ``xmltree.parse``, libxml2 and all its checks;
it costs some 100 µs a line, too much for a million and a half. So the names that it found in a line become a *shape*:
one regular expression for the same elements in the same order, each with plain text and the five characters that must
be escaped, and with stricter rules for the values that decide. What a shape matches is well-formed by its making (no
``<``, no bare ``&`` or ``>``, no control character, every name once, in UTF-8), so the strict reader would give the
same. What it does not match, the strict reader decides. A property test holds both to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from gateway.domain.payments import PaymentReport
from gateway.ports import LineFault, Span, StatementRow

from .limits import UnreadableError
from .payments import CONTROL_NUMBER_MAX, REFERENCE_MAX
from .statement import BY_DIALECT
from .statement_file import frame, has_only_tags, read_at
from .statement_form import StatementForm, says_failed
from .wire import read_amount, read_time
from .xmltree import Element, parse

SPAN_BYTES = 1 << 19  # and the longest line that is read
_MAX_SHAPES = 4  # tried in one span before a line is left to the strict reader
_MAX_NAMES = 64  # in a shape; the longest known line has 26 elements
_WHITE = re.compile(rb"[ \t\r\n]*+")

# Over bytes decoded as Latin-1, so that a place in the text is a place in the file. Nothing back-tracks:
# single characters are repeated possessively, and whatever can stand beside another begins with another character.
# Groups are not possessive, Python before 3.11.5 goes on where one has failed half-way, but bounded: each round costs
# memory, and a text of more pieces is left to the strict reader.
_SPACE = r"[ \t\r\n]*+"
# UTF-8 as RFC 3629 has it, without U+FFFE and U+FFFF, which are no characters of XML.
_LETTER = (
    r"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    r"|\xef(?:[\x80-\xbe][\x80-\xbf]|\xbf[\x80-\xbd])"
    r"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_ESCAPED = r"&(?:amp|lt|gt|apos|quot|#0?(?:34|38|39|60|62));"
_TEXT = rf"(?:[^<>&\x00-\x08\x0b\x0c\x0e-\x1f\x80-\xff]++|{_ESCAPED}|{_LETTER}){{0,999}}"
_WORD = r"[!-%'-;=?-~]*+"  # ASCII that can be seen, without < > and &
_TIME = r"(?P<_day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.:][0-9]{1,9})?"
_FIXED = ("_day", "Remarks")


@dataclass(frozen=True, slots=True)
class GepgStatementLines:
    """Implements ``gateway.ports.StatementLines`` for the signed bytes ``[start:end]`` of a file.

    ``provider_code``: whose money a line is that does not say it itself.
    """

    dialect: str
    start: int
    end: int
    provider_code: str | None = None

    def spans(self, path: Path) -> Iterator[Span]:
        """Every byte between the container's tags, split after the end tags of lines. Raises ValueError."""
        form = BY_DIALECT[self.dialect]
        with path.open("rb") as file:
            around = frame(file, self.start, self.end, form.container)
            position, line = around.first, 1
            while position < around.last:
                block = read_at(file, position, min(SPAN_BYTES, around.last - position))
                if position + len(block) < around.last:
                    block = block[: _whole_lines(block, form)]
                elif not block.strip(b" \t\r\n"):
                    return
                yield Span(position, len(block), line)
                line += block.count(b"</" + form.line.encode())
                position += len(block)

    def rows(self, path: Path, span: Span) -> list[StatementRow | LineFault]:
        """Every line of a span, in order. Never raises for content."""
        with path.open("rb") as file:
            block = read_at(file, span.offset, span.length)
        return read_rows(BY_DIALECT[self.dialect], block, span)

    def report(self, path: Path, row: StatementRow) -> PaymentReport:
        """One line in full. Raises UnreadableError (a ValueError) for what ``rows`` gave as a fault."""
        form = BY_DIALECT[self.dialect]
        with path.open("rb") as file:
            report = form.read(_parsed(form, read_at(file, row.offset, row.length)))
        return replace(report, provider_code=report.provider_code or self.provider_code)


def read_rows(form: StatementForm, block: bytes, span: Span, quick: bool = True) -> list[StatementRow | LineFault]:
    """The lines in the bytes of a span. ``quick`` False: all by the strict reader."""
    if not has_only_tags(block):
        why = "there is something else than elements and text among the lines"
        return [LineFault(span.first_line, span.offset, span.length, why)]
    end_tag = _end_tag(form)
    text = block.decode("latin-1") if quick else ""
    shapes: list[_Shape] = []
    found: list[StatementRow | LineFault] = []
    line, position = span.first_line, _after_space(block, 0)
    while position < len(block):
        read: StatementRow | LineFault | None = None
        for shape in shapes:
            read = shape.row(text, position, line, span.offset)
            if read is not None:
                break
        else:
            ending = end_tag.search(block, position)
            end = ending.end() if ending else len(block)
            read, names = _strictly(form, block[position:end], line, span.offset + position)
            if quick and 0 < len(names) <= _MAX_NAMES and len(shapes) < _MAX_SHAPES:
                shape = _shape(form, names)
                shapes += [shape] if shape not in shapes else []
        found.append(read)
        line, position = line + 1, position + read.length
        if block[position : position + 1] != b"<":
            position = _after_space(block, position)
    return found


# ---------------------------------------------------------------------------------------------------- the strict reader


def _strictly(
    form: StatementForm, raw: bytes, line: int, offset: int
) -> tuple[StatementRow | LineFault, tuple[str, ...]]:
    """One line, and the names in it, which are none where it is a fault."""
    try:
        element = _parsed(form, raw)
        report = form.read(element)
    except UnreadableError as error:
        return LineFault(line, offset, len(raw), str(error)), ()
    amount = report.amount
    names = tuple(child.name for child in element.children)
    row = StatementRow(
        line, report.reference, report.control_number, amount.amount_minor, amount.currency, offset, len(raw)
    )
    return row, names


def _parsed(form: StatementForm, raw: bytes) -> Element:
    """The one element that the bytes must be."""
    element = parse(raw)
    if element.name != form.line:
        raise UnreadableError("there is something else where a line belongs")
    return element


# ----------------------------------------------------------------------------------------------------------- the shapes


class _Shape:
    """Lines that have the same elements in the same order as one that the strict reader has taken."""

    def __init__(self, form: StatementForm, names: tuple[str, ...]) -> None:
        inner = "".join(_leaf(name, captured=name in form.columns) for name in names)
        missing = "".join(f"(?P<{name}>)" for name in (*form.columns, *_FIXED) if f"(?P<{name}>" not in inner)
        pattern = re.compile(f"<{form.line}>{_SPACE}{inner}</{form.line}{_SPACE}>{missing}")
        self._match = pattern.match
        self._groups = tuple(pattern.groupindex[name] for name in (*_FIXED, *form.columns))
        self._key = form.key

    def row(self, text: str, position: int, line: int, base: int) -> StatementRow | None:
        """The line that begins there; None leaves it to the strict reader, which says what is wrong with it."""
        match = self._match(text, position)
        if match is None:
            return None
        day, remarks, *columns = match.group(*self._groups)
        reference, number, paid, currency = self._key(*columns)
        if not (reference and number and paid and currency and day) or not _is_day(day) or says_failed(remarks):
            return None
        if len(reference) > REFERENCE_MAX or len(number) > CONTROL_NUMBER_MAX:
            return None
        minor = _amount_minor(paid, currency)
        if minor is None:
            return None
        return StatementRow(line, reference, number, minor, currency, base + position, match.end() - position)


@lru_cache(maxsize=64)
def _shape(form: StatementForm, names: tuple[str, ...]) -> _Shape:
    return _Shape(form, names)


def _leaf(name: str, captured: bool) -> str:
    """An element with text, or empty in either spelling."""
    if name == "TrxDtTm":
        return f"<{name}>{_TIME}</{name}>{_SPACE}"
    text = _TEXT
    if captured:
        text = f"{_SPACE}(?P<{name}>{_WORD}){_SPACE}"
    elif name == "Remarks":
        text = f"(?P<{name}>{_TEXT})"
    return f"<{re.escape(name)}(?:>{text}</{re.escape(name)}>| ?/>){_SPACE}"


@lru_cache(maxsize=4096)
def _amount_minor(paid: str, currency: str) -> int | None:
    try:
        return read_amount(paid, currency, "PaidAmt").amount_minor
    except UnreadableError:
        return None


@lru_cache(maxsize=64)
def _is_day(day: str) -> bool:
    try:
        read_time(f"{day}T00:00:00", "TrxDtTm")
    except UnreadableError:
        return False
    return True


# ------------------------------------------------------------------------------------------------------------ the split


@lru_cache(maxsize=2)
def _end_tag(form: StatementForm) -> re.Pattern[bytes]:
    return re.compile(b"</" + form.line.encode() + rb"[ \t\r\n]*+>")


def _whole_lines(block: bytes, form: StatementForm) -> int:
    """How many of the bytes are whole lines."""
    name, end_tag = b"</" + form.line.encode(), _end_tag(form)
    place = block.rfind(name)
    while place >= 0:
        ending = end_tag.match(block, place)
        if ending:
            return ending.end()
        place = block.rfind(name, 0, place)
    raise UnreadableError("a line is too long, or the lines cannot be told apart")


def _after_space(block: bytes, position: int) -> int:
    white = _WHITE.match(block, position)
    return white.end() if white else position
