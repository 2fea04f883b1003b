"""Counts of screens on their way from memory into the database, and what the command says of them."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import itertools
import json
import os
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from played.talk import BOOK, new_session

from config.settings import Settings
from gateway import ends_cli
from gateway.cli import main
from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import CountBatch, Ended, EndStatus, ScreenCount
from gateway.service import screen_counts
from gateway.service.metrics import USSD_SCREENS
from gateway.service.screen_counts import ForgetScreenCounts, KeepScreenCounts, ScreenTally
from gateway.store.database import Database

MENUS = ", ".join(sorted({screen.menu for screen in BOOK.screens.values()}))
GOLDEN = Path(__file__).parent / "golden"
RECORD = bool(os.environ.get("GOLDEN_RECORD"))
HOME, CONFIRM = (new_session()._replace(screen=name) for name in ("home", "confirm"))
BEFORE_MIDNIGHT = datetime(2026, 11, 22, 20, 59, 59, tzinfo=UTC)  # in Dar es Salaam; and a second later it is tomorrow
DAY = date(2026, 11, 22)
ONE = CountBatch("one", 1, DAY)


class SetClock:
    """Stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at


class Away:
    """A database that can be away."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.away = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        if self.away:
            raise ConnectionError("away")
        async with self.database.writing() as tx:
            yield tx


def kept(uow: Any, tally: ScreenTally, now: datetime = BEFORE_MIDNIGHT, every_s: float = 60) -> KeepScreenCounts:
    return KeepScreenCounts(uow, SetClock(now), tally, every_s)


async def stored(database: Database, last: date = DAY) -> dict[str, int]:
    async with database.reading() as tx:
        found = await tx.screens.between(DAY, last)
    return {f"{c.screen} {c.event}": c.count for c in found}


async def test_what_is_counted_is_written_once(database: Database) -> None:
    tally = ScreenTally(BOOK)
    keeping = kept(database, tally)
    tally.turn("a", None, HOME)
    tally.turn("a", None, HOME)
    tally.turn("a", HOME, CONFIRM)
    assert await keeping.flush() == 5
    assert await keeping.flush() == 0
    assert await stored(database) == {
        "home shown": 2, "home entered": 2, "home left": 1, "confirm shown": 1, "confirm entered": 1,
    }  # fmt: skip
    tally.turn("a", None, HOME)
    await keeping.close()
    assert (await stored(database))["home shown"] == 3


async def test_a_database_that_is_away_is_owed_them(database: Database, logged: list[MutableMapping[str, Any]]) -> None:
    tally, uow = ScreenTally(BOOK), Away(database)
    keeping = kept(uow, tally)
    before = USSD_SCREENS.labels("a", "family", "home", "shown")._value.get()
    uow.away = True
    for _ in range(3):
        tally.turn("a", None, HOME)
        with pytest.raises(ConnectionError):
            await keeping.flush()
    assert USSD_SCREENS.labels("a", "family", "home", "shown")._value.get() == before + 3, "metrics do not wait for it"
    assert await stored(database) == {}
    uow.away = False
    assert await keeping.flush() == 4, "what was sent first, and what was counted while it was on its way"
    assert await stored(database) == {"home shown": 3, "home entered": 3}
    uow.away = True
    tally.turn("a", None, HOME)
    await keeping.close()
    assert [event["event"] for event in logged] == ["screen_counts_wait", "screen_counts_lost"], (
        "the process ends all the same"
    )


class Unheard(Away):
    """A database whose answer to a commit is lost, or that loses the commit and says nothing either."""

    def __init__(self, database: Database, outcomes: list[str]) -> None:
        super().__init__(database)
        self.outcomes = outcomes

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        outcome = self.outcomes.pop(0) if self.outcomes else "heard"
        async with self.database.writing() as tx:
            yield tx
            if outcome == "rolled back":
                raise ConnectionError("lost on the way there")
        if outcome == "committed":
            raise ConnectionError("lost on the way back")


OUTCOMES = ["heard", "committed", "rolled back"]


@pytest.mark.parametrize("outcomes", [list(o) for o in itertools.product(OUTCOMES, repeat=3)], ids="-".join)
async def test_a_commit_whose_answer_is_lost_adds_nothing_twice(database: Database, outcomes: list[str]) -> None:
    """Whatever becomes of three writes: with what is counted in between, each is there once."""
    tally = ScreenTally(BOOK)
    keeping, told = kept(Unheard(database, outcomes), tally), 0
    for _ in range(3):
        tally.turn("a", None, HOME)
        told += 1
        with suppress(ConnectionError):
            await keeping.flush()
    await keeping.close()
    assert await stored(database) == {"home shown": told, "home entered": told}


async def test_the_next_life_of_a_process_owes_nothing_of_the_last_ones(database: Database) -> None:
    """Killed before it heard of its commit: what it sent is there once, and the next one's counts beside it."""
    for number in (1, 2, 3):
        tally = ScreenTally(BOOK)
        tally.turn("a", None, HOME)
        with pytest.raises(ConnectionError):
            await kept(Unheard(database, ["committed"]), tally).flush()
        assert await stored(database) == {"home shown": number, "home entered": number}


