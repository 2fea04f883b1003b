"""What of a menu book does not fit a channel's screens: found when the book is checked, not by a caller."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.domain.ussd.book import Book, Language
from gateway.domain.ussd.frame import Frame, clean
from gateway.domain.ussd.render import paginate


def misfits(book: Book, frame: Frame) -> Iterator[str]:
    """Each option that a page must break in two, and each last sentence that is cut, in every language.

    A screen of many lines is no fault: it goes on pages. Names and amounts are not known here.
    """
    for language in book.languages.values():
        nav, more = (language.say(key, {}) for key in ("nav.back", "nav.more"))
        for screen in book.screens.values():
            for option in screen.options:
                line = f"{option.key} {language.say(option.text, {})}"
                # beside a line that fills what is left, so that the page has to say "more"
                pages = paginate([line, "x" * frame.units], nav, more, frame)
                if clean(frame, line) not in pages[0].split("\n"):
                    yield f"{language.code}: screen {screen.name}: option {option.key} does not fit a page"
        yield from _cut(language, frame)


def _cut(language: Language, frame: Frame) -> Iterator[str]:
    for key in sorted(language.texts):
        if key.startswith("end.") and len(paginate(language.say(key, {}).split("\n"), "", "", frame)) > 1:
            yield f"{language.code}: {key!r} does not fit one screen"
