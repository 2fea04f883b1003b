"""Every screen, key and fact that a conversation can come to, with the longest real data: walked, or at random.

A node of this whole walk is a session without its counters, with the whole way that led to it: the witness for
``explore``, which forgets what cannot matter.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.ussd.book import Book, mentioned
from gateway.domain.ussd.explore import DROPPED, FRAMES, LATE, Edge, as_event, keys_for, outcomes
from gateway.domain.ussd.frame import Frame, cost
from gateway.domain.ussd.machine import Key, Started, step
from gateway.domain.ussd.samples import ANSWERS, BAD_CHFID, CALLERS, CHFID
from gateway.domain.ussd.session import OTHER_NETWORK, Session
from gateway.service.session_codec import dump, load
from played.talk import BOOK, Fact, dialled_again, new_session, one_step

NOTICES = tuple(
    language.say(notice, {}) for notice in ("nav.wrong", "nav.resumed") for language in BOOK.languages.values()
)


def walk(book: Book, who: Fact, limit: int) -> list[Edge]:
    """Every edge that can be reached."""
    facts = {**ANSWERS, "caller": [who]}
    edges = [Edge(None, "", t) for t in outcomes(book, facts, one_step(book, new_session(limit=limit), Started()))]
    waiting, known = deque(edge.step.session for edge in edges), set[bytes]()
    while waiting:
        session = waiting.popleft()._replace(keys=0, wrong=0)
        session = session._replace(facts={name: session.facts[name] for name in _kept(book, session)})
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


def seen(edges: Sequence[Edge]) -> set[str]:
    """The screens that a walk came to."""
    return {edge.step.reply or "" for edge in edges}


def _kept(book: Book, session: Session) -> set[str]:
    """The facts that a screen of the way back may still tell; every other is forgotten by whatever needs it."""
    backs = (book.screens[name] for name in (session.screen, *session.trail))
    return {"caller", *(path.split(".")[0] for back in backs for path in mentioned(book, back))} & {*session.facts}


# the way back is remembered over eight screens; five, which an officer who is taken up passes, show all that eight show
WALKED = replace(BOOK, limits=replace(BOOK.limits, hops=5))

# ------------------------------------------------------------------------------------------------------------ at random

KEYS = ("1", "2", "3", "4", "5", "0", "00", "#", CHFID, BAD_CHFID, "8", "", "Asha", "*", "9" * 41, "1*1", "😀")
_WEIGHTS = (8, 6, 4, 3, 2, 3, 2, 4, 3, 1, 1, 1, 1, 1, 1, 1, 1)
LONGEST = 12  # keys of one sequence


def sequences(
    count: int, seed: int, frames: Sequence[Frame] = tuple(FRAMES.values()), met: set[str] | None = None
) -> int:
    """Play ``count`` random sequences of keys; how many steps that were. ``met`` is given every screen.

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
            if met is not None:
                met.add(taken.reply)
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
        if sys.stderr.isatty():
            print(f"\r{done:,} of {count:,} sequences, {steps:,} steps", end="", file=sys.stderr, flush=True)
    rate = steps / (time.monotonic() - began)
    print(f"\n{done:,} sequences, {steps:,} steps, {rate:,.0f} a second:")
    print("no exception, no endless asking, no oversize screen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