async def test_a_database_that_hangs_does_not_keep_the_process(
    monkeypatch: pytest.MonkeyPatch, logged: list[MutableMapping[str, Any]]
) -> None:
    class Hanging:
        @asynccontextmanager
        async def writing(self) -> AsyncIterator[Any]:
            await asyncio.Event().wait()
            yield None

    monkeypatch.setattr(screen_counts, "LAST_FLUSH_S", 0.01)
    tally = ScreenTally(BOOK)
    tally.turn("a", None, HOME)
    keeping = kept(Hanging(), tally)
    keeping.start()
    async with asyncio.timeout(10):
        await keeping.close()
    assert [event["event"] for event in logged] == ["screen_counts_lost"]


async def test_the_end_waits_for_a_write_under_way_and_writes_nothing_twice(database: Database) -> None:
    class Slow(Away):
        begun, go = asyncio.Event(), asyncio.Event()

        @asynccontextmanager
        async def writing(self) -> AsyncIterator[Any]:
            async with super().writing() as tx:
                yield tx
            self.begun.set()  # committed, and its answer is on its way
            await self.go.wait()

    tally, uow = ScreenTally(BOOK), Slow(database)
    keeping = kept(uow, tally, every_s=0.001)
    keeping.start()
    tally.turn("a", None, HOME)
    await uow.begun.wait()
    tally.turn("a", None, HOME)  # by a request that was still being answered
    closing = asyncio.create_task(keeping.close())
    await asyncio.sleep(0)
    uow.go.set()
    await closing
    assert await stored(database) == {"home shown": 2, "home entered": 2}


async def test_what_waits_has_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_counts, "MOST_OWED", 2)
    tally, uow = ScreenTally(BOOK), Away(database)
    keeping = kept(uow, tally)
    uow.away = True
    for _ in range(3):
        tally.turn("a", None, HOME)
        tally.turn("b", None, HOME)
        with pytest.raises(ConnectionError):
            await keeping.flush()
    uow.away = False
    assert await keeping.flush() == 4
    assert await stored(database) == {"home shown": 3, "home entered": 3}, "those that are known go on"


async def test_a_count_is_of_the_day_on_which_it_was_taken(database: Database) -> None:
    tally, uow = ScreenTally(BOOK), Away(database)
    clock = SetClock(BEFORE_MIDNIGHT)
    keeping = KeepScreenCounts(uow, clock, tally)  # type: ignore[arg-type]
    uow.away = True
    tally.turn("a", None, HOME)
    with pytest.raises(ConnectionError):
        await keeping.flush()
    clock.at += timedelta(seconds=1)
    uow.away = False
    tally.turn("a", HOME, CONFIRM)
    await keeping.flush()
    assert await stored(database, DAY) == {"home shown": 1, "home entered": 1}
    assert len(await stored(database, DAY + timedelta(days=1))) == 5


