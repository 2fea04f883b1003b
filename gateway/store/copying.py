"""A statement's lines in the form that a database loads fastest. Picklable: processes beside this one encode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gateway.ports.statements import StatementRow

_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_text(statement_id: int, rows: Sequence[StatementRow]) -> bytes:
    """PostgreSQL's COPY text, in the order of the table's columns."""
    head = f"{statement_id}\t"
    text = "".join(
        [
            f"{head}{line}\t{reference}\t{number}\t{amount}\t{currency}\t{offset}\t{length}\n"
            for line, reference, number, amount, currency, offset, length in rows
        ]
    )
    # tabs and line ends of ours are as many as there must be, unless a value has one of its own
    if "\\" in text or "\r" in text or text.count("\t") != 7 * len(rows) or text.count("\n") != len(rows):
        text = "".join("\t".join((str(statement_id), *map(_escaped, row))) + "\n" for row in rows)
    return text.encode()


def _escaped(value: Any) -> str:
    return _SPECIAL.sub(lambda special: _ESCAPED[special[0]], str(value))


def plain(statement_id: int, rows: Sequence[StatementRow]) -> list[tuple[Any, ...]]:
    """Values for an INSERT of many rows, in the order of the table's columns."""
    return [(statement_id, *row) for row in rows]
