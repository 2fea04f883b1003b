"""What a conversation that stands on a screen may still read: two that agree on it are the same place.

What counts is the book's data flow: what texts tell, routes compare, lists hold and ``put`` copies, less what is
forgotten, fetched anew or chosen again before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from gateway.domain.ussd.book import Book, ScreenSpec, text_keys
from gateway.domain.ussd.facts import FACTS, lookup

Reads = Mapping[str, frozenset[str]]


def reads(book: Book) -> Reads:
    """For each screen the paths that are read on it or later, before they are written.

    The keys for back and home are not followed: they lead to where the walk has been. The network is none of it before
    the screen that asks for it (``tells_networks``): whoever calls, any network may be the caller's.
    """
    found = {name: frozenset(_own(book, screen)) for name, screen in book.screens.items()}
    grown = True
    while grown:
        grown = False
        for name, screen in book.screens.items():
            later = found[name].union(*_later(book, screen, found))
            if later != found[name]:
                found[name], grown = later, True
    return found


def tells_networks(book: Book, screen: ScreenSpec) -> bool:
    """Whether the screen is another one for callers of another network."""
    return any(_is_network(path) for path in _own(book, screen))


def told(book: Book, screen: ScreenSpec) -> set[str]:
    """The paths that a screen's texts mention, in any language and state, and the one that picks the text."""
    keys = [*text_keys(book, screen), *(option.text for option in screen.options)]
    texts = (language.texts.get(key) for language in book.languages.values() for key in keys)
    picked = {screen.text.split("{")[1].split("}")[0]} if "{" in screen.text else set()
    return picked | {path for text in texts if text for path in text.paths()}


def signature(paths: frozenset[str], scope: dict[str, object]) -> tuple[object, ...]:
    """What is found at the paths; of a whole fact only whether it is there."""
    return tuple(_said(lookup(scope, path)) for path in _in_order(paths))


@lru_cache(maxsize=1_024)
def _in_order(paths: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(paths))


def _said(value: object) -> object:
    if isinstance(value, dict):
        return True
    return value if value is None or isinstance(value, (str, int)) else repr(value)


def _own(book: Book, screen: ScreenSpec) -> Iterator[str]:
    yield from told(book, screen)
    yield from screen.needs
    yield from (path for route in screen.routes for path, _ in route.when)
    if screen.source:
        yield screen.source


def _later(book: Book, screen: ScreenSpec, found: Reads) -> Iterator[frozenset[str]]:
    """What each way on may read, in terms of what stands here."""
    for option in screen.options:
        yield _entered(book, option.goto, found)
    for route in screen.routes:
        put = dict(route.put)
        yield frozenset(_before(path, put) for path in _entered(book, route.goto, found))
    if screen.goto:
        dropped = FACTS.keys() - {"caller"} if screen.kind == "choose" else set()
        yield _without(_entered(book, screen.goto, found), dropped | {screen.into})
    if screen.failed:
        yield _entered(book, screen.failed, found)


def _is_network(path: str) -> bool:
    return path.split(".")[0] == "network"


def _entered(book: Book, name: str, found: Reads) -> frozenset[str]:
    return _without(found[name], set(book.screens[name].forget))


def _without(paths: frozenset[str], names: set[str]) -> frozenset[str]:
    return frozenset(path for path in paths if path.split(".")[0] not in names and not _is_network(path))


def _before(path: str, put: Mapping[str, str]) -> str:
    """Where ``path`` is found before ``put`` has copied it."""
    name, dot, rest = path.partition(".")
    return f"{put[name]}{dot}{rest}" if name in put else path
