"""What the files of a book may hold: every word one that is known, every value of its kind.

It is looked at before anything is built of them, so that whoever edits menus reads a sentence and no traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

MOST_SCREENS = 400
LONGEST_TEXT = 1_000  # characters; a screen holds 182 at most

TEXT, TEXTS, YES_NO, TABLE, TABLES, NUMBER = (
    "a text in quotes",
    'a list of texts, like ["a", "b"]',
    "true or false, without quotes",
    "a table",
    "a list of tables, like [{ … }, { … }]",
    "a whole number",
)
_IS: dict[str, Callable[[Any], bool]] = {
    TEXT: lambda value: isinstance(value, str),
    TEXTS: lambda value: isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value),
    YES_NO: lambda value: isinstance(value, bool),
    TABLE: lambda value: isinstance(value, Mapping),
    TABLES: lambda value: isinstance(value, (list, tuple)) and all(isinstance(one, Mapping) for one in value),
    NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
}
_BOOK = {"languages": TEXTS, "start": TEXT, "networks": TEXTS, "limits": TABLE, "resume": TABLE, "screens": TABLE}
_RESUME = {"default": TEXT, "ask": TEXT}
_SCREEN = {
    **dict.fromkeys(("kind", "menu", "text", "failed", "resume", "resume_at"), TEXT),
    **dict.fromkeys(("goto", "accept", "into", "source", "each"), TEXT),
    **dict.fromkeys(("needs", "forget", "does"), TEXTS),
    **dict.fromkeys(("guard", "goal", "top", "languages"), YES_NO),
    **dict.fromkeys(("options", "routes"), TABLES),
}
_OPTION = {"key": TEXT, "text": TEXT, "goto": TEXT, "language": TEXT, "resumes": YES_NO}
_ROUTE = {"goto": TEXT, "when": TABLE, "put": TABLE}
# words that would do nothing, or something else than they say, on a screen of another kind
_ONLY_ON = {
    "options": ("menu",),
    "routes": ("route",),
    "goto": ("languages", "choose", "input"),
    "into": ("choose", "input"),
    "accept": ("input",),
    "source": ("choose", "list"),
    "each": ("list",),
}
# an unknown one is said when the book is built; "languages": a menu that has an option for each
_KINDS = ("route", "menu", "languages", "input", "choose", "list", "end")


def shape_faults(data: Mapping[str, Any], languages: Mapping[str, Any], limits: Iterable[str]) -> Iterator[str]:
    """Of the parsed files. ``limits``: the words that the limits may be."""
    yield from _words("book.toml", data, _BOOK)
    for name, words in (("limits", dict.fromkeys(limits, NUMBER)), ("resume", _RESUME)):
        if isinstance(data.get(name), Mapping):
            yield from _words(name, data[name], words)
    screens = data.get("screens", {})
    if isinstance(screens, Mapping):
        if len(screens) > MOST_SCREENS:
            yield f"{len(screens)} screens, {MOST_SCREENS} at most"
        for name, screen in screens.items():
            yield from _screen(f"screen {name}", screen)
    for code, language in languages.items():
        yield from (f"{code}: {fault}" for fault in _texts(language))
        if "name" not in language:
            yield f"{code}: 'name' is missing: what the language is called in itself"


def _screen(where: str, screen: Any) -> Iterator[str]:
    if not isinstance(screen, Mapping):
        yield f"{where}: must be {TABLE}"
        return
    yield from _words(where, screen, _SCREEN, ("kind",))
    if screen.get("languages") is True and screen.get("kind") != "menu":
        yield f"{where}: 'languages' means nothing but on a menu"
    kind = "languages" if screen.get("languages") is True else screen.get("kind")
    odd = [word for word, on in _ONLY_ON.items() if screen.get(word) and kind in _KINDS and kind not in on]
    yield from (f"{where}: {word!r} means nothing on the kind {kind!r}" for word in odd)
    for word, known, needed in (("options", _OPTION, ("key", "text", "goto")), ("routes", _ROUTE, ("goto",))):
        listed: Any = screen.get(word)
        for number, one in enumerate(listed if _IS[TABLES](listed) else [], 1):
            at = f"{where}: {word.removesuffix('s')} {number}"
            yield from _words(at, one, known, needed)
            put = one.get("put")
            if isinstance(put, Mapping):
                yield from (f"{at}: put {name!r} must be {TEXT}" for name, path in put.items() if not _IS[TEXT](path))


def _words(
    where: str, table: Mapping[str, Any], known: Mapping[str, str], needed: tuple[str, ...] = ()
) -> Iterator[str]:
    for word, value in table.items():
        if word not in known:
            yield f"{where}: unknown word {word!r}"
        elif not _IS[known[word]](value):
            yield f"{where}: {word!r} must be {known[word]}"
    yield from (f"{where}: {word!r} is missing" for word in needed if word not in table)


def _texts(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _texts(value, f"{key}.")
        elif not isinstance(value, str):
            yield f"{key}: must be {TEXT}"
        elif not value.strip():
            yield f"{key}: is empty"
        elif len(value) > LONGEST_TEXT:
            yield f"{key}: {len(value):,} characters, {LONGEST_TEXT:,} at most"
