"""Where the screens of a book lead, with a key and without one."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.ussd.book import Book, ScreenSpec

DIALLING = ""  # among the screens whose keys lead somewhere: it comes with the first screen


def targets(screen: ScreenSpec) -> list[str]:
    """Every screen that one can come to from here, back and home aside."""
    ways = [option.goto for option in screen.options] + [route.goto for route in screen.routes]
    return list(dict.fromkeys(ways + [name for name in (screen.goto, screen.failed) if name]))


def led_from(book: Book) -> Mapping[str, list[str]]:
    """For each screen those that lead to it."""
    found: dict[str, list[str]] = {name: [] for name in book.screens}
    for name, screen in book.screens.items():
        for following in targets(screen):
            found[following].append(name)
    return found


def keyed(book: Book, leading: Mapping[str, list[str]], name: str) -> set[str]:
    """The screens whose keys lead here, routes passed; ``DIALLING`` too where no key is wanted."""
    found: set[str] = set()
    waiting, known = [name], {name}
    while waiting:
        passed = waiting.pop()
        if passed == book.start:
            found.add(DIALLING)
        for before in leading[passed]:
            if book.screens[before].kind != "route":
                found.add(before)
            elif before not in known:
                known.add(before)
                waiting.append(before)
    return found
