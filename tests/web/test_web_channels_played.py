"""The recorded conversations over every channel's real address: the same items in the same order, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channel_lines import LINES, Line, each, unpaged
from channel_world import House, Told, house
from played.conversation import Conversation, all_conversations
from played.talk import BOOK, LATE, Talk, from_table, new_session

from adapters.sessions.memory import MemorySessions
from adapters.sessions.valkey import ValkeySessions
from gateway.domain.ussd.frame import Frame, cost
from gateway.ports import SessionStore

# all but those that the network drops between two pages, which are other pages on another channel
CONVERSATIONS = [
    c for c in all_conversations() if "limit" not in c.data or not any(turn.get("dropped") for turn in c.turns)
]
ONE_PAGE = Frame(units=100_000)


DROP = "dropped"


def legs(conversation: Conversation) -> tuple[list[str], list[str]]:
    """The answers inside the dialled code, and the keys after it. Pages are turned by the phone itself."""
    turns = conversation.turns[1:]
    dialled = [turn["key"] for turn in turns if turn.get("dialled")]
    assert all(turn.get("dialled") for turn in turns[: len(dialled)]), "what is dialled along comes first"
    keys = [DROP if turn.get("dropped") else turn["key"] for turn in turns[len(dialled) :]]
    return dialled, [key for key in keys if key != "#"]


def expected(conversation: Conversation, language: str, network: str) -> list[tuple[list[str], bool]]:
    """What the machine says by itself, without a wire, on a screen without an end."""
    dialled, keys = legs(conversation)
    talk = Talk(from_table(conversation.facts(language)), new_session(frame=ONE_PAGE, network=network))
    seen = talk.dial()
    for key in dialled:
        seen = talk.press(key, dialled=True)
    said = [(seen.screen, seen.final)]
    for key in keys:
        seen = talk.dial_again() if key == DROP else talk.press(key)
        said.append((seen.screen, seen.final))
    return [([line for line in text.split("\n") if not line.startswith(("0 ", "# "))], final) for text, final in said]


@pytest.fixture(params=["memory", "valkey"])
async def sessions(request: pytest.FixtureRequest) -> AsyncIterator[SessionStore]:
    store: Any
    store = (
        MemorySessions()
        if request.param == "memory"
        else ValkeySessions(request.getfixturevalue("valkey_url"), timeout_s=30)
    )
    yield store
    await store.close()


async def played(at: House, line: Line, conversation: Conversation, language: str) -> list[tuple[list[str], bool]]:
    dialled, keys = legs(conversation)
    at.told.answerer = from_table(conversation.facts(language))
    said = [await unpaged(line, await line.dial(dialled))]
    for number, key in enumerate(keys):
        if key == DROP:
            line.session += f"-{number}"
        said.append(await unpaged(line, await (line.dial() if key == DROP else line.press(key))))
    return said


def number_of(conversation: Conversation, kind: type[Line], language: str) -> str:
    """A phone of its own: what one conversation leaves is no other's."""
    lines = LINES.index(kind) * len(BOOK.languages) + [*BOOK.languages].index(language)
    return f"25575{lines:03}{CONVERSATIONS.index(conversation):04}"


def words(said: list[tuple[list[str], bool]]) -> list[tuple[list[str], bool]]:
    """A line longer than a page is broken between two words, so the words are what stays."""
    return [(" ".join(lines).split(), final) for lines, final in said]


@pytest.mark.parametrize("language", BOOK.languages)
@each
async def test_every_conversation_says_the_same_on_every_channel(
    kind: type[Line], language: str, sessions: SessionStore
) -> None:
    assert len(CONVERSATIONS) >= 20
    heard = 0
    async with house(Told(lambda ask: LATE), sessions) as at:
        for conversation in CONVERSATIONS:
            if language not in conversation.languages:
                continue
            session = f"{kind.__name__}-{conversation.name}-{language}"
            line = at.line(kind, session, number_of(conversation, kind, language))
            said = await played(at, line, conversation, language)
            meant = expected(conversation, language, kind.network)
            assert words(said) == words(meant), conversation.name
            if kind.units[0] >= 140:  # every item fits a page there, so none is broken
                options = [[line for line in lines if line[:1].isdigit()] for lines, _ in said]
                assert options == [[line for line in lines if line[:1].isdigit()] for lines, _ in meant]
            heard += 1
    assert heard >= 20


@each
async def test_no_screen_of_any_conversation_outgrows_its_channel(kind: type[Line]) -> None:
    """Counted on what the phone's side received."""
    units, counted = kind.units
    newline = "<br>" if kind.name == "halotel" else "\n"
    frame = Frame(units, counted, newline, 0, entities=kind.name == "halotel")
    prefix = 0 if kind.name in ("beem", "hub", "vodacom", "halotel") else 4
    seen: list[str] = []

    class Watched(kind):  # type: ignore[misc, valid-type]
        async def read(self, content_type: str, body: bytes) -> Any:
            shown = await super().read(content_type, body)
            seen.append(shown.text)
            return shown

    async with house(Told(lambda ask: LATE)) as at:
        for conversation in CONVERSATIONS:
            language = conversation.languages[0]
            line = at.line(Watched, f"w-{conversation.name}", number_of(conversation, kind, language))
            await played(at, line, conversation, language)
    assert len(seen) > 100
    assert max(cost(frame, text) for text in seen) <= units - prefix
