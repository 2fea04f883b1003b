"""What is taken, and the one way in which reading fails."""

from __future__ import annotations

from typing import Final

MAX_REFERENCE: Final = 40  # with the bank's name before it, it fits tblPremium.Receipt (50)
MAX_TEXT: Final = 200
MAX_STATEMENT_JSON: Final = 64_000_000  # bytes; a larger day comes as CSV


class UnreadableError(ValueError):
    """The message is genuine and cannot be read. Names the field, never its value."""
