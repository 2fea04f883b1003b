"""The session machine: ``step(book, session, event)``, pure, total and deterministic.

Events are in the past tense, asks are facts needed before a reply, effects leave only once they are committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.ussd.accepts import ACCEPTS
from gateway.domain.ussd.book import Book, Option, ScreenSpec
from gateway.domain.ussd.display import item_text, pages
from gateway.domain.ussd.effects import DOES, UNANSWERED, KeepLanguage, UssdEffect
from gateway.domain.ussd.facts import FACTS, lookup
from gateway.domain.ussd.render import paginate
from gateway.domain.ussd.resume import chosen_again, decided, leaving, not_taken_up, resumed, stands, way_back
from gateway.domain.ussd.session import Left, Session
from gateway.domain.ussd.ways import ASK, CONTINUE

BACK, HOME, MORE = "0", "00", "#"

# ------------------------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class Started:
    """The phone dialled. ``anew``: in the middle of a conversation that we no longer hold, which the caller is told.

    ``left``: what this phone's last conversation left when the network dropped it, a little while ago.
    """

    anew: bool = False
    left: Left | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The caller answered. ``dialled`` answers came inside the dialled code or from a replayed transcript."""

    text: str
    dialled: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A fact that was asked for."""

    fact: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AskFailed:
    """A fact did not come within the reply's budget."""

    fact: str
    why: str


Event = Started | Key | Answered | AskFailed

# --------------------------------------------------------------------------------------------------------------- asks


@dataclass(frozen=True, slots=True)
class Ask:
    """A fact to fetch, with its arguments."""

    fact: str
    args: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """``reply`` is None while asks are open."""

    session: Session
    reply: str | None = None
    final: bool = False
    asks: tuple[Ask, ...] = ()
    effects: tuple[UssdEffect, ...] = ()


# ---------------------------------------------------------------------------------------------------------------- step


def step(book: Book, session: Session, event: Event) -> Step:
    """What the conversation becomes. Raises nothing for any input a phone or a peer can send."""
    if session.final:
        return _shown(session, session.reply or book.language(session.language).say("end.bye", {}), True)
    match event:
        case Started(anew, left):
            begun = session._replace(
                screen="", trail=(), page=0, notice="nav.anew" if anew else "", left=None, resuming=""
            )
            return _enter(book, resumed(book, begun, left) if left else begun, book.start)
        case Key(text, dialled):
            return _key(book, session, text, dialled)
        case Answered(fact, value):
            if not session.target:
                return _again(book, session)
            spoken = value.get("language")
            language = spoken if isinstance(spoken, str) and spoken in book.languages else session.language
            known = session._replace(facts={**session.facts, fact: value}, language=language)
            return _enter(book, known, session.target, again=True)
        case AskFailed(fact):
            return _failed(book, session, fact)


def _failed(book: Book, session: Session, fact: str) -> Step:
    screen = book.screens.get(session.target)
    if screen is None or not screen.failed:
        return _end(book, session, "end.error")
    missed, session = f"{session.target}/{fact}", _unanswered(session, fact)
    if not session.resuming:
        return _enter(book, session, screen.failed, missed=missed)
    over = _enter(book, not_taken_up(session), screen.failed, missed=missed)
    return replace(over, session=over.session._replace(left=session.left))  # the next dial may have more luck


def _key(book: Book, session: Session, text: str, dialled: bool) -> Step:
    screen = book.screens.get(session.screen)
    if screen is None or not book.screens.keys() >= {*session.trail}:
        return _of_another_book(book, session)
    if dialled and screen.guard:
        return _again(book, session)
    if session.keys >= book.limits.keys:
        return _end(book, session, "end.too_many")
    session = session._replace(keys=session.keys + 1)
    answer = text.strip()
    if len(answer) > book.limits.input_characters:
        return _wrong(book, session)
    if answer == HOME:
        return _enter(book, session._replace(trail=(), screen=""), book.start)
    if answer == BACK:
        if not session.trail or screen.kind == "end":  # of its pages: behind it the facts have changed
            return _show(book, session, screen)  # nowhere to go back to: no mistake of the caller's
        return _enter(book, session._replace(trail=session.trail[:-1], screen=""), session.trail[-1])
    if answer == MORE:
        shown = pages_of(book, session, screen, session.trail)
        noticed = session.reply != shown[session.page % len(shown)]  # the notice has pushed lines away: none is skipped
        return _show(book, session, screen, page=0 if noticed else (session.page + 1) % len(shown))
    return _answer(book, session, screen, answer)


