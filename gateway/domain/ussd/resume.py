"""Taking up a conversation that the network dropped: what it leaves, and what dialling again makes of that.

The first screens are entered as ever, so that their facts are fresh, and passed as the caller answered them before.
Then the way back leads through the routes that fetch what the screen shows. A choice that is no longer the caller's
ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.domain.ussd.book import Book, ScreenSpec
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.session import Left, Session
from gateway.domain.ussd.ways import ASK, CONTINUE, RESTART

ENTERING = "entering"  # the first screens are passed; the facts of the way back are being fetched


def leaving(book: Book, session: Session, screen: ScreenSpec, trail: tuple[str, ...]) -> Left | None:
    """What the conversation leaves on a screen that goes on; None where dialling again loses nothing."""
    if screen.name == book.resume_ask:
        return session.left._replace(stood=session.left.stood and screen.name) if session.left else None
    if screen.resume == RESTART or not trail or not book.limits.resume_minutes:
        return None
    chosen: dict[str, Any] = {}
    typed: dict[str, str] = {}
    for name in book.resume_uses.get(screen.name, ()):
        value = session.values.get(name)
        if isinstance(value, str):
            typed[name] = value
        elif isinstance(value, dict) and "id" in value:
            chosen[name] = value["id"]
        else:
            return None  # there would be no way back
    return Left(screen.name, screen.menu, session.language, chosen, typed, stood=screen.name)


def resumed(book: Book, session: Session, left: Left) -> Session:
    """The conversation as it begins, with what is to be taken up; as it is where the book would not."""
    screen = book.screens.get(left.screen)
    if screen is None or screen.resume == RESTART or not book.limits.resume_minutes:
        return session
    language = left.language if left.language in book.languages else session.language
    notice = "nav.resumed" if screen.resume == CONTINUE else ""
    told = left._replace(menu=screen.menu)  # as the book has it now
    return session._replace(language=language, left=told, resuming=screen.resume, notice=notice)


def stands(book: Book, session: Session, left: Left) -> bool:
    """Whether all that was chosen is still the caller's, and nothing lacks that the way back uses."""
    uses = book.resume_uses.get(left.screen, ())
    same = all(_id(session.values.get(name)) == chosen for name, chosen in left.chosen.items())
    return same and all(name in left.chosen or name in left.typed for name in uses)


def chosen_again(book: Book, session: Session, left: Left) -> Session:
    """The session with what was chosen behind the first screens: an officer's own family is."""
    values = dict(session.values)
    for name in left.chosen.keys() - values.keys():
        for screen in book.screens.values():
            if screen.kind == "choose" and screen.into == name:
                same = [item for item in _listed(session, screen.source) if _id(item) == left.chosen[name]]
                values |= {name: same[0]} if same else {}
    return session._replace(values=values)


def _listed(session: Session, source: str) -> Sequence[object]:
    items = lookup(dict(session.facts), source)
    return items if isinstance(items, (list, tuple)) else ()


def _id(value: object) -> object:
    return value.get("id") if isinstance(value, dict) else None


def way_back(book: Book, session: Session, left: Left) -> tuple[Session, str]:
    """From the last of the first screens, which the session is on, to where it goes on: a screen or the question."""
    screen = book.screens[left.screen]
    if session.resuming == ASK:
        return session._replace(screen="", trail=(), resuming=""), book.resume_ask
    values = {**left.typed, **session.values}
    return session._replace(resuming=ENTERING, values=values), screen.resume_at or screen.name


def not_taken_up(session: Session) -> Session:
    """It begins at the start, as if nothing had been left."""
    return session._replace(left=None, resuming="", notice="")


def decided(session: Session, on: bool) -> Session:
    """After the question: from the start, on to what was left or anew."""
    begun = session._replace(screen="", trail=(), values={})
    if not on or session.left is None:
        return begun._replace(left=None)
    return begun._replace(resuming=CONTINUE, left=session.left._replace(stood=""))
