"""Pages in real units."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.segments import is_gsm7, units
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.render import paginate

NAV, MORE = "0 Rudi", "# Zaidi"
PREFIX = 4
GSM = "abz 019 ^{}[]~|€@"
CASES: list[tuple[str, list[str], str, int, list[str]]] = [
    ("one line", ["Asante"], "", 160, ["Asante"]),
    ("no line at all", [], "", 160, [""]),
    ("blank lines go", ["a", "", "b"], NAV, 160, ["a\nb\n0 Rudi"]),
    ("just fits, prefix and back counted", ["a" * 149], NAV, 160, ["a" * 149 + "\n0 Rudi"]),
    ("one unit more", ["a" * 75, "b" * 74], NAV, 160, ["a" * 75 + "\n# Zaidi\n0 Rudi", "b" * 74 + "\n0 Rudi"]),
    ("an escaped character costs two", ["a" * 74, "€" * 37 + "b"], NAV, 160, [
        "a" * 74 + "\n# Zaidi\n0 Rudi", "€" * 37 + "b\n0 Rudi",
    ]),
    ("typographic letters become plain", ["“Ng’ombe”"], "", 160, ["\"Ng'ombe\""]),
    (
        "a long line breaks between words",
        [" ".join(["maji"] * 40)],
        NAV,
        160,
        [" ".join(["maji"] * 28) + "\n# Zaidi\n0 Rudi", " ".join(["maji"] * 12) + "\n0 Rudi"],
    ),
    (
        "a word longer than a page breaks anywhere",
        ["x" * 200],
        "",
        160,
        ["x" * 148 + "\n# Zaidi", "x" * 52],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "nav", "limit", "pages"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_lines_become_these_pages(lines: list[str], nav: str, limit: int, pages: list[str]) -> None:
    assert paginate(lines, nav, MORE, Frame(limit)) == pages


TEXTS = st.lists(st.text(alphabet=GSM, max_size=120) | st.text(alphabet="€ab ", max_size=400), max_size=12)


@settings(max_examples=300, deadline=None)
@given(lines=TEXTS, nav=st.sampled_from(["", NAV]), limit=st.sampled_from([140, 160, 182]))
def test_pages_hold_every_word_and_no_page_is_too_long(lines: list[str], nav: str, limit: int) -> None:
    pages = paginate(lines, nav, MORE, Frame(limit))
    for number, page in enumerate(pages):
        assert units(page) <= limit - PREFIX
        expected = ([MORE] if number < len(pages) - 1 else []) + ([nav] if nav else [])
        assert page.split("\n")[len(page.split("\n")) - len(expected) :] == expected
    bodies = [body(page, number < len(pages) - 1, nav) for number, page in enumerate(pages)]
    # nothing lost, nothing added, nothing moved
    assert "".join("".join(bodies).split()) == "".join("".join(lines).split())
    # what fits a page is cut nowhere
    room = limit - PREFIX - units(f"\n{MORE}\n{nav}" if nav else f"\n{MORE}")
    placed = [line for one in bodies for line in one.split("\n")]
    for line in lines:
        if line and units(line) <= room:
            assert line in placed
    words = {word for line in placed for word in line.split(" ")}
    for word in (word for line in lines for word in line.split()):
        assert units(word) > room or word in words


def body(page: str, more: bool, nav: str) -> str:
    return page.removesuffix(f"\n{nav}" if nav else "").removesuffix(f"\n{MORE}" if more else "").removesuffix(nav)


def octets(page: str) -> int:
    """What a page weighs on the air: 7 bits a septet, or two octets a unit of UCS-2."""
    return -(-units(page) * 7 // 8) if is_gsm7(page) else units(page) * 2


@given(lines=st.lists(st.text(alphabet="abc ŵ😀", max_size=60), max_size=12))
def test_a_letter_outside_the_alphabet_does_not_outweigh_the_channel(lines: list[str]) -> None:
    assert all(octets(page) <= octets("a" * 160) for page in paginate(lines, NAV, MORE, Frame(160)))
