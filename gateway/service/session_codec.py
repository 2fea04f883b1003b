"""Conversations as bytes, for the session store: a JSON array in the order of the session's fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.session import Left, Session

VERSION = 7  # rises with the fields; a session of another version is as good as lost


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
        return session._replace(
            trail=tuple(session.trail),
            frame=_frame(*session.frame),
            turns=tuple(session.turns),
            left=_left(session.left) if session.left is not None else None,
        )
    except (ValueError, TypeError):
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
