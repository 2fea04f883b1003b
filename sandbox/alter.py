"""Changing one character of a message after it was signed or composed: still well-formed, no longer as meant."""

import re

_TELLING = re.compile(rb"<(PaidAmt|BillCntrNum|PayCntrNum|BillAmt|AckStsCode|TrxStsCode)>[^<0-9]*([0-9])")
_ANY_DIGIT = re.compile(rb"(>)[^<0-9]*([0-9])")


def alter_xml(raw: bytes) -> bytes:
    """Change one digit of a telling field (or of the first that has one); still well-formed, no longer as signed."""
    match = _TELLING.search(raw) or _ANY_DIGIT.search(raw)
    return _next_digit(raw, match.start(2)) if match else raw + b" "


def alter_form(raw: bytes) -> bytes:
    """Change one character of the field `message` of a form (never inside a %XX escape)."""
    match = re.search(rb"(?:^|&)message=(?:%[0-9A-Fa-f]{2}|[^0-9A-Za-z%&])*([0-9A-Za-z])", raw)
    if match is None:
        return raw
    at = match.start(1)
    return raw[:at] + (b"x" if raw[at : at + 1] != b"x" else b"y") + raw[at + 1 :]


def _next_digit(raw: bytes, at: int) -> bytes:
    return raw[:at] + str((int(raw[at : at + 1]) + 1) % 10).encode() + raw[at + 1 :]
