"""Every screen, key and fact that a conversation can come to, with the longest real data: walked, or at random.

A node of the whole walk is a session without its counters; an edge is a key and whatever the registry answers to every
ask on the way. ``edges_of`` walks what a channel's screens can look like and forgets how one got there.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from gateway.domain.ussd.book import Book, item_keys, text_keys
from gateway.domain.ussd.frame import Frame, cost
from gateway.domain.ussd.machine import Key, Started, Step, step
from gateway.domain.ussd.samples import ANSWERS, BAD_CHFID, CALLERS, CHFID
from gateway.domain.ussd.session import OTHER_NETWORK, Session
from gateway.service.session_codec import dump, load
from played.talk import BOOK, LATE, Fact, as_event, dialled_again, new_session, one_step

WRONG = ("8", "", "Asha", "9" * 41)
DROPPED = "dropped and dialled again"  # no key: the network's doing, possible on every screen
NOTICES = ("Si sahihi. Jaribu tena.", "Not right. Try again.", "Tunaendelea.", "We go on.")


def keys_for(book: Book, session: Session, wrong: Sequence[str] = WRONG) -> list[str]:
    """One key of each class: every option, each way about, and the wrong ones."""
    screen = book.screens[session.screen]
    own = {
        "menu": [option.key for option in screen.options],
        "choose": ["1", "3"],
        "input": [CHFID, BAD_CHFID],
        "list": [],
        "end": [],
    }[screen.kind]
    return [*own, "0", "00", "#", *wrong]


@dataclass(frozen=True)
class Edge:
    """A key pressed on a screen (or DROPPED), and one of what comes of it. ``before`` is None for the dialling."""

    before: Session | None
    key: str
    step: Step


def outcomes(book: Book, facts: dict[str, list[Fact]], taken: Step, asked: int = 0) -> Iterator[Step]:
    """Every reply that may follow, with all effects on the way."""
    if not taken.asks:
        yield taken
        return
    assert asked < book.limits.asks, "no end of asking"
    ask = taken.asks[0]
    for answer in (*facts[ask.fact], LATE):
        after = step(book, taken.session, as_event(ask, answer))
        yield from outcomes(book, facts, replace(after, effects=taken.effects + after.effects), asked + 1)


def walk(book: Book, who: Fact, limit: int) -> list[Edge]:
    """Every edge that can be reached."""
    facts = {**ANSWERS, "caller": [who]}
    edges = [Edge(None, "", t) for t in outcomes(book, facts, one_step(book, new_session(limit=limit), Started()))]
    waiting, known = deque(edge.step.session for edge in edges), set[bytes]()
    while waiting:
        session = waiting.popleft()._replace(keys=0, wrong=0)
        session = session._replace(facts={name: session.facts[name] for name in _kept(session)})
        place = dump(session._replace(reply=""))
        if session.final or place in known:
            continue
        known.add(place)
        assert len(known) < 20_000, "the walk has no bound"
        for key in keys_for(book, session):
            for taken in outcomes(book, facts, step(book, session, Key(key))):
                edges.append(Edge(session, key, taken))
                waiting.append(taken.session)
        for taken in outcomes(book, facts, step(book, *dialled_again(session))):
            edges.append(Edge(session, DROPPED, taken))
            waiting.append(taken.session)
    return edges


def _kept(session: Session) -> set[str]:
    """The facts that a screen of the way back may still tell; every other is forgotten by whatever needs it."""
    return {"caller", *(name for back in (session.screen, *session.trail) for name in _told(back))} & {*session.facts}


# the way back is remembered over eight screens; four show all that eight show, in a tenth of the time
WALKED = replace(BOOK, limits=replace(BOOK.limits, hops=4))

# ---------------------------------------------------------------------------------------------- on every kind of screen

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


def place(session: Session) -> tuple[object, ...]:
    """What decides how a screen looks and where its keys lead, the whole way back aside."""
    told = _told(session.screen) | {name for back in session.trail[-1:] for name in _told(back)}
    facts = ((name, session.facts[name]) for name in sorted(told & session.facts.keys()))
    states = tuple((name, str(fact.get("state")), fact.get("amount", 0)) for name, fact in facts)
    family, month = session.values.get("family", {}), session.values.get("month", {})
    is_own = "officer" not in family  # an officer comes to every family in every state: it counts where it is told
    chosen = (is_own, family.get("state") if is_own or "family" in told else "", "month" in told and month.get("state"))
    noticed = (session.reply or "").split("\n")[0] in NOTICES
    left = session.left.screen if session.left else ""
    return (
        session.screen, session.page, session.language, session.trail[-1:], chosen, states, noticed, left
    )  # fmt: skip


@cache
def _told(screen: str) -> set[str]:
    """The facts that a screen's texts tell."""
    spec = BOOK.screens[screen]
    keys = [*text_keys(BOOK, spec), *item_keys(spec), *(option.text for option in spec.options)]
    texts = [language.texts[key] for language in BOOK.languages.values() for key in keys]
    picked = {spec.text.split("{")[1].split(".")[0]} if "{" in spec.text else set()
    listed = {spec.source.split(".")[0]} if spec.kind == "list" else set()
    return picked | listed | {path.split(".")[0] for text in texts for path in text.paths()}


