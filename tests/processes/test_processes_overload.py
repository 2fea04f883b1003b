"""More at once than the bound: everybody gets a screen, at once or in time; nobody an error or a silence."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ports import free_ports
from processes_harness import Child, Phone, Screen, Sql, gateway_command, new_families

BOUND, CALLERS, CONNECTIONS = 8, 60, 100


@pytest.fixture
async def narrow(
    backend: str, settings: dict[str, str], fresh_database: Any, tmp_path: Path
) -> AsyncIterator[tuple[Child, str, str, str]]:
    """One serving process that answers eight at a time, on a database of its own."""
    url = fresh_database()
    public, operator = free_ports(2)
    environment = {
        **settings,
        "GATEWAY_DATABASE__URL": url,
        "GATEWAY_USSD__IN_FLIGHT": str(BOUND),
        "GATEWAY_PUBLIC__CONNECTIONS": str(CONNECTIONS),
    }
    child = Child(
        "narrow",
        gateway_command("serve", "--public-port", str(public), "--operator-port", str(operator)),
        environment,
        tmp_path / "narrow.log",
        f"http://127.0.0.1:{public}/readyz",
    )
    child.start()
    try:
        child.wait_ready()
        yield child, f"http://127.0.0.1:{public}", f"http://127.0.0.1:{operator}", url
    finally:
        code = child.stop()
    assert code == 0


async def test_sixty_dials_at_once(narrow: tuple[Child, str, str, str]) -> None:
    """Nobody answers at GePG, so that those who ask for a number stay in flight until their budget is spent."""
    child, base, operator, url = narrow
    sql = Sql(url)
    families = await new_families(sql, CALLERS, members=1)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        waiting = [Phone(client, [base], family.phones[0]) for family in families[:BOUND]]
        for phone in waiting:
            await phone.dial()
            assert "30,000" in (await phone.press("1")).text
        asked = [asyncio.create_task(phone.press("1")) for phone in waiting]
        await _says(client, f"{operator}/metrics", f"gateway_ussd_in_flight {BOUND}.0")  # they wait for their number
        dials = [Phone(client, [base], family.phones[0]) for family in families]
        screens = await asyncio.gather(*(phone.dial() for phone in dials))
        _polite(screens)
        assert {screen.kind for screen in screens} == {"END"}, "no place was free"
        assert not any(task.done() for task in asked), "the polite end comes at once, not when a place is free"
        for screen in await asyncio.gather(*asked):
            assert (screen.status, screen.kind) == (200, "END")
            assert "itakuja kwa SMS" in screen.text, "who was inside keeps its place"

        burst = await asyncio.gather(*(phone.dial() for phone in dials))
        _polite(burst)
        kinds = Counter(screen.kind for screen in burst)
        slowest_s = max(screen.seconds for screen in burst)
        print(f"\n{CALLERS} dials at once, bound {BOUND}: {dict(kinds)}, slowest {slowest_s:.2f} s")
        assert kinds["CON"] >= BOUND
        calm = await Phone(client, [base], families[-1].phones[0]).dial()
        assert calm.kind == "CON", "and afterwards there is room again"
    await sql.close()
    assert '"level": "error"' not in child.tail(100_000)


async def test_more_connections_than_the_bound(narrow: tuple[Child, str, str, str]) -> None:
    """Silent ones take every place; whoever runs the process still looks in, and one that leaves makes room."""
    child, base, operator, _ = narrow
    address = ("127.0.0.1", int(base.rpartition(":")[2]))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
        silent = [await asyncio.open_connection(*address) for _ in range(CONNECTIONS)]
        await _says(client, f"{operator}/metrics", f'gateway_connections_open{{listener="public"}} {CONNECTIONS}.0')
        reader, beyond = await asyncio.open_connection(*address)
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        beyond.close()
        await _says(client, f"{operator}/metrics", 'gateway_connections_refused_total{listener="public"} 1.0')
        await _says(client, f"{operator}/livez", "ok")
        await _says(client, f"{operator}/readyz", "true")
        silent.pop()[1].close()
        await _says(client, f"{operator}/metrics", f'gateway_connections_open{{listener="public"}} {CONNECTIONS - 1}.0')
        await _says(client, f"{base}/readyz", "true")
    for _, writer in silent:
        writer.close()
    assert '"level": "error"' not in child.tail(100_000)


async def _says(client: aiohttp.ClientSession, url: str, part: str) -> None:
    """Waits for it: a connection is counted when the process turns to it."""
    async with asyncio.timeout(30):
        while True:
            async with client.get(url) as response:
                assert response.status == 200
                if part in await response.text():
                    return
            await asyncio.sleep(0.05)


def _polite(screens: list[Screen]) -> None:
    for screen in screens:
        assert screen.status == 200
        assert screen.kind in ("CON", "END")
        if screen.kind == "END":
            assert "watu wengi" in screen.text, screen
