"""One fault of a book, said so that an officer finds the line to mend."""

from __future__ import annotations

from typing import NamedTuple

from gateway.domain.ussd.book import Book


class Fault(NamedTuple):
    """``key`` is an option's key or a text's; what does not matter is empty."""

    what: str
    language: str = ""
    menu: str = ""
    screen: str = ""
    key: str = ""

    def __str__(self) -> str:
        """``sw: family.toml: home: key 1: what is wrong``"""
        menu = f"{self.menu}.toml" if self.menu else ""
        return ": ".join(part for part in (self.language, menu, self.screen, self.key, self.what) if part)


def at(book: Book, screen: str, what: str, language: str = "", key: str = "") -> Fault:
    """A fault of a screen."""
    return Fault(what, language, book.screens[screen].menu, screen, key)
