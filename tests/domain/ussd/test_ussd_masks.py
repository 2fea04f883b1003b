"""What is kept of a conversation that somebody else recorded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ussd.masks import MAX_ANSWERS, masked_answers, masked_screen


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("1", "1"),
        ("1*00*#*12", "1*00*#*12"),
        ("1*100000014*2", "1*?*2"),
        ("1*1234", "1*?"),
        ("1*Asha*2", "1*?*2"),
        ("1*é*ab", "1*?*?"),
        ("1**2", "1**2"),
        ("١", "?"),
        ("*".join("1" * 100), "*".join("1" * MAX_ANSWERS) + "*…"),
    ],
)
def test_keys_of_menus_stay(typed: str, kept: str) -> None:
    assert masked_answers(typed) == kept


@pytest.mark.parametrize(
    ("shown", "kept"), [("", ""), ("CON Asha\n1 Lipa", "CON 15"), ("END Asante", "END 10"), ("Asha", "4"), ("CON", "3")]
)
def test_a_screen_is_its_length(shown: str, kept: str) -> None:
    assert masked_screen(shown) == kept


@given(st.text(max_size=200))
def test_nothing_longer_than_two_digits_is_kept(text: str) -> None:
    assert all(len(part) <= 2 for part in masked_answers(text).split("*"))
    assert set(masked_answers(text)) <= set("0123456789#*?…")
    assert set(masked_screen(text)) <= set("CONED 0123456789")