def edges_of(book: Book, who: Fact, frame: Frame, network: str = OTHER_NETWORK) -> list[Edge]:
    """Every (place, class of key, class of fact) edge that can be reached."""
    facts = {**ANSWERS, "caller": [who]}
    begun = step(book, new_session(frame=frame, network=network), Started())
    edges = [Edge(None, "", taken) for taken in outcomes(book, facts, begun)]
    waiting, known = deque(edge.step.session for edge in edges), set[tuple[object, ...]]()
    while waiting:
        session = waiting.popleft()._replace(keys=0, wrong=0)
        at = place(session)
        if session.final or at in known:
            continue
        known.add(at)
        assert len(known) < 20_000, "the walk has no bound"
        if session.trail:  # the way back is of a bounded length: its beginning is forgotten
            waiting.append(step(book, session._replace(trail=()), Key("#")).session)
        for key in keys_for(book, session, WRONG[:1]):
            for taken in outcomes(book, facts, step(book, session, Key(key))):
                edges.append(Edge(session, key, taken))
                waiting.append(taken.session)
        for taken in outcomes(book, facts, step(book, *dialled_again(session))):
            edges.append(Edge(session, DROPPED, taken))
            waiting.append(taken.session)
    return edges


# ------------------------------------------------------------------------------------------------------------ at random

KEYS = ("1", "2", "3", "4", "5", "0", "00", "#", CHFID, BAD_CHFID, "8", "", "Asha", "*", "9" * 41, "1*1", "😀")
_WEIGHTS = (8, 6, 4, 3, 2, 3, 2, 4, 3, 1, 1, 1, 1, 1, 1, 1, 1)
LONGEST = 12  # keys of one sequence


def sequences(count: int, seed: int, frames: Sequence[Frame] = tuple(FRAMES.values())) -> int:
    """Play ``count`` random sequences of keys; how many steps that were.

    Raises AssertionError for a screen that is empty or too long, and for asking without end.
    """
    chance, steps = random.Random(seed), 0  # one seed, one run
    callers = list(CALLERS.values())
    for _ in range(count):
        frame = chance.choice(frames)
        facts = {**ANSWERS, "caller": [chance.choice(callers)]}
        session = new_session(frame=frame, network=chance.choice((*BOOK.networks, OTHER_NETWORK)))
        keys = chance.choices((*KEYS, DROPPED), (*_WEIGHTS, 3), k=chance.randint(1, LONGEST))
        for key in ("", *keys):
            if key == DROPPED:
                taken = step(BOOK, *dialled_again(session))
            else:
                taken = step(BOOK, session, Key(key) if session.screen else Started())
            asked = 0
            while taken.asks:
                asked += 1
                assert asked <= BOOK.limits.asks, "no end of asking"
                ask = taken.asks[0]
                answer = LATE if chance.random() < 0.05 else chance.choice(facts[ask.fact])
                taken = step(BOOK, taken.session, as_event(ask, answer))
            steps += 1
            assert taken.reply
            assert taken.reply.strip(), "an empty screen"
            assert cost(frame, taken.reply) <= frame.room, taken.reply
            session = taken.session
            if session.final and session.left is None:
                break
        kept = load(dump(session))
        assert kept == session, "a session is not what the store gives back"
    return steps


def main() -> int:
    """``python -m played.walk [SEQUENCES] [SEED]``: a long run, with its progress."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began, done, steps, portion = time.monotonic(), 0, 0, 10_000
    while done < count:
        now = min(portion, count - done)
        steps += sequences(now, seed * 1_000_003 + done)
        done += now
        print(f"\r{done:,} of {count:,} sequences, {steps:,} steps", end="", flush=True)
    print(f"\n{steps / (time.monotonic() - began):,.0f} steps/s; no exception, no endless asking, no oversize screen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
