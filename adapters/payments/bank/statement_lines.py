"""A statement's line, whatever the file's format: the fields of a notice, read by the same code."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from gateway.ports import LineFault, StatementRow

from .fields import Fields
from .limits import UnreadableError
from .notice import read_payment
from .settings import BankSettings

_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def row_of(
    settings: BankSettings, fields: Callable[[], Fields], line: int, offset: int, length: int
) -> StatementRow | LineFault:
    """The line as it is matched; ``fields`` raises UnreadableError."""
    try:
        paid = read_payment(settings, fields())
    except UnreadableError as error:
        return LineFault(line, offset, length, str(error))
    amount = paid.amount
    return StatementRow(line, paid.reference, paid.control_number, amount.amount_minor, amount.currency, offset, length)


def day_in(text: str | None) -> date:
    """The East African day that the statement is of."""
    try:
        if text is not None and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UnreadableError("day: a day like 2026-11-25 is expected")


def read_at(path: Path, offset: int, length: int) -> bytes:
    """Some bytes of the file."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
