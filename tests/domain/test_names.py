"""What a stranger sees of a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.names import masked_name

CASES = [
    ("Asha Juma", "A*** J***"),
    ("asha juma", "A*** J***"),
    ("Asha Mwanaidi Juma", "A*** M*** J***"),
    ("Asha Mwanaidi Binti Juma", "A*** M*** J***"),
    ("  Asha   Juma ", "A*** J***"),
    ("Asha", "A***"),
    ("Ng'ombe O'Neil", "N*** O***"),
    ("'Asha (Mama) Juma", "A*** M*** J***"),
    ("Ñandú Ōe", "Ñ*** Ō***"),
    ("A B", "A*** B***"),
    ("", "***"),
    ("   ", "***"),
    ("12345 67", "***"),
    ("+255712000001", "***"),
]


@pytest.mark.parametrize(("name", "masked"), CASES)
def test_a_name(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@given(st.text(max_size=210))
def test_nothing_but_three_initials_is_ever_told(name: str) -> None:
    parts = masked_name(name).split(" ")
    assert len(parts) <= 3
    for part in parts:
        assert part.endswith("***")
        assert len(part.removesuffix("***")) <= 2  # a capital of one letter may have two: the sharp s
