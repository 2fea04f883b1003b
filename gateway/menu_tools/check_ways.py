"""Where a book leads: no screen out of reach, no circle without a key, no money without a confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.domain.ussd.book import Book, Limits, ScreenSpec, targets
from gateway.domain.ussd.effects import GUARDED
from gateway.menu_tools.faults import Fault, at

MOST_OPTIONS = 5  # people who read little lose the thread of more


def way_faults(book: Book) -> list[Fault]:
    """What can be told without a caller."""
    found = [*_limits(book), *_unreached(book), *_guards(book)]
    round_about = list(_circles(book))
    return [*found, *(round_about or _too_far(book))]


def _limits(book: Book) -> Iterator[Fault]:
    if book.limits.options > MOST_OPTIONS:
        yield Fault(f"limits: {book.limits.options} options allowed, {MOST_OPTIONS} are the most")
    for name in ("hops", "asks"):
        if getattr(book.limits, name) > getattr(Limits(), name):
            yield Fault(f"limits: {name} is {getattr(book.limits, name)}, {getattr(Limits(), name)} at most")
    for name, screen in book.screens.items():
        if screen.guard and screen.kind != "menu":
            yield at(book, name, f"a guard on the kind {screen.kind!r} guards nothing: it belongs on a menu")


def _unreached(book: Book) -> Iterator[Fault]:
    begun = [name for name in (book.start, book.resume_ask) if name]  # dialled, and dialled again
    reached, waiting = set(begun), begun
    while waiting:
        new = [name for name in targets(book.screens[waiting.pop()]) if name not in reached]
        reached.update(new)
        waiting += new
    for name in book.screens:
        if name not in reached:
            yield at(book, name, "nothing leads here")


# --------------------------------------------------------------------------------------------------- between two keys


def _passed(screen: ScreenSpec) -> list[str]:
    """Where a screen leads without a key: a route always, any other when its facts do not come."""
    return targets(screen) if screen.kind == "route" else [screen.failed] if screen.failed else []


def _circles(book: Book) -> Iterator[Fault]:
    """Ways round without a key, each once, from where it is met first."""
    done: set[str] = set()

    def follow(name: str, way: list[str]) -> Iterator[Fault]:
        if name in way:
            circle = [*way[way.index(name) :], name]
            yield at(book, name, f"goes round without a key: {' > '.join(circle)}")
        elif name not in done:
            for following in _passed(book.screens[name]):
                yield from follow(following, [*way, name])
            done.add(name)

    for name in book.screens:
        yield from follow(name, [])


def _too_far(book: Book) -> Iterator[Fault]:
    """Ways that pass more screens, or ask for more facts, than one reply may."""
    hops: dict[str, int] = {}
    asks: dict[str, int] = {}

    def measure(name: str) -> tuple[int, int]:
        if name not in hops:
            screen = book.screens[name]
            further = [measure(following) for following in _passed(screen)]
            hops[name] = 1 + max((far for far, _ in further), default=0)
            asks[name] = len(screen.needs) + max((many for _, many in further), default=0)
        return hops[name], asks[name]

    for name in book.screens:
        far, many = measure(name)
        if far > book.limits.hops:
            yield at(book, name, f"passes {far} screens without a key, {book.limits.hops} at most")
        if many > book.limits.asks:
            yield at(book, name, f"needs {many} facts for one reply, {book.limits.asks} at most")


# --------------------------------------------------------------------------------------------------------------- money


def _guards(book: Book) -> Iterator[Fault]:
    """Every key that brings money about, or keeps a phone from its family, stands on a confirmation that answers
    dialled ahead cannot pass."""
    leading = _led_from(book)
    for name, screen in book.screens.items():
        guarded = [effect for effect in screen.does if effect in GUARDED]
        if not guarded:
            continue
        if screen.kind not in ("route", "end"):
            yield at(book, name, f"does {guarded[0]} whenever it is shown, so the key for back does it again")
        for before in sorted(_keyed(book, leading, name)):
            if before == "":
                yield at(book, name, f"does {guarded[0]} as soon as the phone dials")
            elif not book.screens[before].guard:
                yield at(book, before, f"leads to {name!r}, which does {guarded[0]}, and is no guard")


def _led_from(book: Book) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in book.screens}
    for name, screen in book.screens.items():
        for following in targets(screen):
            found[following].append(name)
    return found


def _keyed(book: Book, leading: Mapping[str, list[str]], name: str) -> set[str]:
    """The screens whose keys lead here, routes passed; ``""`` for the dialling."""
    found: set[str] = set()
    waiting, known = [name], {name}
    while waiting:
        at_ = waiting.pop()
        if at_ == book.start:
            found.add("")
        for before in leading[at_]:
            if book.screens[before].kind != "route":
                found.add(before)
            elif before not in known:
                known.add(before)
                waiting.append(before)
    return found
