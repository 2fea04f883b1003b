"""What is told where a conversation cannot be kept: what one dials for, as the last screen, without its menu."""

from __future__ import annotations

from dataclasses import replace

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.machine import pages_of
from gateway.domain.ussd.render import paginate
from gateway.domain.ussd.session import Session

_OTHERS = "end.others_later"


def told_alone(book: Book, session: Session) -> str | None:
    """The text of a screen with a goal, if that is one page; None for any other, which would lead nowhere.

    Where there is room it says that another call is needed for all else.
    """
    screen = book.screens.get(session.screen)
    if screen is None or not screen.goal:
        return None
    told = pages_of(book, session, replace(screen, options=()), trail=())
    if len(told) > 1:
        return None
    others = book.language(session.language).say(_OTHERS, {})
    with_others = paginate([*told[0].split("\n"), others], "", "", session.frame)
    return with_others[0] if len(with_others) == 1 else told[0]
