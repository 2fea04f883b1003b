"""openIMIS writes while our transactions are open, a thousand times: what it leaves is put right within a minute."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import structlog
from race import DOUBLED, IDLE, Kind, a_race, copies

import menus
from config.settings import DatabaseSettings, Settings, WorkerSettings
from gateway import app
from gateway.domain.ussd.book import load_book
from gateway.service.messages import Messages

ROUNDS = int(os.environ.get("RACE_ROUNDS", "1000"))
SEED = int(os.environ.get("RACE_SEED", "20261122"))
BATCH = 50
SHARES = {Kind.HALVES: 30, Kind.FULL: 20, Kind.RENEWAL: 20, Kind.ENFORCE: 10, Kind.SUSPEND: 10, Kind.REQUEST: 10}


@pytest.fixture
def messages() -> Messages:
    return Messages(load_book(*menus.read()))


@pytest.fixture(autouse=True)
def quietly() -> Iterator[None]:
    """Every repair is logged as a warning; here they are counted."""
    with structlog.testing.capture_logs():
        yield


async def test_a_thousand_rounds(installation: Any, messages: Messages) -> None:
    kinds = Random(SEED).choices(list(SHARES), list(SHARES.values()), k=ROUNDS)
    pace_s = WorkerSettings().follow_every_s
    settings = Settings(database=DatabaseSettings(url=installation.url, pool_size=8))
    database = await app.open_fitted_database(settings)
    started = time.monotonic()
    try:
        async with a_race(database, installation.url, messages, SEED) as race:
            families = await copies(race.beside, kinds)
            race.random.shuffle(families)
            prepared = time.monotonic()
            await race.follow()
            idle: list[int] = []
            doubled: Counter[int] = Counter()
            for start in range(0, ROUNDS, BATCH):
                for family in families[start : start + BATCH]:
                    await race.round(family)
                left = await race.left()
                race.count(left)
                idle += left[IDLE]
                doubled.update(left[DOUBLED].values())
                looks = await race.quiet(pace_s)
                assert (looks + 1) * pace_s <= 60, "a minute of quiet is enough"
                assert not any((await race.left()).values()), await race.left()
            assert await race.quiet(pace_s) == 0
            repaired = await race.count_repairs()
            print(f"\nseed {SEED}; families {prepared - started:.1f} s, rounds {time.monotonic() - prepared:.1f} s")
            print(race.table())

            seen = race.tally.values()
            assert len(repaired) == len(set(repaired)), "one audit row for each repair"
            assert sum(t.repaired["policy.repaired"] for t in seen) == len(idle)
            assert sum(t.repaired["policy.moved"] for t in seen) == doubled.total()
            assert await race.beside.fetchval("SELECT count(*) FROM gw_case WHERE kind = 'settle_failed'") == 0
            assert set(idle) <= set(repaired)
            assert all("deadlock" in said for t in seen for said in t.refused), "openIMIS fails for no other reason"
            # without the follower the race would be lost: the rounds do interleave
            assert idle
            assert doubled
    finally:
        await database.close()