def _of_another_book(book: Book, session: Session) -> Step:
    """A conversation that stood on a screen, or came by one, that this book does not have: it begins anew.

    So it is after a release that renames screens, and while processes of two releases answer.
    """
    begun = session._replace(values={}, facts={}, target="", missed="")
    return step(book, begun, Started(anew=bool(session.screen)))


def _answer(book: Book, session: Session, screen: ScreenSpec, answer: str) -> Step:
    """A key that is no navigation: an option, an item of a list, or something typed."""
    if screen.kind == "menu":
        chosen = next((o for o in screen.options if o.key == answer), None)
        if chosen is None:
            return _wrong(book, session)
        return _choose(book, decided(session, chosen.resumes) if screen.name == book.resume_ask else session, chosen)
    if screen.kind == "choose":
        items = items_of(session, screen)
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(items):
            return _enter(book, _picked(session, screen, items[int(answer) - 1]), screen.goto)
        return _wrong(book, session)
    if screen.kind == "input":
        typed = ACCEPTS[screen.accept](answer)
        if typed is None:
            return _wrong(book, session)
        return _enter(book, session._replace(values={**session.values, screen.into: typed}), screen.goto)
    return _wrong(book, session)


def _choose(book: Book, session: Session, option: Option) -> Step:
    if option.language is None or option.language not in book.languages:
        return _enter(book, session, option.goto)
    spoken = session._replace(language=option.language)
    entered = _enter(book, spoken, option.goto)
    return replace(entered, effects=(KeepLanguage(session.msisdn, option.language), *entered.effects))


def _picked(session: Session, screen: ScreenSpec, item: Any) -> Session:
    """Another choice: what was fetched for the last one is gone, and with it the way back to its screens."""
    only_caller = {name: fact for name, fact in session.facts.items() if name == "caller"}
    return session._replace(values={**session.values, screen.into: item}, facts=only_caller, trail=())


def _enter(book: Book, session: Session, name: str, again: bool = False, missed: str = "") -> Step:
    """Go to a screen, passing through routes; stop for the first missing fact, else show it.

    ``again``: the screen was being entered before and its facts have come. ``missed``: a fact that has not.
    """
    effects: tuple[UssdEffect, ...] = ()
    if session.missed != missed and not again:
        session = session._replace(missed=missed)
    for _ in range(book.limits.hops):
        screen = book.screens[name]
        if not again:
            if screen.forget:
                kept = {key: fact for key, fact in session.facts.items() if key not in screen.forget}
                session = session._replace(facts=kept)
            if screen.does:
                effects += _effects(session, screen)
        again = False
        missing = [need for need in screen.needs if need not in session.facts]
        if missing:
            return Step(session._replace(target=name), asks=(_ask(session, missing[0]),), effects=effects)
        if screen.kind == "route":
            session, name = _follow(session, screen)
        elif session.resuming in (ASK, CONTINUE):
            session, name = _pass_by(book, session, screen)
            again = name == screen.name
        else:
            arrived = _show(book, session, screen, trail=_trail(book, session, screen))
            return replace(arrived, effects=effects) if effects else arrived
    return replace(_end(book, session, "end.error"), effects=effects)  # a loop in the book: a polite end, never a hang


def _follow(session: Session, screen: ScreenSpec) -> tuple[Session, str]:
    scope = scope_of(session)
    for route in screen.routes:
        if all(lookup(scope, path) == wanted for path, wanted in route.when):
            put = {name: lookup(scope, path) for name, path in route.put}
            return (session._replace(values={**session.values, **put}) if put else session), route.goto
    return session, screen.routes[-1].goto


