"""Conversations as bytes, for the session store: a JSON array in the order of the session's fields."""

from __future__ import annotations

from functools import lru_cache

import orjson

from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.session import Session

VERSION = 5  # rises with the fields; a session of another version is as good as lost


def dump(session: Session) -> bytes:
    """The session as bytes."""
    return orjson.dumps((VERSION, *session), default=tuple)  # the frame: a tuple by another name


def load(data: bytes) -> Session | None:
    """The session that ``dump`` wrote; None for another version or anything else."""
    try:
        version, *fields = orjson.loads(data)
        if version != VERSION:
            return None
        session = Session._make(fields)
        return session._replace(trail=tuple(session.trail), frame=_frame(*session.frame), turns=tuple(session.turns))
    except (ValueError, TypeError):
        return None


@lru_cache(maxsize=64)
def _frame(*fields: str | int | bool) -> Frame:
    """One value a channel, however many conversations it has."""
    frame = Frame._make(fields)
    if tuple(map(type, frame)) != _FRAME_TYPES:
        raise TypeError("no frame")
    return frame


_FRAME_TYPES = tuple(map(type, Frame()))
