"""Whether a process lives and whether it can do its work."""

from __future__ import annotations

import asyncio

import pytest
from pytest_aiohttp import AiohttpClient
from web_world import World

from gateway.web import health


async def good() -> bool:
    return True


async def bad() -> bool:
    return False


async def raises() -> bool:
    raise ConnectionError("postgresql://user:pass@host")


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


CASES = [
    ("nothing to check", {}, 200, {}),
    ("all good", {"database": good, "sessions": good}, 200, {"database": True, "sessions": True}),
    ("one says no", {"database": good, "sessions": bad}, 503, {"database": True, "sessions": False}),
    ("one raises", {"database": raises, "sessions": good}, 503, {"database": False, "sessions": True}),
    ("one hangs", {"database": hangs, "sessions": good}, 503, {"database": False, "sessions": True}),
    ("all hang", {"database": hangs, "sessions": hangs}, 503, {"database": False, "sessions": False}),
]


@pytest.mark.parametrize(("checks", "status", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
@pytest.mark.parametrize("listener", ["public", "operator"])
async def test_readyz_says_what_answers(
    aiohttp_client: AiohttpClient,
    monkeypatch: pytest.MonkeyPatch,
    checks: dict[str, health.Check],
    status: int,
    said: dict[str, bool],
    listener: str,
) -> None:
    monkeypatch.setattr(health, "_LIMIT_S", 0.05)
    world = World(checks=checks)
    client = await aiohttp_client(world.public() if listener == "public" else world.operator())
    async with asyncio.timeout(5), client.get("/readyz") as response:
        assert (response.status, await response.json()) == (status, said)
    async with client.get("/livez") as response:
        assert (response.status, await response.text()) == (200, "ok\n"), "alive all the same"


async def test_metrics_are_the_operators_only(aiohttp_client: AiohttpClient) -> None:
    world = World()
    async with (await aiohttp_client(world.public())).get("/metrics") as response:
        assert response.status == 404
    async with (await aiohttp_client(world.operator())).get("/metrics") as response:
        assert response.status == 200
        assert "gateway_ussd_turns_total" in await response.text()
