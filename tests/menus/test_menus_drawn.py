"""Pictures of menus: nothing is missing, nothing lies on anything else, and those in the docs are of this book."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played.talk import BOOK

from gateway.domain.ussd.book import KINDS, STYLES, ScreenSpec, targets
from gateway.menu_tools.catalogue import catalogue
from gateway.menu_tools.chart import DIAL, PORT, Chart, Node, chart
from gateway.menu_tools.layers import Layout, Size, lay_out
from gateway.menu_tools.mermaid import mermaid
from gateway.menu_tools.svg import svg

DOCS = Path(__file__).parents[2] / "docs" / "menus"
MENUS = list(dict.fromkeys(screen.menu for screen in BOOK.screens.values()))
SWAHILI = BOOK.language("sw")
STALE = "the docs are behind the menus: make menus-drawn"


@pytest.mark.parametrize("menu", ["", *MENUS])
def test_the_pictures_in_the_docs_are_of_these_menus(menu: str) -> None:
    drawn = chart(BOOK, SWAHILI, menu)
    assert (DOCS / f"{drawn.title}.mmd").read_text("utf-8") == mermaid(drawn), STALE


def test_the_docs_hold_no_picture_of_a_menu_that_is_gone() -> None:
    assert {path.stem for path in DOCS.glob("*.mmd")} == {path.stem for path in DOCS.glob("*.svg")} == {"book", *MENUS}


def test_the_guide_shows_every_menu_and_tells_every_word_of_a_screen() -> None:
    guide = (DOCS.parent / "menus.md").read_text("utf-8")
    assert all(f"![{menu}](menus/{menu}.svg)" in guide for menu in MENUS)
    words = {field.name for field in fields(ScreenSpec)} - {"name", "menu", "kind"}
    words |= {*KINDS, *STYLES, "languages"} - {""}
    assert [word for word in sorted(words) if not re.search(rf"`:?{word}`", guide)] == []


def test_what_menus_may_name_is_in_the_docs() -> None:
    assert (DOCS / "facts.md").read_text("utf-8") == catalogue(), STALE


def test_every_screen_key_and_way_is_in_the_picture_of_the_book() -> None:
    drawn = chart(BOOK, SWAHILI)
    nodes = {node.id: node for node in drawn.nodes}
    assert nodes.keys() >= {*BOOK.screens, "dial__"}
    reached = {(a.source, nodes[a.target].title) for a in drawn.arrows}
    for name, screen in BOOK.screens.items():
        noted = {note.removeprefix("late: ") for note in nodes[name].notes}
        assert {target for target in targets(screen) if (name, target) not in reached} <= noted
        labels = " / ".join(a.label for a in drawn.arrows if a.source == name).split(" / ")
        assert set(labels) >= {option.key for option in screen.options}
        for option in screen.options:
            assert any(line.startswith(f"{option.key} ") for line in nodes[name].text)
    for name in BOOK.screens:
        assert nodes[name].guard == ("confirmation of money" in nodes[name].notes) == BOOK.screens[name].guard
        assert set(nodes[name].notes) >= {f"does {effect}" for effect in BOOK.screens[name].does}


@pytest.mark.parametrize("menu", MENUS)
def test_a_menu_is_drawn_with_the_screens_of_others_as_ports(menu: str) -> None:
    drawn = chart(BOOK, SWAHILI, menu)
    own = {node.id for node in drawn.nodes if node.kind not in (PORT, DIAL)}
    assert own == {name for name, screen in BOOK.screens.items() if screen.menu == menu}
    for node in drawn.nodes:
        if node.kind == PORT:
            assert node.notes == (f"{BOOK.screens[node.title].menu}.toml",)
    assert all(arrow.source in own or arrow.target in own for arrow in drawn.arrows)


def test_what_means_something_to_mermaid_is_written_as_numbers() -> None:
    odd = Chart("odd", (Node("end", "menu", "end", ('1. "Lipa" [sasa] #1 <b>',), guard=True),), ())
    assert mermaid(odd).split("\n")[1] == ('  s_end("<b>end</b><br>1#46; #34;Lipa#34; [sasa] #35;1 #60;b#62;"):::guard')


def test_a_picture_is_xml_and_shows_what_the_phone_shows() -> None:
    root = ET.fromstring(svg(chart(BOOK, SWAHILI)))
    said = {element.text for element in root.iter() if element.tag.endswith("}text")}
    assert {"home", "1 Lipia bima", "asks quote", "confirmation of money"} <= said


# -------------------------------------------------------------------------------------------------------------- layout

WIDTHS = st.tuples(st.integers(20, 260), st.integers(14, 160))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[tuple[str, str, Size]]]:
    """Up to thirty boxes with any arrows: circles, loops, twins, and parts of their own."""
    boxes = {f"b{n}": draw(WIDTHS) for n in range(draw(st.integers(1, 30)))}
    names = st.sampled_from(sorted(boxes))
    arrows = st.tuples(names, names, st.tuples(st.integers(4, 140), st.just(14)))
    return dict(boxes), draw(st.lists(arrows, max_size=45))


@settings(max_examples=60, deadline=None)
@given(graph=graphs())
def test_nothing_lies_on_anything_else(graph: tuple[dict[str, Size], list[tuple[str, str, Size]]]) -> None:
    boxes, arrows = graph
    laid = lay_out(boxes, arrows)
    placed = [(laid.boxes[name], size) for name, size in boxes.items()]
    placed += [(at, arrow[2]) for at, arrow in zip(laid.labels, arrows, strict=True)]
    for number, (at, size) in enumerate(placed):
        assert size[0] / 2 <= at[0] <= laid.size[0] - size[0] / 2
        assert size[1] / 2 <= at[1] <= laid.size[1] - size[1] / 2
        for other, beside in placed[number + 1 :]:
            apart = (
                abs(at[0] - other[0]) >= (size[0] + beside[0]) / 2 or abs(at[1] - other[1]) >= (size[1] + beside[1]) / 2
            )
            assert apart, (at, size, other, beside)
    _arrows_join_their_boxes(laid, boxes, arrows)


def _arrows_join_their_boxes(laid: Layout, boxes: dict[str, Size], arrows: list[tuple[str, str, Size]]) -> None:
    for way, (source, target, _) in zip(laid.ways, arrows, strict=True):
        for (x, y), name in ((way[0], source), (way[-1], target)):
            (middle_x, middle_y), (width, height) = laid.boxes[name], boxes[name]
            assert abs(x - middle_x) <= width / 2
            assert abs(abs(y - middle_y) - height / 2) < 0.01
    at_target = [(way[-1], target) for way, (_, target, _) in zip(laid.ways, arrows, strict=True)]
    loops = {target for source, target, _ in arrows if source == target}
    apart = [end for end in at_target if end[1] not in loops]
    assert len(set(apart)) == len(apart), "two arrows end at one point"


def test_arrows_lead_down_where_nothing_goes_round() -> None:
    sizes = {name: (40.0, 20.0) for name in "abcd"}
    laid = lay_out(sizes, [("a", "b", (4, 14)), ("b", "c", (4, 14)), ("a", "d", (4, 14)), ("d", "c", (4, 14))])
    height = {name: laid.boxes[name][1] for name in sizes}
    assert height["a"] < height["b"] == height["d"] < height["c"]


# -------------------------------------------------------------------------------------------------------------- command


def draw(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "menus", "draw", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_one_menu_in_another_language(tmp_path: Path) -> None:
    done = draw("--menu", MENUS[0], "--language", "en", "--out", str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "new").iterdir()} == {f"{MENUS[0]}.mmd", f"{MENUS[0]}.svg"}
    assert (tmp_path / "new" / f"{MENUS[0]}.mmd").read_text("utf-8") == mermaid(
        chart(BOOK, BOOK.language("en"), MENUS[0])
    )


@pytest.mark.parametrize(("option", "said"), [("--menu", "no menu 'x'; there are "), ("--language", "no language 'x'")])
def test_a_name_that_is_none(option: str, said: str, tmp_path: Path) -> None:
    done = draw(option, "x", "--out", str(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
