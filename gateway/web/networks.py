"""Which addresses may call."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web

log = structlog.get_logger()
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def inside(remote: str | None, networks: Sequence[Network]) -> bool:
    """Whether the caller's address lies in one of the networks."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return False
    return any(address in network for network in networks)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def only_from(networks: Sequence[Network], handler: Handler) -> Handler:
    """The handler for callers inside the networks; to others there is no such route. No networks: every address may."""
    if not networks:
        return handler

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not inside(request.remote, networks):
            log.warning("network_refused", path=request.path)
            raise web.HTTPNotFound
        return await handler(request)

    return guarded
