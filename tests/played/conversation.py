"""The conversations of ``tests/menus/conversations``, in the format of ``gateway.menu_tools.conversation``.

Facts that go by name stand in ``tests/menus/facts.toml``.
After a change of texts write the screens anew and read the difference:
``PYTHONPATH=tests .venv/bin/python -m played.record tests/menus/conversations/*.toml``
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.session import OTHER_NETWORK, Session
from gateway.menu_tools.conversation import played_turn, spoken
from played.talk import BOOK, LATE, MSISDN, Fact, Seen, Talk, from_table, new_session

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

    @property
    def begun(self) -> Session:
        """The conversation before the phone dials."""
        frame = self.data.get("frame")
        return new_session(
            limit=self.data.get("limit", 160),
            frame=Frame(**frame) if frame else None,
            network=self.data.get("network", OTHER_NETWORK),
        )

    def facts(self, language: str) -> dict[str, list[Fact | str]]:
        return {
            fact: [LATE if name == LATE else _fact(fact, name, language) for name in names]
            for fact, names in self.data.get("facts", {}).items()
        }

    def play(self, language: str) -> Iterator[tuple[dict[str, Any], Seen]]:
        """Every turn as written beside what was seen."""
        talk = Talk(from_table(self.facts(language)), self.begun)
        for number, turn in enumerate(self.turns):
            assert number or not turn.keys() & {"key", "dropped"}, "the first turn dials"
            yield turn, played_turn(talk, turn) if number else talk.dial()


def _fact(fact: str, given: str | Fact, language: str) -> Fact:
    return spoken(fact, dict(NAMED[fact][given] if isinstance(given, str) else given), language, BOOK)


def written_effects(turn: dict[str, Any], language: str) -> tuple[str, ...]:
    return tuple(text.replace("{language}", language).replace("{msisdn}", MSISDN) for text in turn.get("effects", []))


def all_conversations() -> list[Conversation]:
    return [
        Conversation(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(FOLDER.glob("*.toml"))
    ]
