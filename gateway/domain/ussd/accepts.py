"""What may be typed: each kind of answer with what it becomes. A book names them in ``accept``."""

from __future__ import annotations

from collections.abc import Callable

from gateway.domain import chfid


def _chfid(answer: str) -> str | None:
    """An insurance number, spaces left out."""
    typed = answer.replace(" ", "")
    return typed if chfid.is_valid(typed) else None


# the value to keep, or None where the answer is none of its kind
ACCEPTS: dict[str, Callable[[str], str | None]] = {"chfid": _chfid}
