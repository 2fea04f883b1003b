"""East Africa's days. Times carry zones inside; a day is what a calendar in Dar es Salaam shows."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Protocol

EAT = timezone(timedelta(hours=3), "EAT")  # Tanzania keeps no summer time


class Clock(Protocol):
    """Where the shell takes the time from; the domain only ever receives it."""

    def now(self) -> datetime:
        """The present, with a zone."""
        ...


def eat(moment: datetime) -> datetime:
    """The same moment on an East African wall clock."""
    assert moment.tzinfo is not None, "times carry zones"
    return moment.astimezone(EAT)


def eat_day(moment: datetime) -> date:
    """The East African calendar day of a moment."""
    return eat(moment).date()
