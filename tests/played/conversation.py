"""A played conversation: a TOML file with the facts, and for each key the whole screen in every language.

    title = "what it shows"
    languages = ["sw", "en"]       # the default
    limit = 160                    # units of a screen, the default
    network = "other"              # the caller's, the default
    [facts]                        # by name from facts.toml, in the order in which they are answered; "late": never
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

A language is the one that the caller's fact brings. ``{language}`` in an effect stands for it.
After a change of texts write the screens anew and read the difference:
``PYTHONPATH=tests .venv/bin/python -m played.record tests/menus/conversations/*.toml``
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.ussd.session import OTHER_NETWORK, Session
from played.talk import BOOK, LATE, MSISDN, Fact, Seen, Talk, from_table, new_session

BROAD = 160
FOLDER = Path(__file__).parents[1] / "menus" / "conversations"
NAMED: dict[str, dict[str, Fact]] = tomllib.loads((FOLDER.parent / "facts.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Conversation:
    name: str
    data: dict[str, Any]

    @property
    def languages(self) -> list[str]:
        return list(self.data.get("languages", BOOK.languages))

    @property
    def turns(self) -> list[dict[str, Any]]:
        return list(self.data["turn"])

    def facts(self, language: str) -> dict[str, list[Fact | str]]:
        return {
            fact: [LATE if name == LATE else _named(fact, name, language) for name in names]
            for fact, names in self.data.get("facts", {}).items()
        }

    def session(self) -> Session:
        """As it begins."""
        return new_session(limit=self.data.get("limit", BROAD), network=self.data.get("network", OTHER_NETWORK))

    def play(self, language: str) -> Iterator[tuple[dict[str, Any], Seen]]:
        """Every turn as written beside what was seen."""
        talk = Talk(from_table(self.facts(language)), self.session())
        for number, turn in enumerate(self.turns):
            assert number or not turn.keys() & {"key", "dropped"}, "the first turn dials"
            yield turn, played_turn(talk, turn, first=number == 0)


def played_turn(talk: Talk, turn: dict[str, Any], first: bool) -> Seen:
    """What the turn brings about."""
    if first:
        return talk.dial()
    return talk.dial_again() if turn.get("dropped") else talk.press(turn["key"], turn.get("dialled", False))


def _named(fact: str, name: str, language: str) -> Fact:
    value = dict(NAMED[fact][name])
    if fact == "caller":
        value["language"] = None if language == BOOK.default_language else language
    return value


def written_effects(turn: dict[str, Any], language: str) -> tuple[str, ...]:
    return tuple(text.replace("{language}", language).replace("{msisdn}", MSISDN) for text in turn.get("effects", []))


def all_conversations() -> list[Conversation]:
    return [
        Conversation(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    ]
