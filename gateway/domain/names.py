"""People's names where a stranger may see them."""

from __future__ import annotations

MOST_NAMES = 3


def masked_name(name: str) -> str:
    """``A*** J***`` for Asha Juma: the initials of the first and the last names, three at most, and nothing else.

    Enough for who pays to see that it is the right person, where they know whom they pay for; always three stars, so
    that not even the length is told. ``***`` where there is no name.
    """
    initials = [word[0] for part in name.split() if (word := part.lstrip("'’-.(")) and word[0].isalpha()]
    kept = initials if len(initials) <= MOST_NAMES else [*initials[: MOST_NAMES - 1], initials[-1]]
    return " ".join(f"{initial.upper()}***" for initial in kept) or "***"
