"""What callers come to see: walked with the longest data, then laid out on every kind of screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.ussd.book import Book, ScreenSpec
from gateway.domain.ussd.display import text_key
from gateway.domain.ussd.explore import DROPPED, Edge
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.frame import Frame, clean, cost
from gateway.domain.ussd.machine import BACK, HOME, MORE, items_of, pages_of, scope_of
from gateway.domain.ussd.samples import ANSWERS, TYPED
from gateway.domain.ussd.session import Session
from gateway.menu_tools.check_texts import no_room, too_long
from gateway.menu_tools.faults import Fault, at

ONE_PAGE = Frame(100_000)  # on which the book is walked: every line whole
_ELSEWHERE = ("elsewhere",)  # a way back, so that the key for it is counted


def views(book: Book, edges: Sequence[Edge]) -> list[Session]:
    """One conversation for each screen as a caller may see it, notices aside."""
    found: dict[tuple[str, str, str], Session] = {}
    for edge in edges:
        session = edge.step.session
        shown = session.screen in book.screens and not session.wrong
        if shown and (not session.final or book.screens[session.screen].kind == "end"):
            found.setdefault((session.language, session.screen, session.reply), session)
    return list(found.values())


def distances(edges: Sequence[Edge]) -> dict[str, int]:
    """The least keys to each screen that is shown."""
    least: dict[str, int] = {}
    for edge in edges:
        name = edge.step.session.screen
        least[name] = min(edge.keys, least.get(name, edge.keys))
    return least


def screen_faults(
    book: Book,
    edges: Sequence[Edge],
    seen: Sequence[Session],
    frames: Mapping[str, Frame],
    used: Mapping[str, Frame],
) -> Iterator[Fault]:
    """``edges``: of the book walked on ``ONE_PAGE``; ``seen``: their views. ``used``: those of the frames that channels
    have which are on."""
    shown = {session.screen for session in seen}
    for name, screen in book.screens.items():
        if screen.kind != "route" and name not in shown:
            yield at(book, name, "no caller comes here, whatever the facts are")
        if screen.kind == "input" and not TYPED.get(screen.accept):
            yield at(book, name, f"there is no sample of what it accepts, {screen.accept!r}")
        for need in screen.needs:
            if need != "caller" and not ANSWERS.get(need):
                yield at(book, name, f"there is no sample of the fact {need!r}")
    yield from _stuck(book, edges)
    yield from _broken_off(book, edges)
    for session in seen:
        yield from _untold(book, session)
        # an item that is only read may go on the next page where nobody reads it yet
        yield from _broken(book, session, used if book.screens[session.screen].kind == "list" else frames)
    for name, keys in distances(edges).items():
        if keys > book.limits.keys:
            yield at(book, name, f"is {keys} keys away, {book.limits.keys} at most")


def _stuck(book: Book, edges: Sequence[Edge]) -> Iterator[Fault]:
    """Screens from which nothing leads to another."""
    ways: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge.before is not None and edge.key != DROPPED:
            ways.setdefault(id(edge.before), []).append(edge)
    for leaving in ways.values():
        session = leaving[0].before
        assert session is not None
        screen = book.screens[session.screen]
        if not any(edge.step.final or edge.step.session.screen != session.screen for edge in leaving):
            yield at(book, session.screen, "a dead end: no key leads to another screen", session.language)
        if screen.kind == "choose" and not lookup(scope_of(session), screen.source):
            yield at(book, session.screen, f"nothing to choose from: {screen.source} is empty", session.language)


def _broken_off(book: Book, edges: Sequence[Edge]) -> Iterator[Fault]:
    """Ways back of a dropped conversation that pass more screens than one reply may."""
    for edge in edges:
        session = edge.step.session
        if edge.before is None or edge.before.left is None or not edge.step.final:
            continue
        on = edge.key == DROPPED or edge.before.screen == book.resume_ask
        if on and session.reply == book.language(session.language).say("end.error", {}):
            left = edge.before.left.screen
            yield at(book, left, "dropped there and dialled again, the conversation breaks off", session.language)


def _untold(book: Book, session: Session) -> Iterator[Fault]:
    """A text that is not there for this state, or a dash where a fact should be."""
    screen, scope = book.screens[session.screen], scope_of(session)
    texts = book.language(session.language).texts
    shown = text_key(screen.text, scope)
    if shown not in texts:
        yield at(book, session.screen, f"there is no text {shown!r}", session.language)
        return
    for key in (shown, *(option.text for option in screen.options)):
        for path in texts[key].paths():
            if lookup(scope, path) in (None, ""):
                yield at(book, session.screen, f"a dash would stand for {{{path}}}", session.language, key)
    if screen.kind == "list":
        for item in items_of(session, screen):
            key = text_key(screen.each, {"item": item})
            for path in texts[key].paths() if key in texts else ():
                if lookup({"item": item}, path) in (None, ""):
                    yield at(book, session.screen, f"a dash would stand for {{{path}}}", session.language, key)


def _broken(book: Book, session: Session, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    """Options and items that a page would have to cut in two."""
    screen, language = book.screens[session.screen], book.language(session.language)
    over: dict[str, dict[str, int]] = {}
    keyed = list(_keyed(session, screen))
    trail = () if screen.kind == "end" else _ELSEWHERE
    for name, frame in frames.items():
        if no_room(language, frame):
            continue  # said of the texts
        shown = pages_of(book, session._replace(frame=frame), screen, trail)
        whole = {line for page in shown for line in page.split("\n")}
        for key, line in keyed:
            if clean(frame, line) not in whole:
                nav = [clean(frame, language.say(key, {})) for key in ("nav.more", "nav.back")]
                much = cost(frame, "\n".join([clean(frame, line), *nav])) - frame.room
                over.setdefault(key, {})[name] = much
        assert all(cost(frame, page) <= frame.room for page in shown), "a page outgrew its screen"
    for key, where in over.items():
        what = "the option" if screen.kind == "menu" else "the item"
        said = f"{too_long(where, frames)}: {what} would be cut in two"
        yield at(book, session.screen, said, session.language, key)


def _keyed(session: Session, screen: ScreenSpec) -> Iterator[tuple[str, str]]:
    """The lines of options and items as they stand on the one page, each with what it is called."""
    lines = [line for line in session.reply.split("\n") if not line.startswith((f"{BACK} ", f"{HOME} ", f"{MORE} "))]
    if screen.kind == "menu":
        lines = lines[-len(screen.options) :]
    elif screen.kind in ("choose", "list"):
        items = items_of(session, screen)
        lines = lines[len(lines) - len(items) :]
        if screen.kind == "list":
            yield from ((text_key(screen.each, {"item": item}), line) for item, line in zip(items, lines, strict=True))
            return
    else:
        return
    yield from ((f"key {line.split(' ')[0]}", line) for line in lines)
