"""Times and amounts as GePG v5 writes them."""

from __future__ import annotations

import re
from datetime import datetime

from gateway.domain.clock import EAT, eat
from gateway.domain.money import InexactAmountError, Money

from .limits import UnreadableError

# 2025-11-10T12:00:26, with .920, with :920 (a colon before the milliseconds), or a space for the T: all met in TrxDtTm.
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.:]([0-9]{1,9}))?")
_YEARS = range(2000, 2100)  # beyond them a clock is wrong, and a year 1 has no hour in UTC
_CURRENCY = re.compile(r"[A-Z]{3}")


def time_text(moment: datetime) -> str:
    """``yyyy-MM-ddTHH:mm:ss`` on an East African wall clock; the wire carries no zone."""
    return eat(moment).strftime("%Y-%m-%dT%H:%M:%S")


def read_time(text: str, name: str) -> datetime:
    """The moment, in East Africa Time. Raises UnreadableError naming the element."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise UnreadableError(f"{name} is not a time")
    day, time, fraction = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}")
    except ValueError as error:
        raise UnreadableError(f"{name} is not a time") from error
    if moment.year not in _YEARS:
        raise UnreadableError(f"{name} is in no year of ours")
    return moment.replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")), tzinfo=EAT)


def amount_text(amount: Money) -> str:
    """``30000.00``: always two decimals."""
    return f"{amount.to_decimal():f}"


def read_amount(text: str, currency: str, name: str) -> Money:
    """An exact amount above zero. Raises UnreadableError naming the element."""
    if not text.isascii() or _CURRENCY.fullmatch(currency) is None:
        raise UnreadableError(f"{name} is not an amount in a currency")
    try:
        amount = Money.parse(text, currency)
    except InexactAmountError as error:
        raise UnreadableError(f"{name} is not an exact amount") from error
    if amount.amount_minor <= 0:
        raise UnreadableError(f"{name} is not above zero")
    return amount
