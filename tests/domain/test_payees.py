"""Whose money it is: the code that a message names against the bill's and ours."""

from __future__ import annotations

import pytest

from gateway.domain.payments import is_for_another

OURS = ("SP19960", "sp108 ")


@pytest.mark.parametrize(
    ("told", "known", "ours", "anothers"),
    [
        # not told: not compared
        (None, "SP19960", OURS, False),
        (None, None, OURS, False),
        ("", "SP19960", OURS, False),
        (None, None, (), False),
        # the code that the bill was made under is the only one, though others are ours too
        ("SP19960", "SP19960", OURS, False),
        ("SP108", "SP19960", OURS, True),
        ("SP777", "SP19960", OURS, True),
        ("SP777", "SP777", OURS, False),  # it was ours when the bill was made
        # where it is not known, any of ours
        ("SP19960", None, OURS, False),
        ("SP108", None, OURS, False),
        ("SP108", "", OURS, False),
        ("SP777", None, OURS, True),
        ("SP777", None, (), True),
        # as people write them, and no further
        (" sp19960\n", "SP19960", (), False),
        ("SP19960", " sp19960", (), False),
        ("SP1996", "SP19960", OURS, True),
        ("SP199600", "SP19960", OURS, True),
        ("SP19960;SP777", None, OURS, True),
    ],
)
def test_whose_money_it_is(told: str | None, known: str | None, ours: tuple[str, ...], anothers: bool) -> None:
    assert is_for_another(told, known, ours) is anothers
