"""A menu, or the whole book, as nodes and arrows: what Mermaid and SVG draw."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.ussd.book import Book, Language, ScreenSpec, item_keys, targets, text_keys
from gateway.domain.ussd.ways import ASK, CONTINUE

PORT, DIAL = "port", "dial"  # kinds of nodes beside those of screens: a screen of another menu, and the dialling
LINE = 30  # letters of a line on a node
TEXT_LINES = 4  # of a screen's text, before its options
HUB = 4  # screens that lead to one: from so many on it is named where it is led to, and no arrow drawn


@dataclass(frozen=True, slots=True)
class Node:
    """``text`` is what the phone shows, ``notes`` what it does not."""

    id: str
    kind: str
    title: str
    text: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    guard: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """``late``: taken when facts do not come in time."""

    source: str
    target: str
    label: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """In the order of the book."""

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def chart(book: Book, language: Language, menu: str = "") -> Chart:
    """One menu with the screens of others as ports, or all of them."""
    inside = {name: screen for name, screen in book.screens.items() if not menu or screen.menu == menu}
    hubs = _hubs(book)
    nodes = {name: _node(book, language, screen, hubs) for name, screen in inside.items()}
    arrows: list[Arrow] = []
    if book.start in inside:
        nodes = {"dial__": Node("dial__", DIAL, "*...#"), **nodes}
        arrows.append(Arrow("dial__", book.start))
    if book.resume_ask in inside:
        nodes = {"again__": Node("again__", DIAL, "*...# again"), **nodes}
        arrows.append(Arrow("again__", book.resume_ask))
    for name, screen in book.screens.items():
        for target, label, late in _ways(screen):
            if name not in inside and (target not in inside or target in hubs or late):
                continue
            if late and target in hubs:
                continue  # a note on the node says it
            source = name if name in inside else f"from__{name}"
            if source not in nodes:
                nodes[source] = _port(book, source, name)
            reached = target
            if target not in inside or (target in hubs and target != name):
                reached = f"to__{target}__{name}" if target in hubs else f"to__{target}"
                nodes.setdefault(reached, _port(book, reached, target))
            arrows.append(Arrow(source, reached, label, late))
    return Chart(menu or "book", tuple(nodes.values()), _joined(arrows))


def _hubs(book: Book) -> set[str]:
    leading = [target for screen in book.screens.values() for target in targets(screen)]
    return {name for name in book.screens if leading.count(name) >= HUB}


def _port(book: Book, id_: str, name: str) -> Node:
    return Node(id_, PORT, name, notes=(f"{book.screens[name].menu}.toml",))


def _ways(screen: ScreenSpec) -> Iterator[tuple[str, str, bool]]:
    """Target, label, and whether it is taken for facts that are late."""
    yield from ((option.goto, option.key, False) for option in screen.options)
    conditions = any(route.when for route in screen.routes)
    for route in screen.routes:
        said = ", ".join(f"{path.removesuffix('.state')}: {value}" for path, value in route.when)
        yield route.goto, said or ("else" if conditions else ""), False
    if screen.goto:
        yield screen.goto, "number" if screen.kind == "choose" else screen.accept, False
    if screen.failed:
        yield screen.failed, "late", True


def _joined(arrows: list[Arrow]) -> tuple[Arrow, ...]:
    """Two ways from one screen to another are one arrow with both labels."""
    labels: dict[tuple[str, str, bool], list[str]] = {}
    for arrow in arrows:
        labels.setdefault((arrow.source, arrow.target, arrow.late), []).append(arrow.label)
    return tuple(Arrow(s, t, " / ".join(filter(None, said)), late) for (s, t, late), said in labels.items())


def _node(book: Book, language: Language, screen: ScreenSpec, hubs: set[str]) -> Node:
    keys = text_keys(book, screen)
    text = [part for line in _said(language, keys[0]) for part in textwrap.wrap(line, LINE)] if keys else []
    if len(text) > TEXT_LINES:
        text = [*text[: TEXT_LINES - 1], "..."]
    if len(keys) > 1:
        text.append(f"({len(keys)} texts, by {screen.text.split('{')[1].split('.')[0]})")
    for option in screen.options:
        text += textwrap.wrap(f"{option.key} {_said(language, option.text)[0]}", LINE, subsequent_indent="  ")
    if screen.kind == "list":
        text += textwrap.wrap(f"* {_said(language, item_keys(screen)[0])[0]}", LINE, subsequent_indent="  ")
    return Node(screen.name, screen.kind, screen.name, tuple(text), tuple(_notes(screen, hubs)), screen.guard)


def _notes(screen: ScreenSpec, hubs: set[str]) -> Iterator[str]:
    """What the phone does not show."""
    if screen.guard:
        yield "confirmation of money"
    yield from (f"does {name}" for name in screen.does)
    if screen.needs:
        yield from textwrap.wrap(f"asks {', '.join(screen.needs)}", LINE)
    if screen.failed in hubs:
        yield f"late: {screen.failed}"
    if screen.top:
        yield "the way back ends"
    if screen.resume == CONTINUE:
        yield f"dropped: on at {screen.resume_at or screen.name}"
    elif screen.resume == ASK:
        yield f"dropped: asks, on at {screen.resume_at or screen.name}"


def _said(language: Language, key: str) -> list[str]:
    """The text's lines, its facts by their names."""
    source = language.texts[key].source
    return re.sub(r"\{(?:[a-z_0-9]+\.)*([a-z_0-9]+)(?::[a-z]+)?\}", "[\\1]", source).split("\n")
