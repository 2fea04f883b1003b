"""What may still be read of a conversation: the book's data flow, by small books."""

from __future__ import annotations

from typing import Any

import pytest
from played.talk import BOOK, new_session

import menus
from gateway.domain.ussd.book import Book, Language, Option, Route, ScreenSpec, Template, load_book
from gateway.domain.ussd.explore import explore, place
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.reads import reads, signature, tells_networks
from gateway.domain.ussd.samples import CALLERS
from gateway.domain.ussd.session import OTHER_NETWORK

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


def test_networks_are_told_apart_where_the_book_does() -> None:
    """Every network's text is seen, by way of a screen that is the same for all."""
    data, languages = menus.read()
    networks = [*data["networks"], OTHER_NETWORK]
    data["screens"]["help_pay"] |= {"text": "pays.{network.state}"}
    for texts in languages.values():
        texts |= {f"pays.{network}": f"pay {network}" for network in networks}
    told = load_book(data, languages)
    assert not tells_networks(told, told.screens["help"])
    seen = {edge.step.reply for edge in explore(told, Frame(), [CALLERS["covered"]])}
    assert seen >= {f"pay {network}" for network in networks}
    plain = explore(BOOK, Frame(), [CALLERS["covered"]])
    assert {edge.step.session.network for edge in plain} == {OTHER_NETWORK}