async def test_the_loop_writes_by_itself_and_outlives_a_fault(database: Database) -> None:
    tally, uow = ScreenTally(BOOK), Away(database)
    keeping = kept(uow, tally, every_s=0.001)
    failed, flush = 0, keeping.flush

    async def watched() -> int:
        nonlocal failed
        try:
            return await flush()
        except ConnectionError:
            failed += 1
            uow.away = False
            raise

    keeping.flush = watched  # type: ignore[method-assign]
    uow.away = True
    tally.turn("a", None, HOME)
    keeping.start()
    async with asyncio.timeout(10):
        while not await stored(database):  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.001)
    assert failed == 1
    await keeping.close()


@pytest.mark.parametrize(
    ("status", "stood", "hop", "counted"),
    [
        (EndStatus.INCOMPLETE, HOME, "", {"home hung_up": 1}),
        (EndStatus.FAILED, CONFIRM, "home", {"confirm failed": 1}),
        (EndStatus.INCOMPLETE, None, "confirm", {"confirm hung_up": 1}),
        (EndStatus.INCOMPLETE, None, "", {}),
        (EndStatus.INCOMPLETE, None, "not of the book", {}),
        (EndStatus.SUCCESS, HOME, "", {}),
        (EndStatus.SUCCESS, None, "home", {}),
        (EndStatus.INCOMPLETE, HOME._replace(final=True), "", {}),
    ],
)
async def test_where_a_told_end_is_counted(
    status: EndStatus, stood: Any, hop: str, counted: dict[str, int], database: Database
) -> None:
    tally = ScreenTally(BOOK)
    tally.told("a", stood, Ended("s", None, status, hop=hop))
    await kept(database, tally).flush()
    assert await stored(database) == counted


async def test_old_days_are_forgotten(database: Database) -> None:
    async with database.writing() as tx:
        days = [DAY - timedelta(days=age) for age in (0, 30, 31)]
        await tx.screens.add(ONE, [ScreenCount(day, "a", "m", "s", "", ScreenEvent.SHOWN, 1) for day in days])
    forget = ForgetScreenCounts(database, SetClock(BEFORE_MIDNIGHT), 30)
    assert [await forget() for _ in range(2)] == [1, 0]


# ---------------------------------------------------------------------------------------------------------- the report

WEEK = [  # channel, menu, screen, missed, and what was counted
    ("africastalking", "family", "home", "", {"entered": 1_000, "shown": 1_000, "left": 620, "hung_up": 340, "cut": 9}),
    ("tigo", "family", "home", "", {"entered": 204, "shown": 204, "left": 130}),
    ("africastalking", "family", "answer_by_sms", "caller", {"entered": 6, "shown": 6, "final": 6}),
    ("africastalking", "renewal", "confirm", "", {
        "entered": 480, "shown": 480, "left": 405, "hung_up": 66, "failed": 2, "resumed": 5}),
    ("africastalking", "renewal", "number_given", "", {"shown": 370, "left": 268, "hung_up": 60}),
    ("africastalking", "renewal", "number_by_sms", "control_number", {"shown": 35, "final": 35}),
    ("africastalking", "renewal", "answer_by_sms", "quote", {"entered": 4, "shown": 4, "final": 4}),
    ("tigo", "enquiry", "enquiry", "", {"entered": 90, "shown": 90, "left": 60}),
    ("tigo", "enquiry", "enquiry_again", "", {"shown": 25, "left": 20}),
    ("tigo", "enquiry", "enquiry_answer", "", {"shown": 55, "final": 55}),
]  # fmt: skip


def options(**given: Any) -> argparse.Namespace:
    usual = {
        "first": DAY - timedelta(days=6),
        "last": DAY,
        "menu": None,
        "channel": None,
        "language": None,
        "json": False,
        "csv": False,
    }
    return argparse.Namespace(**{**usual, **given})


