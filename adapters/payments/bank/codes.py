"""What our codes mean to a bank's teller. The operator's sentences are in the table of errors."""

from __future__ import annotations

from typing import Final

from gateway.domain.errors import ERRORS

_TO_A_BANK: Final = {
    "PAY-UNKNOWN-NUMBER": "Nobody has this number.",
    "PAY-TWICE": "It is paid already.",
    "PAY-EXPIRED": "The control number has expired; the family can dial for a new one or pay by its CHF number.",
    "PAY-CANCELLED": "The bill was cancelled; the family can dial for a new one.",
    "PAY-COVERED": "The family is covered already; nothing is due.",
    "PAY-SUSPENDED": "The family's policy is suspended; it must see its officer first.",
    "PAY-FAMILY": "The family is no longer registered.",
    "PAY-PRODUCT": "Nothing is on sale for this family.",
    "PAY-AMOUNT": "The amount paid is not the amount billed; a person decides.",
    "PAY-CURRENCY": "Only Tanzanian shillings are taken; a person decides.",
    "PAY-RECEIPT": "The reference is a receipt of another payment; a person decides.",
    "PAY-SAME-RECEIPT": "The receipt is known under another reference; a person decides.",
    "PAY-SIGNATURE": "The signature does not hold: wrong key, altered bytes, or a clock more than 300 s apart.",
    "PAY-LIMIT": "Too many numbers that nobody has; ask again in the next hour.",
    "PAY-NO-ANSWER": "No answer now; ask again.",
    "PAY-NOT-KEPT": "It could not be kept; send the same notice again.",
}


def sentence(code: str) -> str:
    """One sentence for a screen or a log at the bank."""
    return _TO_A_BANK.get(code) or ERRORS[code].operator
