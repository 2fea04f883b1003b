"""East Africa Time (UTC+3, no daylight saving), in which GePG writes all its times without an offset."""

from datetime import datetime, timedelta, timezone

EAT = timezone(timedelta(hours=3), "EAT")
_FORM = "%Y-%m-%dT%H:%M:%S"


def now() -> datetime:
    """The present moment in East Africa Time."""
    return datetime.now(EAT)


def to_wire(moment: datetime) -> str:
    """`yyyy-MM-ddTHH:mm:ss`, East Africa local time, no offset."""
    return moment.astimezone(EAT).strftime(_FORM)


def from_wire(text: str) -> datetime | None:
    """The reverse of `to_wire`; None if the text has any other form (an offset or fractions included)."""
    if len(text) != len("2026-01-01T00:00:00"):
        return None
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=EAT)
    except ValueError:
        return None
