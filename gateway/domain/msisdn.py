"""Tanzanian mobile numbers, however they are spelt. Source of the rule: E.164, +255 and nine digits from 6 or 7."""

from __future__ import annotations

import re

_NOISE = re.compile(r"[\s\-().\u00a0\u2010-\u2015/]")
_SPELLINGS = re.compile(r"(?:(?:\+|00)?2550?|0)?([67][0-9]{8})")
MAX_INPUT = 40


def normalise(text: str | None) -> str | None:
    """``+255XXXXXXXXX`` for any spelling of one Tanzanian mobile number (``0712…``, ``255712…``, ``+255 712-…``).

    None for anything else: two numbers in one field, a landline, another country, nothing at all.
    """
    if not text or len(text) > MAX_INPUT:
        return None
    match = _SPELLINGS.fullmatch(_NOISE.sub("", text))
    return f"+255{match.group(1)}" if match else None


def without_plus(msisdn: str) -> str:
    """``255XXXXXXXXX``: twelve digits, as payment messages and tblPayment.PhoneNumber (varchar(12)) want it."""
    return msisdn.removeprefix("+")


def masked(msisdn: str) -> str:
    """``+2557…123``: enough for a person to tell two phones apart, never the number itself. For logs and consoles."""
    return f"{msisdn[:5]}…{msisdn[-3:]}" if len(msisdn) > 8 else "…"
