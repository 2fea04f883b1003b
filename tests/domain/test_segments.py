"""What a text costs on the air."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.segments import fits_one_sms, is_gsm7, plain, septets, units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Bima yako", 9),
        ("Sh 30,000", 9),
        ("a\nb\rc", 5),
        ("@£$¥", 4),
        ("{", 2),
        ("[€]", 6),
        ("~|\\^\f", 10),
        ("ñÑ¿à", 4),
    ],
)
def test_septets(text: str, count: int) -> None:
    assert is_gsm7(text)
    assert septets(text) == units(text) == count


@pytest.mark.parametrize(
    ("text", "count"), [("ŵ", 1), ("ç", 1), ("’", 1), ("aŵ", 2), ("😀", 2), ("{ŵ", 2), ("习", 1), ("`", 1), ("\t", 1)]
)
def test_ucs2_units(text: str, count: int) -> None:
    assert not is_gsm7(text)
    assert units(text) == count


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("“ndiyo” – ‘hapana’…", "\"ndiyo\" - 'hapana'..."),
        ("1\u00a0Lipa\t• —", "1 Lipa - -"),
        ("`x`", "'x'"),
        ("kawaida", "kawaida"),
    ],
)
def test_typographic_characters_get_plain_kin(text: str, said: str) -> None:
    assert plain(text) == said
    assert is_gsm7(plain(text))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("a" * 158 + "€", True),
        ("a" * 159 + "€", False),
        ("ŵ" * 70, True),
        ("ŵ" * 71, False),
        ("a" * 69 + "ŵ", True),
        ("a" * 70 + "ŵ", False),
        ("😀" * 35, True),
        ("😀" * 36, False),
    ],
)
def test_one_segment(text: str, fits: bool) -> None:
    assert fits_one_sms(text) is fits


gsm = st.text(alphabet="abcXYZ 0189@£èÅÇ€{}[]~|^\\\n\r", max_size=40)


@given(gsm, gsm)
def test_septets_add_up(one: str, other: str) -> None:
    assert septets(one + other) == septets(one) + septets(other)
    assert len(one) <= septets(one) <= 2 * len(one)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_plain_is_done_once(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.characters(codec="utf-8"))
def test_more_text_never_costs_less_within_an_alphabet(text: str, more: str) -> None:
    if is_gsm7(text) == is_gsm7(text + more):
        assert units(text + more) > units(text)
