"""The ways back into a menu after the network dropped a conversation: found and checked when the book is loaded.

A way begins at the screen that ``resume_at`` names, passes routes and ends at the first screen that is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gateway.domain.ussd.effects import HARMLESS
from gateway.domain.ussd.facts import FACTS, VALUES

if TYPE_CHECKING:
    from gateway.domain.ussd.book import Book, ScreenSpec

CONTINUE, ASK, RESTART = "continue", "ask", "restart"
HOWS = (CONTINUE, ASK, RESTART)
LONGEST_RESUME_MINUTES = 60

Way = tuple["ScreenSpec", ...]
Mentioned = Callable[["Book", "ScreenSpec"], set[str]]  # the paths that a screen shows


def ways_back(book: Book, screen: ScreenSpec) -> Iterator[Way]:
    """Every way back to a screen that was left."""
    return _ways(book, screen.resume_at or screen.name)


def _ways(book: Book, name: str, passed: Way = ()) -> Iterator[Way]:
    screen = book.screens.get(name)
    if screen is None or screen in passed or len(passed) >= book.limits.hops:
        return
    if screen.kind != "route":
        yield (*passed, screen)
        return
    for route in screen.routes:
        yield from _ways(book, route.goto, (*passed, screen))


def used_on_the_way(book: Book, mentioned: Mentioned) -> dict[str, tuple[str, ...]]:
    """For each screen that can be taken up again, the values that must be kept for the ways back to it."""
    return {screen.name: tuple(sorted(_read(book, screen, mentioned)[0])) for screen in _taken_up(book)}


def _taken_up(book: Book) -> Iterator[ScreenSpec]:
    return (s for s in book.screens.values() if s.kind != "route" and s.resume in (CONTINUE, ASK))


def _read(book: Book, screen: ScreenSpec, mentioned: Mentioned) -> tuple[set[str], set[str]]:
    """The values that the ways back, and those on from there, read without setting them; and the facts that the ways
    back read without fetching them."""
    values, facts = set[str](), set[str]()
    start = book.screens.get(book.start)
    given = {"msisdn", "network"} | ({"caller"} if start is not None and "caller" in start.needs else set())
    for way in ways_back(book, screen):
        read, known = _read_on(book, way, given, mentioned)
        values |= read & set(VALUES)
        facts |= read & set(FACTS)
        for further in _ways_on(book, way[-1]):  # what an answer there is for is kept too
            values |= _read_on(book, further, known | {way[-1].into}, mentioned)[0] & set(VALUES)
    return values, facts


def _ways_on(book: Book, screen: ScreenSpec) -> Iterator[Way]:
    """Every way from a screen to the next one that is shown, but from the start again."""
    for name in dict.fromkeys((*(option.goto for option in screen.options), screen.goto)):
        if name != book.start:
            yield from _ways(book, name)


def _read_on(book: Book, way: Way, given: set[str], mentioned: Mentioned) -> tuple[set[str], set[str]]:
    """What a way reads of values and facts that are not ``given`` nor come on it, and all that is known at its end."""
    known, lacking = set(given), set[str]()
    for passed in way:
        known -= set(passed.forget)
        for need in passed.needs:
            lacking |= {path.split(".")[0] for _, path in FACTS[need].args} - known if need in FACTS else set()
            known.add(need)
        shown = mentioned(book, passed) if passed.kind != "route" else set()
        routed = {path for route in passed.routes for path, _ in route.when}
        routed |= {path for route in passed.routes for _, path in route.put}
        lacking |= {path.split(".")[0] for path in shown | routed} - known
        known |= {name for route in passed.routes for name, _ in route.put}
    return lacking, known


def _kept(book: Book) -> set[str]:
    """The values that can be had again: what was typed, and what the first screens choose."""
    found = {screen.into for screen in book.screens.values() if screen.kind == "input"}
    waiting, seen = [book.start], set[str]()
    while waiting:
        screen = book.screens.get(waiting.pop())
        if screen is None or screen.name in seen:
            continue
        seen.add(screen.name)
        if screen.kind == "route":
            found |= {name for route in screen.routes for name, _ in route.put}
            waiting += [route.goto for route in screen.routes]
        if screen.kind == "choose":
            found.add(screen.into)
            waiting.append(screen.goto)
    return found


def resume_faults(book: Book, mentioned: Mentioned) -> Iterator[str]:
    """What would go wrong for a caller who dials again."""
    if not 0 <= book.limits.resume_minutes <= LONGEST_RESUME_MINUTES:
        yield f"limits: resume_minutes is between 0 and {LONGEST_RESUME_MINUTES}"
    yield from _ask_faults(book)
    for screen in book.screens.values():
        where = f"screen {screen.name}"
        if screen.resume not in HOWS:
            yield f"{where}: resumes in the unknown way {screen.resume!r}"
        if screen.resume_at and screen.resume_at not in book.screens:
            yield f"{where}: resumes at {screen.resume_at!r}, which does not exist"
    kept = _kept(book)
    for screen in _taken_up(book):
        yield from (f"screen {screen.name}: {fault}" for fault in _way_faults(book, screen, mentioned, kept))


def _way_faults(book: Book, screen: ScreenSpec, mentioned: Mentioned, kept: set[str]) -> Iterator[str]:
    ways = list(ways_back(book, screen))
    if not ways and (not screen.resume_at or screen.resume_at in book.screens):
        yield "no way back to it ends at a screen"
    passed = {one.name: one for way in ways for one in way}
    doing = [one for one in passed.values() if not HARMLESS.issuperset(one.does)]
    yield from (f"taken up again, it passes {one.name!r}, which does something" for one in doing)
    if ways and screen.guard and screen not in [way[-1] for way in ways]:
        yield "taken up again, its confirmation is not asked for again"
    values, facts = _read(book, screen, mentioned)
    yield from (f"taken up again, it lacks the fact {name!r}" for name in sorted(facts))
    yield from (
        f"taken up again, it lacks {name!r}, which is neither typed nor chosen first" for name in sorted(values - kept)
    )


def _ask_faults(book: Book) -> Iterator[str]:
    ask = book.screens.get(book.resume_ask)
    asking = [screen.name for screen in _taken_up(book) if screen.resume == ASK]
    if book.resume_ask and ask is None:
        yield f"the screen that asks whether to resume, {book.resume_ask!r}, does not exist"
    if asking and not book.resume_ask:
        yield f"resume: {asking[0]!r} would have it asked, and no screen is named to ask"
    if ask is not None and (ask.kind != "menu" or ask.needs or [o.resumes for o in ask.options].count(True) != 1):
        yield f"screen {ask.name}: asks whether to resume: a menu without needs, with one option that resumes"
    for screen in book.screens.values():
        for option in screen.options:
            if option.resumes and screen is not ask:
                yield f"screen {screen.name}: option {option.key} resumes, and only the screen that asks may"
            if screen is ask and option.goto != book.start:
                yield f"screen {screen.name}: option {option.key} must go to the start"
