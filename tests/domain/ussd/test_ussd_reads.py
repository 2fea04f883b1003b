"""What may still be read of a conversation: the book's data flow, by small books."""

from __future__ import annotations

from typing import Any

import pytest
from played.talk import BOOK, new_session

from gateway.domain.ussd.book import Book, Language, Option, Route, ScreenSpec, Template
from gateway.domain.ussd.explore import explore, place
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.reads import reads, signature, tells_networks
from gateway.domain.ussd.session import Left

END = {"kind": "end", "text": "tells"}
MENU = {"kind": "menu", "text": "none"}


def spec(name: str, goes: str = "", routes: Any = (), **raw: Any) -> ScreenSpec:
    options = (Option("1", "none", goes),) if goes else ()
    ways = tuple(Route(r["goto"], tuple(r.get("when", {}).items()), tuple(r.get("put", {}).items())) for r in routes)
    listed = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return ScreenSpec(name=name, options=options, routes=ways, **listed)


def book(**screens: dict[str, Any]) -> Book:
    """Unchecked: ``tells`` mentions the bill's number, ``none`` nothing. ``goes``: where the only option leads."""
    texts = {"tells": Template("{bill.number:number}"), "family": Template("{family.label}"), "none": Template("x")}
    made = {name: spec(name, **raw) for name, raw in screens.items()}
    return Book("a", made, {"sw": Language("sw", "Kiswahili", texts)}, networks=("one", "two"))


CASES: list[tuple[str, dict[str, dict[str, Any]], set[str]]] = [
    ("its own text", {"a": END}, {"bill.number"}),
    ("a text farther on", {"a": {**MENU, "goes": "b"}, "b": END}, {"bill.number"}),
    ("round a circle", {"a": {**MENU, "goes": "b"}, "b": {**MENU, "goes": "c"}, "c": {**MENU, "goes": "a"}}, set()),
    ("what is fetched anew is not read", {"a": {**MENU, "goes": "b"}, "b": {**END, "forget": ["bill"]}}, set()),
    (
        "whether a fact is there",
        {"a": {**MENU, "goes": "b"}, "b": {**MENU, "goes": "b", "needs": ["quote"], "failed": "a"}},
        {"quote"},
    ),
    (
        "what a route compares",
        {
            "a": {"kind": "route", "routes": [{"goto": "b", "when": {"quote.state": "payable"}}, {"goto": "b"}]},
            "b": MENU,
        },
        {"quote.state"},
    ),
    (
        "what a route copies is read where it came from",
        {
            "a": {"kind": "route", "routes": [{"goto": "b", "put": {"family": "caller.families.0"}}]},
            "b": {"kind": "end", "text": "family"},
        },
        {"caller.families.0.label"},
    ),
    (
        "a choice reads its list and drops what was fetched",
        {
            "a": {"kind": "choose", "text": "none", "source": "caller.families", "into": "family", "goto": "b"},
            "b": {"kind": "menu", "text": "family", "goes": "c"},
            "c": END,
        },
        {"caller.families"},
    ),
    (
        "what is typed is not what was typed before",
        {"a": {"kind": "input", "text": "none", "accept": "chfid", "into": "bill", "goto": "b"}, "b": END},
        set(),
    ),
    ("what is told when a fact does not come", {"a": {**MENU, "failed": "b"}, "b": END}, {"bill.number"}),
]


@pytest.mark.parametrize(("screens", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_the_first_screen_may_still_read(screens: dict[str, dict[str, Any]], found: set[str]) -> None:
    assert reads(book(**{name: dict(raw) for name, raw in screens.items()}))["a"] == found


def test_a_signature_holds_values_and_of_a_whole_fact_that_it_is_there() -> None:
    scope: dict[str, object] = {"bill": {"number": "1", "list": [1, 2]}}
    assert signature(frozenset({"bill", "bill.number", "bill.list", "quote"}), scope) == (True, "[1, 2]", "1", None)


def test_places_differ_by_what_is_seen_and_by_what_will_be() -> None:
    live = reads(BOOK)
    one = new_session()._replace(screen="home", values={"family": {"state": "covered"}})
    assert place(live, one) != place(live, one._replace(values={"family": {"state": "expired"}}))
    assert place(live, one) != place(live, one._replace(language="en"))
    assert place(live, one) != place(live, one._replace(page=1))
    assert place(live, one) == place(live, one._replace(keys=7, wrong=2, facts={"enquiry": {"state": "none"}}))


def test_places_differ_by_what_dialling_again_takes_up() -> None:
    live, left = reads(BOOK), Left("confirm", "renewal", "sw", {"family": 1}, {})
    asked = new_session()._replace(screen="resume", left=left)
    others = [left._replace(screen="number_how"), left._replace(language="en"), left._replace(chosen={"family": 2})]
    assert all(place(live, asked) != place(live, asked._replace(left=other)) for other in (None, *others))
    assert {"family", "family.id"} <= live["confirm"], "whose it is, is looked up again"


TELLS = {"kind": "end", "text": "x.{network.state}"}  # not among the texts: the key stands for it
ON_THE_WAY = {"a": {**MENU, "goes": "b"}, "b": {"kind": "route", "routes": [{"goto": "c"}]}, "c": TELLS}


def test_a_route_by_the_network_is_taken_for_each() -> None:
    by_network = [{"goto": "c", "when": {"network.state": "one"}}, {"goto": "d"}]
    told = book(a={**MENU, "goes": "b"}, b={"kind": "route", "routes": by_network}, c=END, d={**END, "text": "none"})
    edges = explore(told, Frame())
    assert {edge.step.session.screen for edge in edges} == {"a", "c", "d"}
    assert {e.step.session.network for e in edges if e.step.session.screen == "c"} == {"one"}


@pytest.mark.parametrize("screens", [{"a": TELLS}, ON_THE_WAY], ids=["the first screen", "a screen farther on"])
def test_a_network_is_told_apart_where_the_book_does_and_not_before(screens: dict[str, dict[str, Any]]) -> None:
    told = book(**screens)
    edges = explore(told, Frame())
    by_screen: dict[str, set[str]] = {}
    for edge in edges:
        by_screen.setdefault(edge.step.session.screen, set()).add(edge.step.session.network)
    asking = {name for name in by_screen if tells_networks(told, told.screens[name])}
    assert by_screen == {name: {"one", "two", "other"} if name in asking else {"other"} for name in by_screen}
    assert {edge.step.reply for edge in edges if edge.step.final} == {"x.one", "x.two", "x.other"}
