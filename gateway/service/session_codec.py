"""Conversations as bytes, for the session store: a JSON array in the order of the session's fields."""

from __future__ import annotations

import orjson

from gateway.domain.ussd.session import Session

VERSION = 2  # rises with the fields; a session of another version is as good as lost


def dump(session: Session) -> bytes:
    """The session as bytes."""
    return orjson.dumps((VERSION, *session))


def load(data: bytes) -> Session | None:
    """The session that ``dump`` wrote; None for another version or anything else."""
    try:
        version, *fields = orjson.loads(data)
        if version != VERSION:
            return None
        session = Session._make(fields)
        return session._replace(trail=tuple(session.trail))
    except (ValueError, TypeError):
        return None
