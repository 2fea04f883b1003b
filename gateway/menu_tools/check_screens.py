"""What callers come to see: walked with the longest data, then laid out on every kind of screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.display import text_key
from gateway.domain.ussd.explore import Edge
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.frame import Frame, clean, cost
from gateway.domain.ussd.machine import BACK, HOME, MORE, pages_of, scope_of
from gateway.domain.ussd.samples import ANSWERS, TYPED
from gateway.domain.ussd.session import Session
from gateway.menu_tools.check_texts import too_long
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


def screen_faults(book: Book, edges: Sequence[Edge], frames: Mapping[str, Frame]) -> Iterator[Fault]:
    """``edges``: of the book walked on ``ONE_PAGE``."""
    seen = views(book, edges)
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
    for session in seen:
        yield from _untold(book, session)
        yield from _broken(book, session, frames)
    for name, keys in distances(edges).items():
        if keys > book.limits.keys:
            yield at(book, name, f"is {keys} keys away, {book.limits.keys} at most")


def _stuck(book: Book, edges: Sequence[Edge]) -> Iterator[Fault]:
    """Screens from which nothing leads to another."""
    ways: dict[int, list[Edge]] = {}
    for edge in edges:
        if edge.before is not None:
            ways.setdefault(id(edge.before), []).append(edge)
    for leaving in ways.values():
        session = leaving[0].before
        assert session is not None
        screen = book.screens[session.screen]
        if not any(edge.key == HOME for edge in leaving):
            continue  # one of several networks: the ways back are those of the others
        if not any(edge.step.final or edge.step.session.screen != session.screen for edge in leaving):
            yield at(book, session.screen, "a dead end: no key leads to another screen", session.language)
        if screen.kind == "choose" and not lookup(scope_of(session), screen.source):
            yield at(book, session.screen, f"nothing to choose from: {screen.source} is empty", session.language)


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


def _broken(book: Book, session: Session, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    """Options and items that a page would have to cut in two."""
    screen, language = book.screens[session.screen], book.language(session.language)
    over: dict[str, dict[str, int]] = {}
    trail = () if screen.kind == "end" else _ELSEWHERE
    for name, frame in frames.items():
        shown = pages_of(book, session._replace(frame=frame), screen, trail)
        whole = {line for page in shown for line in page.split("\n")}
        for line in _to_choose(session, screen.kind, len(screen.options)):
            if clean(frame, line) not in whole:
                nav = [clean(frame, language.say(key, {})) for key in ("nav.more", "nav.back")]
                much = cost(frame, "\n".join([clean(frame, line), *nav])) - frame.room
                over.setdefault(line.split(" ")[0], {})[name] = much
        assert all(cost(frame, page) <= frame.room for page in shown), "a page outgrew its screen"
    for key, where in over.items():
        what = "the option" if screen.kind == "menu" else "the item"
        said = f"{too_long(where, frames)}: {what} would be cut in two"
        yield at(book, session.screen, said, session.language, f"key {key}")


def _to_choose(session: Session, kind: str, options: int) -> list[str]:
    """The lines that begin with a key, as they stand on the one page."""
    lines = [line for line in session.reply.split("\n") if not line.startswith((f"{BACK} ", f"{HOME} ", f"{MORE} "))]
    if kind == "menu":
        return lines[-options:]
    return [line for line in lines if line.split(" ")[0].isdigit()] if kind == "choose" else []
