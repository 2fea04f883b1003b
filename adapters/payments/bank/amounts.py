"""Amounts as banks' systems spell them: read exactly, or refused; never rounded, never guessed."""

from __future__ import annotations

import re
from decimal import Decimal

from gateway.domain.money import InexactAmountError, Money

from .limits import UnreadableError

_PLAIN = re.compile(r"(?P<units>[0-9]{1,16})(?:\.(?P<fraction>[0-9]{1,12}))?(?:[eE][+-]?[0-9]{1,2})?")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}(?:\.[0-9]{1,2})?")
_DOTTED = re.compile(r"[0-9]{1,3}\.[0-9]{3}")


def read_amount(text: str, currency: str, field: str = "amount") -> Money:
    """``30000``, ``30000.0``, ``3e4`` and ``30,000`` are thirty thousand. Raises UnreadableError.

    Refused: a comma that separates no thousands (``30,00``), a third decimal that is not zero, a sign, words, spaces,
    digits of other scripts, zero, and ``30.000``, which is thirty to one reader and thirty thousand to another.
    """
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif not _PLAIN.fullmatch(text):
        raise UnreadableError(f"{field}: not an amount that can be read exactly")
    if _DOTTED.fullmatch(text):
        raise UnreadableError(f"{field}: is the point a decimal point? write two decimals or none")
    try:
        amount = Money.from_decimal(Decimal(text), currency)
    except InexactAmountError:
        raise UnreadableError(f"{field}: not an amount that can be kept exactly") from None
    if amount.amount_minor <= 0:
        raise UnreadableError(f"{field}: must be more than zero")
    return amount
