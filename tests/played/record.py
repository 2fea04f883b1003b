"""Write the screens, asks and effects of conversations anew from what is seen; a person reads the difference."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from played.conversation import Conversation
from played.talk import MSISDN, Seen


def recorded(conversation: Conversation) -> str:
    """The file's whole text."""
    data = conversation.data
    seen = {language: [s for _, s in conversation.play(language)] for language in conversation.languages}
    lines = [f"title = {_text(data['title'])}"]
    lines += [f"{name} = {json.dumps(data[name])}" for name in ("languages", "limit", "network") if name in data]
    lines += ["", "[facts]", *(f"{fact} = {json.dumps(names)}" for fact, names in data.get("facts", {}).items())]
    for number, turn in enumerate(conversation.turns):
        lines += ["", "[[turn]]"]
        if "note" in turn:
            lines.append(f"note = {_text(turn['note'])}")
        if "key" in turn:
            lines.append(f"key = {_text(turn['key'])}")
        if turn.get("dropped"):
            lines.append("dropped = true")
        if turn.get("dialled"):
            lines.append("dialled = true")
        lines += _turn({language: turns[number] for language, turns in seen.items()})
    return "\n".join(lines) + "\n"


def _turn(seen: dict[str, Seen]) -> list[str]:
    first_language, first = next(iter(seen.items()))
    lines = []
    if first.asks:
        lines.append(f"asks = {json.dumps(first.asks)}")
    if first.effects:
        said = [e.replace(f"in={first_language}", "in={language}").replace(MSISDN, "{msisdn}") for e in first.effects]
        lines.append(f"effects = {json.dumps(said)}")
    if first.final:
        lines.append("ends = true")
    return lines + [f"{language} = '''\n{one.screen}'''" for language, one in seen.items()]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        found = Conversation(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        path.write_text(recorded(found), encoding="utf-8")