@pytest.fixture
async def week(database: Database) -> Database:
    async with database.writing() as tx:
        await tx.screens.add(
            ONE,
            [
                ScreenCount(DAY - timedelta(days=number % 7), channel, menu, screen, missed, ScreenEvent(event), count)
                for number, (channel, menu, screen, missed, events) in enumerate(WEEK)
                for event, count in events.items()
            ],
        )
    return database


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ends.txt", {}),
        ("ends_renewal.txt", {"menu": "renewal", "channel": "africastalking"}),
        ("ends_english.txt", {"menu": "renewal", "language": "en"}),
        ("ends.json", {"json": True}),
        ("ends.csv", {"csv": True}),
    ],
)
async def test_the_report_word_for_word(name: str, given: dict[str, Any], week: Database) -> None:
    written = await ends_cli.report(week, Settings(), options(**given))
    golden = GOLDEN / name
    if RECORD:
        golden.write_text(written.text + "\n", encoding="utf-8")
    assert not written.wrong_use
    assert written.text + "\n" == golden.read_text(encoding="utf-8")


def test_the_guides_example_is_a_report() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")
    assert f"```text\n{(GOLDEN / 'ends.txt').read_text(encoding='utf-8')}```" in guide


async def test_machines_and_people_are_told_the_same(week: Database) -> None:
    told = json.loads((await ends_cli.report(week, Settings(), options(json=True))).text)
    lines = list(csv.DictReader(io.StringIO((await ends_cli.report(week, Settings(), options(csv=True))).text)))
    screens = [{"menu": menu["menu"], **row} for menu in told["menus"] for row in menu["screens"]]
    assert [{k: str(v) for k, v in row.items()} for row in screens] == [
        {k: v for k, v in line.items() if k not in ("from", "to", "channel")} for line in lines
    ]
    for row in screens:
        assert row["reached"] == row["went_on"] + row["last"] + row["served"] + row["lost"]
        assert row["lost"] == row["hung_up"] + row["failed"] + row["cut"] + row["silent"]


EMPTY = [
    ({"first": DAY - timedelta(days=60), "last": DAY - timedelta(days=50)}, "nothing was counted"),
    ({"channel": "beem"}, "nothing was counted"),
    ({"menu": "number"}, "nothing was counted"),
]


@pytest.mark.parametrize(("given", "said"), EMPTY)
async def test_nothing_is_said_to_be_nothing(given: dict[str, Any], said: str, week: Database) -> None:
    assert said in (await ends_cli.report(week, Settings(), options(**given))).text
    assert json.loads((await ends_cli.report(week, Settings(), options(json=True, **given))).text)["menus"] == []
    assert (await ends_cli.report(week, Settings(), options(csv=True, **given))).text.count("\n") == 0


WRONG_USE = [
    ({"first": DAY, "last": DAY - timedelta(days=1)}, "2026-11-22 is after 2026-11-21"),
    ({"language": "english"}, "there is no language 'english'; there are sw, en"),
    ({"language": ""}, "there is no language ''; there are sw, en"),
    ({"menu": "renewals"}, f"there is no menu 'renewals'; there are {MENUS}"),
]


@pytest.mark.parametrize(("given", "said"), WRONG_USE)
async def test_a_wrong_use_gets_a_sentence(given: dict[str, Any], said: str, week: Database) -> None:
    written = await ends_cli.report(week, Settings(), options(**given))
    assert written.wrong_use
    assert written.text == f"imis-gateway menus ends: {said}"


@pytest.mark.parametrize("wrong", [["--from", "2026-13-01"], ["--to", "yesterday"], ["--json", "--csv"], ["renewal"]])
def test_what_cannot_be_understood_is_wrong_use(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["menus", "ends", *wrong]) == 2
    assert capsys.readouterr().out == ""


async def test_without_days_it_is_the_week_up_to_today(week: Database) -> None:
    told = json.loads((await ends_cli.report(week, Settings(), options(first=None, last=DAY, json=True))).text)
    assert (told["from"], told["to"]) == ("2026-11-16", "2026-11-22")
    now = json.loads((await ends_cli.report(week, Settings(), options(first=None, last=None, json=True))).text)
    assert date.fromisoformat(now["to"]) - date.fromisoformat(now["from"]) == timedelta(days=6)