def _pass_by(book: Book, session: Session, screen: ScreenSpec) -> tuple[Session, str]:
    """One of the first screens, answered as before the conversation was dropped; or itself, where that cannot be."""
    left = session.left
    passed = session._replace(screen=screen.name, trail=_trail(book, session, screen))
    if left is None or screen.kind == "end":
        return not_taken_up(session), screen.name
    if screen.kind == "choose" and screen.into in left.chosen:
        wanted = left.chosen[screen.into]
        for item in items_of(session, screen):
            if item.get("id") == wanted:
                return _picked(passed, screen, item), screen.goto
    else:
        chosen = chosen_again(book, passed, left)
        if stands(book, chosen, left):
            return way_back(book, chosen, left)
    return not_taken_up(session), screen.name


def _trail(book: Book, session: Session, screen: ScreenSpec) -> tuple[str, ...]:
    """The way back from a screen that is come to."""
    if screen.top:
        return ()
    come_from = session.screen
    return (*session.trail, come_from)[-book.limits.hops :] if come_from and come_from != screen.name else session.trail


def _ask(session: Session, fact: str) -> Ask:
    scope = scope_of(session)
    return Ask(fact, tuple((name, lookup(scope, path)) for name, path in FACTS[fact].args))


def _unanswered(session: Session, fact: str) -> Session:
    """The session with what was asked for, which may yet be answered by SMS."""
    if fact not in FACTS:
        return session
    asked = {"fact": fact, "args": dict(_ask(session, fact).args)}
    return session._replace(values={**session.values, UNANSWERED: asked})


def _effects(session: Session, screen: ScreenSpec) -> tuple[UssdEffect, ...]:
    found = (DOES[name](session) for name in screen.does)
    return tuple(effect for effect in found if effect is not None)


# ------------------------------------------------------------------------------------------------------------- showing


def scope_of(session: Session) -> dict[str, object]:
    """What texts and routes of this conversation may read, by name."""
    network, left = {"state": session.network}, {"state": session.left.menu if session.left else ""}
    return {"msisdn": session.msisdn, "network": network, "left": left, **session.values, **session.facts}


def items_of(session: Session, screen: ScreenSpec) -> Sequence[Any]:
    """What a screen lists."""
    items = lookup(scope_of(session), screen.source)
    return items if isinstance(items, (list, tuple)) else ()


def pages_of(
    book: Book, session: Session, screen: ScreenSpec, trail: tuple[str, ...], notice: str = ""
) -> tuple[str, ...]:
    """The screen's pages in the session's frame; with a ``trail`` the way back is offered."""
    language = book.language(session.language)
    labels: tuple[str, ...] = ()
    if screen.kind == "choose":
        labels = tuple(str(item.get("label", "")) for item in items_of(session, screen))
    elif screen.kind == "list":
        labels = tuple(item_text(language, screen, item) for item in items_of(session, screen))
    back = bool(trail) and screen.kind != "end"
    return pages(language, screen, scope_of(session), labels, back, notice, session.frame)


def _show(
    book: Book,
    session: Session,
    screen: ScreenSpec,
    page: int = 0,
    trail: tuple[str, ...] | None = None,
    notice: str = "",
) -> Step:
    trail = session.trail if trail is None else trail
    shown = pages_of(book, session, screen, trail, notice or session.notice)
    page = min(page, len(shown) - 1)
    final = screen.kind == "end" and page == len(shown) - 1
    text = shown[page]
    left = None if final else leaving(book, session, screen, trail)
    after = session._replace(
        screen=screen.name,
        trail=trail,
        page=page,
        target="",
        reply=text,
        final=final,
        notice="",
        left=left,
        resuming="",
    )
    return Step(after, reply=text, final=final)


def _shown(session: Session, text: str, final: bool) -> Step:
    return Step(session._replace(reply=text, final=final), reply=text, final=final)


def _again(book: Book, session: Session) -> Step:
    """The screen that is already there, nothing run."""
    if session.reply:
        return Step(session, reply=session.reply, final=session.final)
    return _enter(book, session, book.start)


def _wrong(book: Book, session: Session) -> Step:
    session = session._replace(wrong=session.wrong + 1)
    if session.wrong > book.limits.wrong:
        return _end(book, session, "end.too_many")
    return _show(book, session, book.screens[session.screen], notice="nav.wrong")  # the notice stands on the first page


def _end(book: Book, session: Session, key: str) -> Step:
    text = paginate(book.language(session.language).say(key, {}).split("\n"), "", "", session.frame)[0]
    return _shown(session._replace(target="", left=None, resuming=""), text, True)
