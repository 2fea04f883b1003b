"""Where conversations end, counted by real processes: two add up, and a killed one loses what it had not written."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from ports import free_ports
from processes_harness import (
    Child,
    Phone,
    Sql,
    World,
    answers,
    gateway_command,
    new_families,
    run_gateway,
    until,
)
from sqlalchemy import func, select

from gateway.store.tables import screen_day

NEVER = "86400"  # seconds between two writes: only the end of a process writes
DIALLED = {"home entered": 1, "home shown": 1}


@pytest.fixture
def url(fresh_database: Callable[[], str]) -> str:
    return fresh_database()


@pytest.fixture
async def sql(url: str) -> AsyncIterator[Sql]:
    made = Sql(url)
    yield made
    await made.close()


@pytest.fixture
def serving(url: str, settings: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """Starts one more serving process, which writes its counts every so many seconds."""
    made: list[Child] = []

    def start(every_s: str) -> Child:
        public, operator = free_ports(2)
        child = Child(
            f"http://127.0.0.1:{public}",
            gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator)),
            {**settings, "GATEWAY_DATABASE__URL": url, "GATEWAY_USSD__COUNTS_EVERY_S": every_s},
            tmp_path / f"{public}.log",
            f"http://127.0.0.1:{operator}/readyz",
        )
        made.append(child)
        child.start()
        child.wait_ready()
        return child

    yield start
    codes = [child.stop() for child in made if child.process is not None and child.process.poll() is None]
    assert not any(codes), f"every process ends well when asked to: {codes}"


async def counted(sql: Sql) -> dict[str, int]:
    """``home shown``: what the database holds."""
    names = (screen_day.c.screen, screen_day.c.event)
    rows = await sql.rows(select(*names, func.sum(screen_day.c.count)).group_by(*names))
    return {f"{screen} {event}": int(count) for screen, event, count in rows}


def times(number: int, counts: dict[str, int]) -> dict[str, int]:
    return {name: count * number for name, count in counts.items()}


async def dial(client: aiohttp.ClientSession, sql: Sql, child: Child, number: int) -> list[Phone]:
    phones = [Phone(client, [child.name], family.phones[0]) for family in await new_families(sql, number, members=1)]
    for phone in phones:
        assert (await phone.dial()).kind == "CON"
    return phones


async def hang_up(client: aiohttp.ClientSession, base: str, phone: Phone) -> None:
    fields = {"sessionId": phone.session_id, "phoneNumber": phone.msisdn, "status": "Incomplete"}
    async with client.post(f"{base}/ussd/africastalking/demo/end", data=fields) as response:
        assert response.status == 200


async def test_two_processes_add_up_and_the_command_tells_it(
    serving: Callable[[str], Child], sql: Sql, url: str, settings: dict[str, str], backend: str
) -> None:
    one, two = serving("0.05"), serving("0.05")
    async with aiohttp.ClientSession() as client:
        phones = [*await dial(client, sql, one, 6), *await dial(client, sql, two, 5)]
        for phone in phones[::2]:
            assert "30,000" in (await phone.press("1")).text
        # where processes share their sessions, the word of an end may come to another one than the turn did
        elsewhere = two.name if backend == "postgresql" else one.name
        for _ in range(2):
            await hang_up(client, elsewhere, phones[0])
        expected = {
            **times(11, DIALLED), "home left": 6, "confirm shown": 6, "confirm entered": 6, "confirm hung_up": 1,
        }  # fmt: skip

        async def all_there() -> bool:
            return await counted(sql) == expected

        await until(all_there, f"{expected}")
        metrics = ""
        for child in (one, two):
            async with client.get(child.ready.replace("readyz", "metrics")) as response:
                metrics += await response.text()
    shown = re.findall(r'^gateway_ussd_screens_total\{.*event="shown",menu="family",.*\} ([0-9.]+)$', metrics, re.M)
    assert sorted(map(float, shown)) == [5, 6]
    environment = {**settings, "GATEWAY_DATABASE__URL": url}
    done = run_gateway("menus", "ends", "--json", environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    menus = {menu["menu"]: menu for menu in json.loads(done.stdout)["menus"]}
    assert {name: (menu["entered"], menu["served"], menu["lost"]) for name, menu in menus.items()} == {
        "family": (11, 5, 0),  # whose cover is on the first screen
        "renewal": (6, 0, 6),
    }
    [confirm] = menus["renewal"]["screens"]
    assert (confirm["hung_up"], confirm["silent"], confirm["text"]) == (1, 5, "Lipa TZS …")
    table = run_gateway("menus", "ends", "--menu", "renewal", "--channel", "africastalking", environment=environment)
    assert table.returncode == 0
    assert "RENEWAL: entered 6, went to another menu 0, last screen 0, served 0, lost 6 (100.0 %)" in table.stdout
    refused = run_gateway("menus", "ends", "--menu", "no-such", environment=environment)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("imis-gateway menus ends: there is no menu 'no-such'; there are ")


async def test_a_killed_process_loses_what_it_had_not_written_and_nothing_else(
    serving: Callable[[str], Child], sql: Sql
) -> None:
    async with aiohttp.ClientSession() as client:
        child = serving(NEVER)
        await dial(client, sql, child, 3)
        assert await counted(sql) == {}
        assert child.stop() == 0
        assert await counted(sql) == times(3, DIALLED), "the end of a process writes"
        child.restart()
        await dial(client, sql, child, 4)
        child.kill()
        assert answers(child.ready) == 0
        assert await counted(sql) == times(3, DIALLED)
        child.restart()
        await dial(client, sql, child, 2)
        assert child.stop() == 0
        assert await counted(sql) == times(5, DIALLED)


async def test_the_sandboxes_phone_hangs_up_at_the_confirmation(world: World) -> None:
    """The end is told as the counterparty tells it, with the labels that it was given."""
    family, before = await world.family(), (await counted(world.sql)).get("confirm hung_up", 0)
    dialled = await world.sandbox("POST", "/sandbox/ussd/dial", {"msisdn": family.phones[0], "code": "*152*00#"})
    session = {"session_id": dialled["session_id"]}
    shown = await world.sandbox("POST", "/sandbox/ussd/answer", {**session, "input": "1"})
    assert "30,000" in shown["text"]
    assert await world.sandbox("POST", "/sandbox/ussd/hangup", session) == {"ended": True}

    async def told() -> bool:
        return (await counted(world.sql)).get("confirm hung_up", 0) == before + 1

    await until(told, "the end at the confirmation")
