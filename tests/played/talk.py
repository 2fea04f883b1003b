"""A phone without a network: keys in, screens out, the session written down and read again between any two events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import menus
from gateway.domain.ussd import explore
from gateway.domain.ussd.book import Book, load_book
from gateway.domain.ussd.explore import LATE, as_event
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import Event, Started, Step, step
from gateway.domain.ussd.samples import Fact
from gateway.domain.ussd.session import OTHER_NETWORK, Left, Session
from gateway.menu_tools.talk import Answerer, Seen, from_table, said_ask, said_effect
from gateway.menu_tools.talk import Talk as PlainTalk
from gateway.service.session_codec import dump, dump_left, load, load_left

__all__ = ["LATE", "Answerer", "Fact", "Seen", "Talk", "as_event", "from_table", "said_ask", "said_effect"]

BOOK = load_book(*menus.read())
MSISDN = "+255754100200"


def new_session(
    language: str = "sw",
    limit: int = 160,
    msisdn: str = MSISDN,
    frame: Frame | None = None,
    network: str = OTHER_NETWORK,
) -> Session:
    """A conversation that has not begun. ``limit``: septets of one screen, with four before the text."""
    return Session("ATUid_1", "africastalking", msisdn, language, frame or Frame(limit), network=network)


def kept(session: Session) -> Session:
    """The session after the store had it."""
    again = load(dump(session))
    assert again == session, "a session is not what the store gives back"
    return again


def left_by(session: Session) -> Left | None:
    """What the session leaves, as the store gives it back."""
    if session.left is None:
        return None
    again = load_left(dump_left(session.left, session.frame), session.frame)
    assert again == session.left, "what is left is not what the store gives back"
    return again


def dialled_again(session: Session) -> tuple[Session, Started]:
    """The network drops the session and the phone dials again."""
    return explore.dialled_again(BOOK, session._replace(left=left_by(session)))


def one_step(book: Book, session: Session, event: Event) -> Step:
    """``step`` on the session as the store gives it back; the same event on the same session gives the same step."""
    before = dump(session)
    taken = step(book, kept(session), event)
    assert dump(session) == before, "the machine changed a session that it was given"
    assert taken == step(book, kept(session), event), "the machine is not deterministic"
    kept(taken.session)
    assert len(taken.asks) <= 1
    assert (taken.reply is None) == bool(taken.asks), "a reply or an ask, never both and never neither"
    return taken


@dataclass
class Talk(PlainTalk):
    """As an officer plays it, with every step watched."""

    book: Book = BOOK
    take: Callable[[Book, Session, Event], Step] = one_step

    def dial_again(self) -> Seen:
        self.session = self.session._replace(left=left_by(self.session))
        return super().dial_again()
