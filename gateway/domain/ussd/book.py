"""The menu book: screens and their texts as data, checked when loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from gateway.domain.money import Money
from gateway.domain.ussd.accepts import ACCEPTS
from gateway.domain.ussd.by_sms import ELSEWHERE, messages_of
from gateway.domain.ussd.effects import DOES, LEADS_TO_DUE, SAYS
from gateway.domain.ussd.facts import FACTS, MESSAGE_FIELDS, SMS_FIELDS, STYLED, VALUES, FactSpec, items_spec, lookup
from gateway.domain.ussd.session import OTHER_NETWORK
from gateway.domain.ussd.shape import shape_faults
from gateway.domain.ussd.ways import ASK, RESTART, resume_faults, used_on_the_way

_NAME = re.compile(r"[a-z0-9_-]{1,60}")  # of a menu or a screen: it labels metrics, rows and peers' own statistics
_FIELD = re.compile(r"\{([a-z_0-9.]+)(?::([a-z]+))?\}")
_OPTION_KEY = re.compile(r"[1-9][0-9]?")
RESERVED_KEYS = {"0", "00", "#"}
KINDS = ("route", "menu", "input", "choose", "list", "end")
OWN_NAMES = "named."  # before a language's code: the text that is its own name, the same in every language
STYLES = ("", "date", "money", "number")


class BookError(ValueError):
    """The book does not hold together; every fault is listed."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one conversation."""

    keys: int = 40
    wrong: int = 4
    options: int = 5
    input_characters: int = 40
    hops: int = 8  # screens passed through between two replies
    asks: int = 8  # facts fetched between two replies
    resume_minutes: int = 10  # how long a dropped conversation can be taken up again; 0: never


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a menu."""

    key: str
    text: str
    goto: str
    language: str | None = None
    resumes: bool = False  # of the screen that asks: take up what was left; ``goto`` is the start for either answer


@dataclass(frozen=True, slots=True)
class Route:
    """Taken when every fact in ``when`` has its value; ``put`` copies facts into values."""

    goto: str
    when: tuple[tuple[str, Any], ...] = ()
    put: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ScreenSpec:
    """One screen. ``text`` may hold a path in braces whose value picks the variant: ``home.{family.state}``.

    ``each`` is the text of one item of a list, picked by the item in the same manner: ``member.{item.state}``.
    """

    name: str
    kind: str
    menu: str = ""  # the file it stands in
    text: str = ""
    needs: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()  # facts fetched anew on entering
    options: tuple[Option, ...] = ()
    routes: tuple[Route, ...] = ()
    goto: str = ""  # input, choose: where a good answer leads
    accept: str = ""  # input: what is typed
    into: str = ""  # input, choose: the value's name
    source: str = ""  # choose, list: the path of the list
    failed: str = ""  # where to go when a needed fact does not come in time
    does: tuple[str, ...] = ()  # effects of entering
    guard: bool = False  # a confirmation of money: dialled-ahead answers stop here
    goal: bool = False  # what one dials for is told here: who hangs up now was served
    resume: str = RESTART  # when the network drops it here and the phone dials again: continue, ask or restart
    resume_at: str = ""  # the screen to enter then, which fetches what this one shows; itself where it is empty
    each: str = ""  # list: the text of an item
    top: bool = False  # the way back ends here


class Template:
    """A text with ``{path}`` or ``{path:format}`` holes. Formats: date, money, number (a control number in fours)."""

    __slots__ = ("parts", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.parts: list[tuple[str, str, str]] = []  # literal text, path, format
        position = 0
        for match in _FIELD.finditer(source):
            self.parts.append((source[position : match.start()], match.group(1), match.group(2) or ""))
            position = match.end()
        self.parts.append((source[position:], "", ""))

    def render(self, scope: dict[str, object]) -> str:
        """The text with its holes filled; what is missing reads as a dash."""
        return self.fill({path: lookup(scope, path) for path in self.paths()})

    def fill(self, values: Mapping[str, object]) -> str:
        """As ``render``, from values by whole path."""
        out: list[str] = []
        for literal, path, style in self.parts:
            out.append(literal)
            if path:
                out.append(_formatted(values.get(path), style))
        return "".join(out)

    def paths(self) -> list[str]:
        """The paths of the holes."""
        return [path for _, path, _ in self.parts if path]


def _formatted(value: object, style: str) -> str:
    if value is None or value == "":
        return "-"
    if style == "date":
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
        return f"{day:%d/%m/%Y}"
    if style == "money":
        return str(Money(value)) if isinstance(value, int) else "-"
    if style == "number":
        text = str(value)
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))
    return str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """Every text of one language, by key."""

    code: str
    name: str
    texts: Mapping[str, Template]

    def say(self, key: str, scope: dict[str, object]) -> str:
        """The text of a key; the key itself where the book was not checked."""
        template = self.texts.get(key)
        return template.render(scope) if template else key


@dataclass(frozen=True, slots=True)
class Book:
    """All screens and languages. The first language is the one a new phone hears."""

    start: str
    screens: Mapping[str, ScreenSpec]
    languages: Mapping[str, Language]
    limits: Limits = field(default_factory=Limits)
    networks: tuple[str, ...] = ()  # whose callers may be shown texts of their own
    resume_ask: str = ""  # the screen that asks whether to take up what was left
    resume_uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # values used on the way back, by screen

    @property
    def default_language(self) -> str:
        """Swahili first, by the order of the book."""
        return next(iter(self.languages))

    def language(self, code: str) -> Language:
        """The language, or the default one for a code that nobody knows."""
        return self.languages.get(code) or self.languages[self.default_language]


def load_book(data: Mapping[str, Any], languages: Mapping[str, Mapping[str, Any]]) -> Book:
    """Build and check a book from its parsed files. Raises BookError with every fault found.

    A language is its file; those that the book lists come first, in its order.
    """
    misshapen = list(shape_faults(data, languages, tuple(limit.name for limit in fields(Limits))))
    if misshapen:
        raise BookError(misshapen)
    resume = data.get("resume", {})
    how = resume.get("default", RESTART)
    listed = [code for code in data.get("languages", []) if code in languages]
    codes = dict.fromkeys([*listed, *sorted(languages)])
    named = {f"{OWN_NAMES}{code}": str(languages[code].get("name", code)) for code in codes}
    screens = {name: _with_languages(raw, named) for name, raw in data.get("screens", {}).items()}
    book = Book(
        start=str(data.get("start", "")),
        screens={name: _screen(name, {"resume": how, **raw}) for name, raw in screens.items()},
        languages={code: _language(code, languages[code], named) for code in codes},
        limits=Limits(**data.get("limits", {})),
        networks=tuple(data.get("networks", ())),
        resume_ask=str(resume.get("ask", "")),
    )
    faults = [f"language file missing: {c}" for c in data.get("languages", []) if c not in languages]
    faults += list(_faults(book))
    if faults:
        raise BookError(faults)
    return replace(book, resume_uses=used_on_the_way(book, mentioned))


def _screen(name: str, raw: Mapping[str, Any]) -> ScreenSpec:
    known = dict(raw)
    known["options"] = tuple(Option(**o) for o in raw.get("options", []))
    known["routes"] = tuple(
        Route(r["goto"], tuple(r.get("when", {}).items()), tuple(r.get("put", {}).items()))
        for r in raw.get("routes", [])
    )
    for listed in ("needs", "forget", "does"):
        known[listed] = tuple(raw.get(listed, ()))
    return ScreenSpec(name=name, **known)


def _language(code: str, raw: Mapping[str, Any], named: Mapping[str, str]) -> Language:
    return Language(
        code, named[f"{OWN_NAMES}{code}"], {key: Template(text) for key, text in (*_flat(raw), *named.items())}
    )


def _with_languages(raw: Any, named: Mapping[str, str]) -> Any:
    """A screen with ``languages = true`` has an option for each, by the language's own name."""
    if not (isinstance(raw, Mapping) and raw.get("languages")):
        return raw
    others = {key: value for key, value in raw.items() if key not in ("languages", "goto")}
    options = [
        {"key": str(number), "text": key, "goto": raw.get("goto", ""), "language": key.removeprefix(OWN_NAMES)}
        for number, key in enumerate(named, 1)
    ]
    return {**others, "options": options}


