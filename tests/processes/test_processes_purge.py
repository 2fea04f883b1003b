"""``imis-gateway purge`` as an operator runs it: told first, then done, as the role that ``db upgrade`` has granted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from processes_harness import run_gateway
from sqlalchemy import func, select

from gateway.store import tables as g
from gateway.store.database import Database

PHONE = "+255787333444"
FORGED = {
    "id": "forged",
    "provider": "gepg",
    "route": "payments",
    "body": PHONE.encode(),
    "size": 13,
    "headers": {},
    "digest": "0" * 64,
    "verdict": "bad_signature",
    "why": "",
    "reply_status": 200,
}


@pytest.fixture
async def purging(
    database: Database, environment: dict[str, str], backend: str, request: pytest.FixtureRequest
) -> AsyncIterator[dict[str, str]]:
    """The environment of the command, with its own role where there are roles."""
    if backend == "sqlite":
        yield environment
        return
    postgres = request.getfixturevalue("postgres")
    async with postgres.role(database.engine, "gw_purge") as role:
        done = run_gateway("db", "upgrade", environment={**environment, "GATEWAY_DATABASE__PURGE_ROLE": role})
        assert done.returncode == 0, done.stderr
        url = postgres.as_role(environment["GATEWAY_DATABASE__URL"], role)
        yield {**environment, "GATEWAY_PURGE__DATABASE__URL": url}


async def plant(database: Database) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2_000)
    async with database.engine.begin() as connection:
        await connection.execute(g.miss.insert(), [{"msisdn": PHONE, "hour": long_ago, "count": 1}])
        await connection.execute(g.inbox.insert(), [{**FORGED, "received_at": long_ago}])


async def left(database: Database) -> list[int]:
    async with database.engine.connect() as connection:
        return [int(await connection.scalar(select(func.count()).select_from(t)) or 0) for t in (g.miss, g.inbox)]


async def test_told_first_then_done_and_twice_is_nothing(database: Database, purging: dict[str, str]) -> None:
    await plant(database)
    told = run_gateway("purge", environment=purging)
    assert (told.returncode, told.stdout.splitlines()[-1]) == (0, "2 rows are past their time; nothing was changed")
    assert await left(database) == [1, 1]

    some = run_gateway("purge", "--do", "--most", "1", environment=purging)
    assert (some.returncode, some.stdout.splitlines()[-1]) == (
        1,
        "1 rows were taken away; more is past its time: run it again",
    )
    rest = run_gateway("purge", "--do", environment=purging)
    assert (rest.returncode, rest.stdout.splitlines()[-1]) == (0, "1 rows were taken away")
    assert await left(database) == [0, 0]
    none = run_gateway("purge", "--do", environment=purging)
    assert (none.returncode, none.stdout.splitlines()[-1]) == (0, "0 rows were taken away")

    said = "".join(done.stdout + done.stderr for done in (told, some, rest, none))
    assert PHONE not in said
    assert "refused messages      730 days" in said


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_as_the_application_it_is_wrong_use(database: Database, environment: dict[str, str]) -> None:
    await plant(database)
    done = run_gateway("purge", "--do", environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "GATEWAY_PURGE__DATABASE__URL is not set" in done.stderr
    assert await left(database) == [1, 1]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_schedule_is_told_as_it_is_set(environment: dict[str, Any]) -> None:
    done = run_gateway("purge", "--schedule", environment={**environment, "GATEWAY_RETENTION__TEXTS_DAYS": "45"})
    assert done.returncode == 0
    assert "| 45 days (`GATEWAY_RETENTION__TEXTS_DAYS`) since it was sent" in done.stdout
    assert run_gateway("purge", "--do", "--most", "0", environment=environment).returncode == 2
