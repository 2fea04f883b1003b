"""Where conversations end: what a turn adds to the counts of screens.

A conversation *stands* at one screen at a time. It is *shown* the screen when a turn leaves it standing there and the
turn before did not; screens passed through within one turn are shown to nobody. It has *left* a screen when a further
turn shows another one, and the screen was *final* when the session ended with it. So, at any moment and for every
place::

    shown = left + final + stood

where *stood* are the conversations that still stand there. One that nobody goes on with stands for good: it was given
up there. How it was given up is known where somebody tells: *hung up* (by the caller or by a time limit of the
network) and *failed* (our reply or the network) by the channel, *cut* by ourselves (too many wrong answers, too many
keys, a fault of ours). The rest was silent.

A conversation that is dropped and *resumed* stands where it stood: it is shown nothing anew and had not left. If the
channel had told that it ended, that word is taken back by the resumption. Where it is asked whether to go on, it has
left for that question; led back by it, it is shown the screen again, but enters no menu anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.session import Left, Session


class ScreenEvent(StrEnum):
    """What is counted of a place."""

    ENTERED = "entered"  # shown to a conversation that stood in another menu, or nowhere yet
    SHOWN = "shown"
    LEFT = "left"
    FINAL = "final"
    HUNG_UP = "hung_up"
    FAILED = "failed"
    CUT = "cut"
    RESUMED = "resumed"


class Place(NamedTuple):
    """Where a conversation stands.

    ``missed`` is the fact that did not come on the way there; then ``menu`` is the one that needed it, and ``screen``
    what was shown instead.
    """

    menu: str
    screen: str
    missed: str = ""


Move = tuple[Place, ScreenEvent]


class Stand(NamedTuple):
    """What of a conversation decides what is counted, under the names that the session has for it."""

    screen: str
    missed: str
    page: int
    final: bool
    back_to: str = ""


def place_of(book: Book, session: Session | Stand | None) -> Place | None:
    """None before the first screen, and where the book has no such screen: a place is never made of foreign words."""
    screen = book.screens.get(session.screen) if session is not None else None
    if session is None or screen is None:
        return None
    needing, _, fact = session.missed.partition("/")
    menu = book.screens[needing].menu if needing in book.screens else screen.menu
    return Place(menu, screen.name, fact)


def gone_on_with(left: Left, after: Session) -> Session | None:
    """The dropped conversation that ``left`` this, as it stood, where a dial that came to ``after`` goes on with it.

    None where a fact that came too late ended the dial: then what was left waits for the next one. None too where one
    that came too late had ended the conversation itself: it stands nowhere any more.
    """
    if not left.stood or (after.final and after.left is not None):
        return None
    return after._replace(screen=left.stood, missed="", final=False)


def moves(book: Book, before: Session | Stand | None, after: Session | Stand, resumed: bool = False) -> Iterator[Move]:
    """What a turn adds.

    ``before`` is the conversation that the turn went on with, None where it is a new one. ``resumed``: the turn is the
    first of a new session which takes up the dropped conversation ``before``.
    """
    old, new = place_of(book, before), place_of(book, after)
    if resumed and old is not None:
        yield old, ScreenEvent.RESUMED
    if new is None or (before is not None and before.final):
        return
    if old != new:
        if old is not None:
            yield old, ScreenEvent.LEFT
        yield new, ScreenEvent.SHOWN
        led_back = before is not None and before.screen == book.resume_ask and before.back_to == new.menu
        if old is None or (old.menu != new.menu and not led_back):
            yield new, ScreenEvent.ENTERED
    if after.final:
        reached = old != new or (before is not None and before.page != after.page)
        # a last word that is no screen of the book is said where the conversation stands: it has not gone on
        is_last = reached and book.screens[new.screen].kind == "end"
        yield new, ScreenEvent.FINAL if is_last else ScreenEvent.CUT
