"""Amounts: integers of minor units (1 TZS = 100) inside, decimal text outside, never a float."""

import re

_DECIMAL = re.compile(r"\d{1,30}(?:\.(\d{1,2}))?")


def to_minor(text: object) -> int | None:
    """'30000', '30000.0', '30000.00' -> 3000000; None for all else (a number, a sign, an exponent, a third decimal)."""
    if not isinstance(text, str) or not text.isascii():
        return None
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    whole, _, fraction = text.partition(".")
    return int(whole) * 100 + int(fraction.ljust(2, "0") or "0")


def to_text(minor: int) -> str:
    """3000000 -> '30000.00'."""
    assert minor >= 0
    return f"{minor // 100}.{minor % 100:02d}"
