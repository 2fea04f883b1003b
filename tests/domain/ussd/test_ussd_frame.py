"""What a text takes of a screen, counted as each kind of channel counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.ussd.frame import ALPHABETS, COUNTS, Frame, clean, cost, sent
from gateway.domain.ussd.render import paginate

SEPTETS = Frame()
UCS2 = Frame(80, "ucs2", prefix=0)
CHARACTERS = Frame(160, "characters", prefix=0)
BYTES = Frame(182, "bytes", "<br>", prefix=0, entities=True)
PLAIN_BYTES = Frame(182, "bytes", prefix=0)
FRAMES = {"septets": SEPTETS, "ucs2": UCS2, "characters": CHARACTERS, "bytes": BYTES, "plain bytes": PLAIN_BYTES}

COSTS: list[tuple[str, dict[str, int]]] = [
    ("Bima", {"septets": 4, "ucs2": 4, "characters": 4, "bytes": 4, "plain bytes": 4}),
    ("a\nb", {"septets": 3, "ucs2": 3, "characters": 3, "bytes": 6, "plain bytes": 3}),
    ("{€}", {"septets": 6, "ucs2": 3, "characters": 3, "bytes": 5, "plain bytes": 5}),
    ("a&b<c", {"septets": 5, "ucs2": 5, "characters": 5, "bytes": 12, "plain bytes": 5}),
    ("é", {"septets": 1, "ucs2": 1, "characters": 1, "bytes": 2, "plain bytes": 2}),
    ("ŵ", {"septets": 3, "ucs2": 1, "characters": 1, "bytes": 2, "plain bytes": 2}),
    ("😀", {"septets": 5, "ucs2": 2, "characters": 1, "bytes": 4, "plain bytes": 4}),
    ("", {"septets": 0, "ucs2": 0, "characters": 0, "bytes": 0, "plain bytes": 0}),
]


@pytest.mark.parametrize(("text", "costs"), COSTS, ids=[repr(text) for text, _ in COSTS])
def test_a_text_costs_this(text: str, costs: dict[str, int]) -> None:
    assert {name: cost(frame, text) for name, frame in FRAMES.items()} == costs


def test_a_line_break_costs_what_is_sent() -> None:
    for counted in COUNTS:
        assert cost(Frame(counted=counted, newline="<br>"), "a\nb") == 6


@pytest.mark.parametrize(
    ("frame", "text", "wire"),
    [
        (SEPTETS, "a\n<b>&", "a\n<b>&"),
        (BYTES, "a\n<b>&", "a<br>&lt;b&gt;&amp;"),
        (BYTES, "&lt;<br>", "&amp;lt;&lt;br&gt;"),
        (Frame(newline="\r\n"), "a\nb", "a\r\nb"),
    ],
)
def test_a_text_is_sent_so(frame: Frame, text: str, wire: str) -> None:
    assert sent(frame, text) == wire


@pytest.mark.parametrize(
    ("alphabet", "text", "said"),
    [
        ("any", "Ng’ombe “á” ŵ 你", 'Ng\'ombe "á" ŵ 你'),
        ("gsm7", "Ng’ombe “á” ŵ 你 à é ç", 'Ng\'ombe "a" w ? à é c'),
        ("gsm7", "{€}", "{€}"),
        ("ascii", "Señor à é ñ €", "Senor a e n ?"),
        ("ascii", "½ ﬁ ²", "? fi 2"),
        ("any", "a\x00b\x1bc\td\re\x7f", "a b c d e "),
        ("any", "a\u202eb\u200bc\ufeff", "abc"),
        ("any", "a\u2028b\u00a0c", "a b c"),
        ("any", "a\ud800b\uffff", "a?b?"),
        ("any", "a\nb", "a\nb"),
    ],
)
def test_what_the_alphabet_does_not_hold_is_replaced(alphabet: str, text: str, said: str) -> None:
    assert clean(Frame(alphabet=alphabet), text) == said


def test_typographic_characters_go_before_anything_is_counted() -> None:
    """One of them would make a hundred and sixty septets seventy letters."""
    assert paginate(["’" * 156], "", "# Zaidi", SEPTETS) == ["'" * 156]


PAGES: list[tuple[str, Frame, list[str], list[str]]] = [
    ("line breaks of four bytes", BYTES._replace(units=80), ["a" * 22, "b" * 22, "c" * 22],
     ["a" * 22 + "\n" + "b" * 22 + "\n# Zaidi\n0 Rudi", "c" * 22 + "\n0 Rudi"]),
    ("entities as sent", BYTES._replace(units=80), ["&" * 10, "b" * 20],
     ["&" * 10 + "\n# Zaidi\n0 Rudi", "b" * 20 + "\n0 Rudi"]),
    ("an entity is not cut in two", BYTES._replace(units=80), ["&" * 30],
     ["&" * 11 + "\n# Zaidi\n0 Rudi", "&" * 11 + "\n# Zaidi\n0 Rudi", "&" * 8 + "\n0 Rudi"]),
    ("a surrogate pair is not cut in two", UCS2, ["a" + "😀" * 50],
     ["a" + "😀" * 32 + "\n# Zaidi\n0 Rudi", "😀" * 18 + "\n0 Rudi"]),
    ("an escape is not cut in two", Frame(80), ["a" + "€" * 40],
     ["a" + "€" * 30 + "\n# Zaidi\n0 Rudi", "€" * 10 + "\n0 Rudi"]),
    ("bytes of one letter stay together", PLAIN_BYTES._replace(units=80), ["x" + "é" * 60],
     ["x" + "é" * 32 + "\n# Zaidi\n0 Rudi", "é" * 28 + "\n0 Rudi"]),
    ("items stay whole", CHARACTERS._replace(units=80), ["1 " + "a" * 40, "2 " + "b" * 40],
     ["1 " + "a" * 40 + "\n# Zaidi\n0 Rudi", "2 " + "b" * 40 + "\n0 Rudi"]),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "lines", "pages"), [c[1:] for c in PAGES], ids=[c[0] for c in PAGES])
def test_lines_become_these_pages(frame: Frame, lines: list[str], pages: list[str]) -> None:
    assert paginate(lines, "0 Rudi", "# Zaidi", frame) == pages


def as_the_network_counts(frame: Frame, page: str) -> int:
    """A second opinion: on the bytes that would leave, not on the text."""
    wire = page.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") if frame.entities else page
    wire = wire.replace("\n", frame.newline)
    if frame.counted == "bytes":
        return len(wire.encode())
    if frame.counted == "ucs2":
        return len(wire.encode("utf-16-le")) // 2
    return len(wire)


ANY = st.text(alphabet=st.sampled_from("ab 01é€{ŵ😀&<’\t\x00\ud800\n習"), max_size=80)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(ANY, max_size=8),
    nav=st.sampled_from(["", "0 Rudi"]),
    units=st.sampled_from([80, 140, 160, 182]),
    name=st.sampled_from([*FRAMES]),
    alphabet=st.sampled_from(ALPHABETS),
)
def test_no_page_outgrows_its_channel_and_nothing_is_lost(
    lines: list[str], nav: str, units: int, name: str, alphabet: str
) -> None:
    frame = FRAMES[name]._replace(units=units, alphabet=alphabet)
    pages = paginate(lines, nav, "# Zaidi", frame)
    for number, page in enumerate(pages):
        assert cost(frame, page) <= frame.room
        if frame.counted != "septets":
            assert as_the_network_counts(frame, page) <= frame.room
        page.encode()
        tail = (["# Zaidi"] if number < len(pages) - 1 else []) + ([nav] if nav else [])
        assert page.split("\n")[len(page.split("\n")) - len(tail) :] == tail
    shown = "".join("".join(_body(page, n < len(pages) - 1, nav)) for n, page in enumerate(pages))
    assert "".join(shown.split()) == "".join("".join(clean(frame, line) for line in lines).split())


def _body(page: str, more: bool, nav: str) -> str:
    tail = (["# Zaidi"] if more else []) + ([nav] if nav else [])
    lines: list[Any] = page.split("\n")
    return "\n".join(lines[: len(lines) - len(tail)])
