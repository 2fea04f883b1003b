"""One conversation, as a value that can be stored as JSON between two keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

VERSION = 1
_SHORT = {
    "id": "i", "channel": "c", "msisdn": "m", "language": "l", "limit": "u", "screen": "s", "page": "p",
    "trail": "t", "values": "v", "facts": "f", "target": "g", "keys": "k", "wrong": "w", "transcript": "x",
    "reply": "r", "final": "e",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Session:
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
    values: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    target: str = ""
    keys: int = 0
    wrong: int = 0
    transcript: str | None = None
    reply: str = ""
    final: bool = False


def dump(session: Session) -> bytes:
    """The session as compact JSON bytes."""
    fields = {short: getattr(session, name) for name, short in _SHORT.items()}
    return json.dumps({"z": VERSION, **fields}, separators=(",", ":"), ensure_ascii=False).encode()


def load(data: bytes) -> Session | None:
    """The session that ``dump`` wrote; None for another version or anything else."""
    try:
        stored = json.loads(data)
        if stored.pop("z") != VERSION:
            return None
        session = Session(**{name: stored[short] for name, short in _SHORT.items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    object.__setattr__(session, "trail", tuple(session.trail))
    return session
