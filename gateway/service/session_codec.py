"""Conversations as bytes, for the session store: a JSON array in the order of the session's fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.session import Left, Session

VERSION = 7  # rises with the fields; a session of another version is as good as lost

# what JSON gives back as lists, by place in the session
_TUPLES = tuple(Session._fields.index(name) for name in ("trail", "turns"))
_FRAME, _LEFT = Session._fields.index("frame"), Session._fields.index("left")


def dump(session: Session) -> bytes:
    """The session as bytes."""
    return orjson.dumps((VERSION, *session), default=tuple)  # the frame: a tuple by another name


def load(data: bytes) -> Session | None:
    """The session that ``dump`` wrote; None for another version or anything else."""
    try:
        version, *fields = orjson.loads(data)
        if version != VERSION:
            return None
        # put right before it is made: a session has many fields, and making it again costs as much as the first time
        for at in _TUPLES:
            fields[at] = tuple(fields[at])
        fields[_FRAME] = _frame(*fields[_FRAME])
        fields[_LEFT] = _left(fields[_LEFT]) if fields[_LEFT] is not None else None
        return Session._make(fields)
    except (ValueError, TypeError, IndexError):
        return None


def dump_left(left: Left, frame: Frame) -> bytes:
    """What a conversation leaves behind, as bytes, with the frame that it was laid out in."""
    return orjson.dumps((VERSION, frame, left), default=tuple)


def load_left(data: bytes, frame: Frame) -> Left | None:
    """What ``dump_left`` wrote; None for another version, another frame of the channel or anything else."""
    try:
        version, laid_out_in, left = orjson.loads(data)
        return _left(left) if (version, laid_out_in) == (VERSION, list(frame)) else None
    except (ValueError, TypeError):
        return None


def _left(fields: Sequence[Any]) -> Left:
    left = Left._make(fields)
    if tuple(map(type, left)) != (str, str, str, dict, dict, str):
        raise TypeError("nothing that a conversation leaves")
    return left


@lru_cache(maxsize=64)
def _frame(*fields: str | int | bool) -> Frame:
    """One value a channel, however many conversations it has."""
    frame = Frame._make(fields)
    if tuple(map(type, frame)) != _FRAME_TYPES:
        raise TypeError("no frame")
    return frame


_FRAME_TYPES = tuple(map(type, Frame()))
