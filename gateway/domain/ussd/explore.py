"""Every screen, key and fact that a conversation can come to, walked with the longest real data of ``samples``.

An edge is a key pressed on a page and one of the things that come of it. Of a conversation's past only what may still
be read is remembered (``reads``), so the walk grows with the book and not with the number of ways through it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.facts import FACTS
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import (
    BACK,
    HOME,
    MORE,
    Answered,
    Ask,
    AskFailed,
    Event,
    Key,
    Started,
    Step,
    scope_of,
    step,
)
from gateway.domain.ussd.reads import Reads, reads, signature, tells_networks
from gateway.domain.ussd.samples import ANSWERS, CALLERS, TYPED, Fact
from gateway.domain.ussd.session import OTHER_NETWORK, Session

MSISDN = "+255754100200"
LATE = "late"  # instead of an answer: the fact does not come in time
DROPPED = "dropped and dialled again"  # instead of a key: the network's doing, possible on every screen
WRONG = ("8", "", "Asha", "9" * 41)
MOST_PLACES = 100_000

# as the channels' settings have them, and what else settings allow: the narrowest, and each way of counting
FRAMES: dict[str, Frame] = {
    "form, septets": Frame(160),
    "object, septets": Frame(160, prefix=0),
    "long septets": Frame(182, prefix=0, entities=True),
    "raw bytes": Frame(182, "bytes", "<br>", 0, entities=True),
    "ucs2": Frame(80, "ucs2", prefix=0),
    "characters": Frame(140, "characters", "\r\n"),
    "narrowest": Frame(80, "bytes", "<br>", 4, "ascii", True),
}


class EndlessError(ValueError):
    """The book asks for facts, or makes new places, without an end."""


class UnfoundError(ValueError):
    """A screen asks for a fact where what the fact is found by is not known."""

    def __init__(self, screen: str, what: str) -> None:
        super().__init__(f"{screen}: {what}")
        self.screen = screen
        self.what = what


@dataclass(frozen=True, slots=True)
class Edge:
    """A key pressed on a page (or DROPPED), and one of the things that come of it.

    ``before`` is None for the dialling; ``keys`` is the least number of keys that leads here, each further dialling
    counted as one.
    """

    before: Session | None
    key: str
    step: Step
    keys: int = 0


def explore(
    book: Book,
    frame: Frame,
    callers: Sequence[Fact] = tuple(CALLERS.values()),
    answers: Mapping[str, Sequence[Fact]] = ANSWERS,
) -> list[Edge]:
    """Every (place, class of key, class of fact) edge that can be reached, for every language and network.

    Raises EndlessError for a book that has no bound, UnfoundError for one that asks without saying of whom.
    """
    facts = {**answers, "caller": callers}
    live, tells = reads(book), {name for name, screen in book.screens.items() if tells_networks(book, screen)}
    routed = any(book.screens[name].kind == "route" for name in tells)

    def edges_from(session: Session, key: str, keys: int) -> Iterator[Edge]:
        """On other networks only what differs there."""
        others = () if session.screen in tells else (OTHER_NETWORK, *book.networks)  # there each is a place of its own
        met: set[tuple[str, str | None]] = set()
        for network in dict.fromkeys((session.network, *others)):
            before = session if network == session.network else session._replace(network=network)
            came = list(outcomes(book, _answers(facts, session, key), _pressed(book, before, key)))
            for taken in came:
                if before is session or (taken.session.screen, taken.reply) not in met:
                    yield Edge(before if key else None, key, taken, keys)
            met.update((taken.session.screen, taken.reply) for taken in came)
            if not routed and not any(taken.session.screen in tells for taken in came):
                return

    edges = [
        edge
        for language in book.languages
        for edge in edges_from(Session("explored", "explored", MSISDN, language, frame), "", 0)
    ]
    waiting = deque((edge.step.session, 0) for edge in edges)
    known: set[tuple[object, ...]] = set()
    while waiting:
        session, keys = waiting.popleft()
        session = session._replace(keys=0, wrong=0)
        at = place(live, session)
        if session.final or at in known:
            continue
        known.add(at)
        if len(known) > MOST_PLACES:
            raise EndlessError(f"more than {MOST_PLACES} places")
        if session.trail:  # the way back is of a bounded length: its beginning is forgotten
            waiting.append((step(book, session._replace(trail=()), Key(MORE)).session, keys + 1))
        for key in (*keys_for(book, session, WRONG[:1]), DROPPED):
            for edge in edges_from(session, key, keys + 1):
                edges.append(edge)
                waiting.append((edge.step.session, edge.keys))
    return edges


def _answers(facts: Mapping[str, Sequence[Fact]], session: Session, key: str) -> Mapping[str, Sequence[Fact]]:
    """What may be answered. It is the same phone that dials again."""
    known = session.facts.get("caller")
    return {**facts, "caller": [known]} if key == DROPPED and known else facts


def _pressed(book: Book, session: Session, key: str) -> Step:
    """The first step after a key, or DROPPED; with none the phone dials."""
    if key == DROPPED:
        return step(book, *dialled_again(book, session))
    return step(book, session, Key(key) if session.screen else Started())


def dialled_again(book: Book, session: Session) -> tuple[Session, Started]:
    """The network drops the session and the phone dials again: of the conversation only what it left is known."""
    begun = Session(session.id, session.channel, session.msisdn, book.default_language, session.frame)
    return begun._replace(network=session.network), Started(left=session.left)


def place(live: Reads, session: Session) -> tuple[object, ...]:
    """What decides how a screen looks and where its keys lead, the whole way back aside."""
    still = signature(live[session.screen], scope_of(session)) if session.screen in live else ()
    return (session.screen, session.page, session.language, session.reply, session.trail[-1:], still, _left(session))


def _left(session: Session) -> tuple[object, ...]:
    """What dialling again would take up."""
    left = session.left
    if left is None:
        return ()
    return (left.screen, left.language, *sorted(left.chosen.items()), *sorted(left.typed.items()))


def keys_for(book: Book, session: Session, wrong: Sequence[str] = WRONG) -> list[str]:
    """One key of each class: every option, each way about, and the wrong ones."""
    screen = book.screens[session.screen]
    own: list[str] = []  # none of a list, which is only read, and of an end
    if screen.kind == "menu":
        own = [option.key for option in screen.options]
    elif screen.kind == "choose":
        own = ["1", "3"]
    elif screen.kind == "input":
        own = list(TYPED.get(screen.accept, ()))
    return [*own, BACK, HOME, MORE, *wrong]


def outcomes(book: Book, facts: Mapping[str, Sequence[Fact]], taken: Step, asked: int = 0) -> Iterator[Step]:
    """Every reply that may follow, with all effects on the way."""
    if not taken.asks:
        yield taken
        return
    if asked >= book.limits.asks:
        raise EndlessError(f"no end of asking on the way to {taken.session.target!r}")
    ask = taken.asks[0]
    unknown = [path for (_, path), (_, value) in zip(FACTS[ask.fact].args, ask.args, strict=True) if value is None]
    if unknown:
        raise UnfoundError(taken.session.target, f"asks for {ask.fact!r} where {unknown[0]!r} is not known")
    answers: list[Fact | str] = [*facts.get(ask.fact, ()), LATE]
    for answer in answers:
        after = step(book, taken.session, as_event(ask, answer))
        yield from outcomes(book, facts, replace(after, effects=taken.effects + after.effects), asked + 1)


def as_event(ask: Ask, answer: Fact | str) -> Event:
    """What the machine is told of an answer, or of none."""
    return AskFailed(ask.fact, "TimeoutError") if isinstance(answer, str) else Answered(ask.fact, answer)
