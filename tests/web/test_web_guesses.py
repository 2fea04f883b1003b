"""A thousand insurance numbers from one phone, over the real addresses and real databases: ten are answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from channel_lines import AfricasTalking, Beem
from channel_world import PATIENT, House, house
from played.talk import BOOK
from sqlalchemy import Table, func, select

from adapters.registry.openimis import tables as openimis
from gateway.domain.chfid import is_valid
from gateway.ports import SessionStore
from gateway.service.answer_by_sms import Promises
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.messages import Messages
from gateway.service.number_watch import NumberWatch
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables
from gateway.store.database import Database

STRANGER = "255754999999"
LIMIT = "Umejaribu mara nyingi. Jaribu tena baada ya saa moja."
UNKNOWN = "Namba hiyo haipo. Andika tena namba ya bima (tarakimu 9)"
WRONG = [
    number for n in range(90_000_000, 90_001_100) for d in range(10) if is_valid(number := f"{n}{d}")
]  # well-formed, nobody's


class Clock:
    """Within one hour, whenever the test runs."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC).replace(minute=20)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def at(database: Database, clock: Clock) -> AsyncIterator[House]:
    watch = NumberWatch(database)

    def answer(sessions: SessionStore) -> AnswerUssd:
        request = RequestControlNumber(database, Messages(BOOK), BillPolicy())
        effects = UssdEffects(database, request, Promises(database, clock, 3), Messages(BOOK))
        return AnswerUssd(BOOK, sessions, UssdFacts(database, clock), effects, watch, clock, PATIENT)

    async with house(answer=answer) as opened:
        yield opened
    await watch.close()


async def rows(database: Database) -> dict[str, int]:
    """How many rows each table of ours holds."""
    async with database.engine.connect() as connection:
        found: dict[str, Any] = {}
        for table in tables.metadata.sorted_tables:
            found[table.name] = await connection.scalar(select(func.count()).select_from(table))
    return found


async def first(database: Database, table: Table, column: Any) -> str:
    async with database.engine.connect() as connection:
        return str(await connection.scalar(select(column).select_from(table).order_by(table.primary_key.columns[0])))


async def test_of_a_thousand_wrong_numbers_ten_are_answered(at: House, database: Database, clock: Clock) -> None:
    right = await first(database, openimis.insurees, openimis.insurees.c.CHFID)
    before, told = await rows(database), Counter[str]()
    for count, number in enumerate(islice(WRONG, 1_000)):
        shown = await at.line(AfricasTalking, f"guess-{count}", STRANGER).dial(["1", number])
        told[shown.text.removesuffix("\n0 Rudi")] += 1
    assert told == {UNKNOWN: 10, LIMIT: 990}
    after = await rows(database)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {"gw_miss": 1}, "one count, and no row a guess"
    line = at.line(AfricasTalking, "right", STRANGER)
    assert (await line.dial(["1", right])).text == LIMIT, "a right number tells nothing either"
    other = at.line(Beem, "right", STRANGER)
    await other.dial()
    await other.press("1")
    assert (await other.press(right)).text == LIMIT, "on another channel too"
    assert (await at.line(AfricasTalking, "claims", STRANGER).dial(["4"])).text == LIMIT
    another = await at.line(AfricasTalking, "another", "255754999998").dial(["1", right])
    assert another.text.startswith("Bima HAI hadi"), "another phone has its own tries"
    clock.time += timedelta(hours=1)
    assert (await at.line(AfricasTalking, "later", STRANGER).dial(["1", right])).text.startswith("Bima HAI hadi")


async def test_a_right_number_from_a_foreign_phone_tells_cover_and_no_name(at: House, database: Database) -> None:
    right = await first(database, openimis.insurees, openimis.insurees.c.CHFID)
    names = (openimis.insurees.c.OtherNames, openimis.insurees.c.LastName)
    shown = await at.line(AfricasTalking, "one", STRANGER).dial(["1", right])
    assert shown.final
    assert shown.text.startswith("Bima HAI hadi")
    assert not any([await first(database, openimis.insurees, name) in shown.text for name in names])


async def test_a_claim_says_the_same_of_right_and_wrong_numbers(at: House, database: Database) -> None:
    right = await first(database, openimis.insurees, openimis.insurees.c.CHFID)
    said = {
        (await at.line(AfricasTalking, f"claim-{number}", STRANGER).dial(["4", number])).text
        for number in (right, WRONG[0])
    }
    assert said == {BOOK.language("sw").say("claimed", {})}
    assert (await rows(database))["gw_case"] == 1


async def test_not_my_family_is_over_with_the_next_call(at: House, database: Database) -> None:
    """Said on one channel, heeded on every one; dialled along it stops at the question."""
    line = at.line(AfricasTalking, "mine", "255712000001")
    assert (await line.dial(["5", "3", "1"])).text.startswith("Je, hii si familia yako?")
    assert (await rows(database))["gw_phone_report"] == 0
    assert (await line.press("1")).final
    for kind in (AfricasTalking, Beem):
        assert (await at.line(kind, "again", "255712000001").dial()).text.startswith("CHF Iliyoboreshwa\nSimu hii")
