"""What is not done by a rule of ours, and by no fault of anything."""

from __future__ import annotations


class RefusedByRuleError(Exception):
    """An effect that a caller asked for and may not have: the database works, and others may go on asking."""