def _flat(raw: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in raw.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


COMMON_TEXTS = (
    "nav.anew", "nav.back", "nav.more", "nav.resumed", "nav.wrong",
    "end.bye", "end.busy", "end.error", "end.others_later", "end.too_many", "end.try_later", "end.unreadable",
    "sms.control_number", "sms.number_refused", "sms.covered", "sms.part_paid", "sms.receipt", "sms.held",
    "sms.number_cancelled", "sms.paid_ready", "sms.cover_moved",
)  # fmt: skip


def text_keys(book: Book, screen: ScreenSpec) -> list[str]:
    """Every text key a screen can show, variants expanded over the states of the fact that picks them."""
    return _variants(book, screen.text)


def _variants(book: Book, text: str) -> list[str]:
    hole = _FIELD.search(text)
    if hole is None:
        return [text] if text else []
    return [text.replace(hole.group(0), state) for state in _states(book, hole.group(1))]


def item_keys(screen: ScreenSpec) -> list[str]:
    """Every text key that an item of the screen's list can show."""
    spec, hole = items_spec(screen.source), _FIELD.search(screen.each)
    if spec is None or hole is None or hole.group(1) != "item.state":
        return []
    return [screen.each.replace(hole.group(0), state) for state in spec.states]


def mentioned(book: Book, screen: ScreenSpec) -> set[str]:
    """The path of everything that a screen shows, in any language."""
    keys = [*text_keys(book, screen), *(option.text for option in screen.options)]
    texts = [language.texts[key] for language in book.languages.values() for key in keys if key in language.texts]
    picked = {match.group(1) for match in _FIELD.finditer(screen.text)}
    listed = {screen.source} if screen.source else set()
    return {path for text in texts for path in text.paths()} | picked | listed


def needed_texts(book: Book) -> set[str]:
    """Every text that a language must have; no other is ever shown or sent."""
    screens = book.screens.values()
    shown = {key for screen in screens for key in (*text_keys(book, screen), *item_keys(screen))}
    shown |= {option.text for screen in screens for option in screen.options}
    said = {text for screen in screens for done in screen.does for text in SAYS.get(done, ())}
    sent = {key for text in said for key in _variants(book, text)}
    sent |= {f"sms.{kind}" for fact in _promised(book) for kind in messages_of(fact)}
    if any(LEADS_TO_DUE.intersection(screen.needs) for screen in screens):
        sent.add(f"sms.{ELSEWHERE}")
    return shown.union(COMMON_TEXTS, sent)


def _states(book: Book, path: str) -> tuple[str, ...]:
    """What the path's state may be."""
    if path == "network.state":
        return (*book.networks, OTHER_NETWORK)
    if path == "left.state":  # the menu in which a dropped conversation stood
        return tuple(sorted({screen.menu for screen in book.screens.values() if screen.resume == ASK}))
    spec = _spec(path)
    return spec.states if spec else ()


def _spec(path: str) -> FactSpec | None:
    """The fact or the chosen value that a path begins with."""
    name = path.split(".")[0]
    return FACTS.get(name) or VALUES.get(name)


def _faults(book: Book) -> Iterator[str]:
    if not book.languages:
        yield "the book has no language"
    if book.start not in book.screens:
        yield f"the start screen {book.start!r} does not exist"
    for screen in book.screens.values():
        yield from _screen_faults(book, screen)
    yield from resume_faults(book, mentioned)
    needed = needed_texts(book) if book.screens else set()
    items = {key: items_spec(s.source) for s in book.screens.values() for key in item_keys(s)}
    for language in book.languages.values():
        yield from (f"{language.code}: no text for {key!r}" for key in sorted(needed - set(language.texts)))
        for key, template in language.texts.items():
            yield from (f"{language.code}: {key}: {fault}" for fault in _text_faults(key, template, items.get(key)))


def _promised(book: Book) -> set[str]:
    """The facts that are promised by SMS when they do not come."""
    screens = book.screens
    return {n for s in screens.values() if s.failed in screens for n in s.needs if _promises(screens[s.failed])}


def _promises(screen: ScreenSpec) -> bool:
    return "answer_by_sms" in screen.does


def _text_faults(key: str, template: Template, item: FactSpec | None) -> Iterator[str]:
    for literal, path, style in template.parts:
        if "{" in literal or "}" in literal:
            yield "a brace that is no field"
        if style not in STYLES:
            yield f"unknown format {style!r}"
        if not path:
            continue
        if key.startswith(("nav.", "end.")):
            yield f"tells {{{path}}}, and no fact is told there"
        elif not (path in SMS_FIELDS if key.startswith("sms.") else _is_variable(path, item)):
            yield f"unknown field {path!r}"
        elif key.startswith("sms.") and path not in MESSAGE_FIELDS.get(key.split(".")[1], SMS_FIELDS):
            known = ", ".join(f"{{{name}}}" for name in MESSAGE_FIELDS[key.split(".")[1]])
            yield f"this message knows no {{{path}}}, only {known}"
        elif style in STYLES:
            yield from _style_faults(path, style)


def _style_faults(path: str, style: str) -> Iterator[str]:
    name = path.rpartition(".")[2]
    wanted = STYLED.get(name, style if name == "number" and style == "number" else "")
    if style != wanted:
        yield f"{{{path}{style and ':'}{style}}} must be told as {{{path}{wanted and ':'}{wanted}}}"


def _is_variable(path: str, item: FactSpec | None) -> bool:
    spec, field_name = item if path.startswith("item.") else _spec(path), path.partition(".")[2]
    return spec is not None and field_name in ("state", *spec.variables)


def _route_faults(book: Book, where: str, screen: ScreenSpec) -> Iterator[str]:
    for path, wanted in (pair for route in screen.routes for pair in route.when):
        if _spec(path) is None:
            yield f"{where}: a route asks for the unknown {path!r}"
        elif path.endswith(".state") and wanted not in _states(book, path):
            yield f"{where}: {path} is never {wanted!r}"
    if screen.failed in book.screens and book.screens[screen.failed].needs:
        yield f"{where}: when facts do not come it goes to {screen.failed!r}, which needs facts"
    if screen.failed in book.screens and _promises(book.screens[screen.failed]):
        untold = [need for need in screen.needs if not messages_of(need)]
        yield from (f"{where}: {need!r} is promised by SMS, and there is no text to tell it" for need in untold)
    if screen.failed in book.screens and "due_by_sms" in book.screens[screen.failed].does:
        odd = [need for need in screen.needs if need not in LEADS_TO_DUE]
        yield from (f"{where}: {need!r} is not on an officer's way to what a family owes" for need in odd)


def _value_faults(where: str, screen: ScreenSpec) -> Iterator[str]:
    """A value under a name that nothing knows is never read: the one that was meant is not there."""
    put = [name for route in screen.routes for name, _ in route.put]
    for name in (screen.into, *put):
        if name and name not in VALUES:
            yield f"{where}: {name!r} is none of the values that there are: {', '.join(VALUES)}"


def _name_faults(where: str, screen: ScreenSpec) -> Iterator[str]:
    for what, name in (("screen", screen.name), ("menu", screen.menu or "-")):
        if not _NAME.fullmatch(name):
            yield f"{where}: the {what}'s name must be of a-z, 0-9, - and _, at most 60: {name!r}"


def _list_faults(where: str, screen: ScreenSpec) -> Iterator[str]:
    if screen.kind == "choose" and _spec(screen.source) is None:
        yield f"{where}: chooses from the unknown {screen.source!r}"
    if screen.kind == "list" and items_spec(screen.source) is None:
        yield f"{where}: lists the unknown {screen.source!r}"
    elif screen.kind == "list" and not item_keys(screen):
        yield f"{where}: an item needs a text of its state: 'each'"


def targets(screen: ScreenSpec) -> list[str]:
    """Every screen that one can come to from here, back and home aside."""
    ways = [option.goto for option in screen.options] + [route.goto for route in screen.routes]
    return list(dict.fromkeys(ways + [name for name in (screen.goto, screen.failed) if name]))


def _screen_faults(book: Book, screen: ScreenSpec) -> Iterator[str]:
    where = f"screen {screen.name}"
    yield from _name_faults(where, screen)
    if screen.kind not in KINDS:
        yield f"{where}: unknown kind {screen.kind!r}"
    yield from (f"{where}: goes to {t!r}, which does not exist" for t in targets(screen) if t not in book.screens)
    yield from (f"{where}: needs the unknown fact {n!r}" for n in (*screen.needs, *screen.forget) if n not in FACTS)
    yield from (f"{where}: does the unknown effect {d!r}" for d in screen.does if d not in DOES)
    yield from _route_faults(book, where, screen)
    spoken = [o.language for o in screen.options if o.language]
    yield from (f"{where}: switches to the unknown language {c!r}" for c in spoken if c not in book.languages)
    if screen.kind != "route" and not text_keys(book, screen):
        yield f"{where}: shows no text, or one picked by an unknown fact"
    yield from _list_faults(where, screen)
    yield from _value_faults(where, screen)
    if screen.needs and not screen.failed:
        yield f"{where}: needs facts but does not say where to go when they do not come"
    if len(screen.options) > book.limits.options:
        yield f"{where}: more than {book.limits.options} options"
    keys = [o.key for o in screen.options]
    if len(set(keys)) != len(keys) or RESERVED_KEYS.intersection(keys) or "" in keys:
        yield f"{where}: option keys clash with each other or with 0, 00, # (or are empty)"
    odd = [key for key in keys if key and key not in RESERVED_KEYS and not _OPTION_KEY.fullmatch(key)]
    yield from (f"{where}: {key!r} is no key for an option: a number from 1 to 99" for key in odd)
    if screen.kind in ("input", "choose") and not (screen.goto and screen.into):
        yield f"{where}: an answer needs 'goto' and 'into'"
    if screen.kind == "input" and screen.accept not in ACCEPTS:
        yield f"{where}: accepts the unknown {screen.accept!r}"
    if screen.kind == "menu" and not screen.options:
        yield f"{where}: a menu without options is a dead end"
    if screen.kind == "route" and (not screen.routes or screen.routes[-1].when):
        yield f"{where}: the last route must hold always"
