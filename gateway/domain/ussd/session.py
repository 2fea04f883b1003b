"""One conversation, as a value that can be stored as JSON between two keys."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

VERSION = 2
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Session(NamedTuple):
    """``screen`` is what the caller sees; ``target`` is being entered while facts for it are fetched.

    ``values`` holds what was chosen or typed, ``facts`` what was answered; both are JSON values.
    ``transcript`` is what the aggregator's cumulative text was when ``reply`` was given.
    """

    id: str
    channel: str
    msisdn: str
    language: str
    limit: int  # units of one screen on this channel
    screen: str = ""
    page: int = 0
    trail: tuple[str, ...] = ()
    values: dict[str, Any] = {}  # noqa: RUF012 - never changed in place
    facts: dict[str, Any] = {}  # noqa: RUF012
    target: str = ""
    keys: int = 0
    wrong: int = 0
    transcript: str | None = None
    reply: str = ""
    final: bool = False


def dump(session: Session) -> bytes:
    """The session as a compact JSON array, in the order of its fields."""
    return _encode((VERSION, session)).encode()


def load(data: bytes) -> Session | None:
    """The session that ``dump`` wrote; None for another version or anything else."""
    try:
        version, fields = json.loads(data)
        if version != VERSION:
            return None
        session = Session._make(fields)
        return session._replace(trail=tuple(session.trail))
    except (ValueError, TypeError):
        return None
