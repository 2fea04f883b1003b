"""Whether this process lives and whether it can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Check = Callable[[], Awaitable[bool]]
_LIMIT_S = 2.0


class Health:
    """``/livez``: the event loop turns. ``/readyz``: every store answers."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    async def livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        states = {name: await _answers(check) for name, check in self._checks.items()}
        return web.json_response(states, status=200 if all(states.values()) else 503)


async def _answers(check: Check) -> bool:
    try:
        async with asyncio.timeout(_LIMIT_S):
            return await check()
    except Exception:
        return False
