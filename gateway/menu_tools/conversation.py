"""A played conversation as a TOML file, which is a test: facts, and for each key the whole screen in every language.

    title = "what it shows"
    languages = ["sw", "en"]       # the default: all of the book
    limit = 160                    # units of a screen, the default; or a whole frame = { units = 182, ... }
    network = "one"                # the caller's, of those in the book, where it matters
    [facts]                        # as they are answered in turn: by name, or whole; "late": never
    caller = ["covered"]
    [[turn]]                       # the first dials
    [[turn]]
    key = "1"                      # dialled = true: it stood in the dialled code
                                   # dropped = true for a key: the network drops the session, the phone dials again
    asks = ["quote family_id=7"]
    effects = []
    ends = true                    # the last screen
    sw = '''...'''
    en = '''...'''

A language is the one that the caller's fact brings. ``{language}`` and ``{msisdn}`` in an effect stand for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.samples import Fact
from gateway.domain.ussd.session import OTHER_NETWORK, Session
from gateway.menu_tools.talk import Seen, Talk, from_table


def spoken(fact: str, value: Fact, language: str, book: Book) -> Fact:
    """The caller's fact brings the language that the phone reads; the first one needs no saying."""
    if fact != "caller":
        return value
    return {**value, "language": None if language == book.default_language else language}


@dataclass
class Recording:
    """What was pressed and answered in one conversation. ``begun`` is the session before the dialling."""

    begun: Session
    facts: dict[str, list[Fact | str]] = field(default_factory=dict)
    turns: list[dict[str, Any]] = field(default_factory=list)  # after the dialling, as the file has them

    def text(self, book: Book, title: str) -> str:
        """The file, the screens of every language as they come when the same is pressed and answered."""
        data: dict[str, Any] = {"title": title, "facts": self.facts}
        if self.begun.network != OTHER_NETWORK:
            data["network"] = self.begun.network
        if self.begun.frame != Frame():
            data["frame"] = self.begun.frame._asdict()
        data["turn"] = [{}, *self.turns]
        return written(data, {language: self._seen(book, language) for language in book.languages}, self.begun.msisdn)

    def _seen(self, book: Book, language: str) -> list[Seen]:
        facts = {
            fact: [one if isinstance(one, str) else spoken(fact, one, language, book) for one in answers]
            for fact, answers in self.facts.items()
        }
        talk = Talk(from_table(facts), self.begun._replace(language=book.default_language), book)
        return [talk.dial(), *(played_turn(talk, turn) for turn in self.turns)]


def played_turn(talk: Talk, turn: Mapping[str, Any]) -> Seen:
    """What a turn after the first brings about."""
    return talk.dial_again() if turn.get("dropped") else talk.press(turn["key"], turn.get("dialled", False))


def written(data: Mapping[str, Any], seen: Mapping[str, Sequence[Seen]], msisdn: str) -> str:
    """The file's whole text: what ``data`` says of it, with what was ``seen`` in each language."""
    lines = [f"title = {toml(data['title'])}"]
    lines += [f"{name} = {toml(data[name])}" for name in ("languages", "limit", "network", "frame") if name in data]
    lines += ["", "[facts]", *(f"{fact} = {toml(answers)}" for fact, answers in data.get("facts", {}).items())]
    for number, turn in enumerate(data["turn"]):
        lines += ["", "[[turn]]"]
        lines += [f"{name} = {toml(turn[name])}" for name in ("note", "key") if name in turn]
        lines += [f"{name} = true" for name in ("dropped", "dialled") if turn.get(name)]
        lines += _turn({language: turns[number] for language, turns in seen.items()}, msisdn)
    return "\n".join(lines) + "\n"


def _turn(seen: Mapping[str, Seen], msisdn: str) -> list[str]:
    first_language, first = next(iter(seen.items()))
    lines = []
    if first.asks:
        lines.append(f"asks = {toml(first.asks)}")
    if first.effects:
        said = [e.replace(f"in={first_language}", "in={language}").replace(msisdn, "{msisdn}") for e in first.effects]
        lines.append(f"effects = {toml(said)}")
    if first.final:
        lines.append("ends = true")
    return lines + [f"{language} = '''\n{one.screen}'''" for language, one in seen.items()]


def toml(value: Any) -> str:
    """A value on one line. What is None is left out: a fact has none of it."""
    if isinstance(value, Mapping):
        pairs = [f"{name} = {toml(one)}" for name, one in value.items() if one is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)
