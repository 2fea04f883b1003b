"""Every input sent twice, on every channel, over real stores: never a second bill, never a second effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from channel_lines import CODE, LINES, Line, Shown, each
from channel_world import PATIENT, House, house
from played.talk import BOOK
from sqlalchemy import func, select

from adapters.registry.openimis import tables as openimis
from adapters.sessions.memory import MemorySessions
from adapters.sessions.valkey import ValkeySessions
from gateway.ports import SessionStore
from gateway.service.answer_by_sms import Promises
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.clocks import SystemClock
from gateway.service.messages import Messages
from gateway.service.number_watch import NumberWatch
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables
from gateway.store.database import Database

EXPIRED, UNPAID = "255712000003", "255712000005"  # demo phones that can pay
TELLS = [kind for kind in LINES if kind.repeats_told]
one_backend = pytest.mark.parametrize("backend", ["sqlite"])  # about the wires; the store is the same
CANNOT_TELL = [kind for kind in LINES if not kind.repeats_told]


@pytest.fixture
async def at(database: Database, backend: str, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The whole path over a real database: SQLite with sessions in memory, PostgreSQL with sessions in Valkey."""
    store: SessionStore
    store = (
        MemorySessions() if backend == "sqlite" else ValkeySessions(request.getfixturevalue("valkey_url"), timeout_s=30)
    )
    watch = NumberWatch(database)

    def answer(sessions: SessionStore) -> AnswerUssd:
        return AnswerUssd(
            BOOK,
            sessions,
            UssdFacts(database, SystemClock()),
            UssdEffects(
                database,
                RequestControlNumber(database, Messages(BOOK), BillPolicy()),
                Promises(database, SystemClock(), 3),
                Messages(BOOK),
            ),
            watch,
            SystemClock(),
            replace(PATIENT, number_s=0.02),
        )

    async with house(sessions=store, answer=answer) as opened:
        yield opened
    await watch.close()
    await store.close()


async def bills(database: Database) -> list[str]:
    async with database.engine.connect() as connection:
        return list((await connection.execute(select(tables.bill.c.key))).scalars())


async def effects(database: Database) -> Counter[tuple[str, str]]:
    async with database.engine.connect() as connection:
        return Counter(
            tuple(row) for row in await connection.execute(select(tables.outbox.c.kind, tables.outbox.c.aggregate))
        )


async def payment_records(database: Database) -> int:
    """Rows of openIMIS' own table of payments to come."""
    async with database.engine.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(openimis.payments))).scalar_one())


async def twice(line: Line, key: str | None) -> tuple[Shown, Shown]:
    first = await (line.dial() if key is None else line.press(key))
    return first, await line.again()


@each
async def test_every_input_twice_makes_one_bill_and_one_effect(at: House, database: Database, kind: type[Line]) -> None:
    """Along the ways that ask for money, each input sent once more by the operator."""
    before = await payment_records(database)
    ways = [
        (EXPIRED, ["1", "1", "1"]),
        (EXPIRED, ["1", "1"]),
        (EXPIRED, ["2", "1", "1"]),
        (UNPAID, ["1", "1", "2", "1"]),
    ]
    for number, keys in ways:
        line = at.line(kind, f"twice-{number}-{''.join(keys)}", number)
        for key in (None, *keys):
            _, repeated = await twice(line, key)
            assert repeated.text
    made = await bills(database)
    assert len(made) == len(set(made)), "one bill for one cover"
    assert {key.split("/")[0] for key in made} == {"family:3", "family:5"}
    asked = await effects(database)
    assert {kind_ for kind_, _ in asked} == {"submit_bill"}
    assert set(asked.values()) == {1}, "one request to the provider for each bill"
    assert len(asked) == len(made) == await payment_records(database) - before


@one_backend
@pytest.mark.parametrize("kind", TELLS, ids=lambda kind: kind.__name__)
async def test_where_a_repeat_can_be_told_it_gets_the_same_bytes(
    at: House, database: Database, kind: type[Line]
) -> None:
    line = at.line(kind, "same", EXPIRED)
    seen = []
    for key in (None, "1", "1"):
        line.turns += 1
        line.said += [] if key is None else [key]
        request = line.first(CODE) if key is None else line.next(key)
        first = await line.raw(request)
        assert [await line.raw(request) for _ in range(3)] == [first] * 3
        seen.append(first)
    assert len(set(seen)) == 3, "and it went on from screen to screen"
    assert len(await bills(database)) == 1


@one_backend
@pytest.mark.parametrize("kind", CANNOT_TELL, ids=lambda kind: kind.__name__)
async def test_where_it_cannot_a_first_turn_is_known_and_a_key_moves_on_by_one(at: House, kind: type[Line]) -> None:
    line = at.line(kind, "moves", EXPIRED)
    dialled, again = await twice(line, None)
    assert again == dialled, "the first turn is told by the code, since nothing was answered yet"
    first, second = await twice(line, "5")  # other services; the same key again chooses the fifth of them
    assert first.text.startswith("Huduma nyingine:")
    assert second.text.split("\n")[0] == "Si sahihi. Jaribu tena.", "there is no 5 to choose: on by one screen, at most"
    assert not second.final


@one_backend
@pytest.mark.parametrize("kind", CANNOT_TELL, ids=lambda kind: kind.__name__)
async def test_a_key_after_the_end_gets_the_last_screen_again(at: House, database: Database, kind: type[Line]) -> None:
    line = at.line(kind, "ended", EXPIRED)
    await line.dial()
    await line.press("1")
    last = await line.press("1")
    assert last.final
    for _ in range(3):
        assert await line.again() == last
    assert await line.press("2") == last
    assert len(await bills(database)) == 1


@each
async def test_five_sessions_make_one_bill(at: House, database: Database, kind: type[Line]) -> None:
    for number in range(5):
        line = at.line(kind, f"five-{number}", EXPIRED)
        await line.dial(["1"])
        await line.press("1")
    assert len(await bills(database)) == 1
    assert set((await effects(database)).values()) == {1}
