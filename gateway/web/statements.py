"""The routes on which providers send a day's statement: streamed to a file while it is hashed, however large it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog
from aiohttp import web

from gateway.ports import HttpReply, StatementReceiver
from gateway.service.accept_statement import AcceptStatement
from gateway.service.metrics import ERRORS
from gateway.service.statement_files import Incoming, NoRoomError, StatementFolder
from gateway.web.networks import Handler, Network, only_from
from gateway.web.replies import response_of

log = structlog.get_logger()
_WRITE_BYTES = 1_000_000
SILENCE_S = 30.0  # between two pieces of a body
GRACE_S = 60.0  # from then on a body must come at ``SLOWEST``: a trickle holds no place for hours
SLOWEST = 64_000  # bytes a second


class StatementRoutes:
    """``POST /payments/{provider}/{route}``, and ``take`` for receivers whose address is not of this form.

    ``at_once``: statements that are taken in side by side, whoever sends them.
    """

    def __init__(
        self,
        accept: AcceptStatement,
        providers: Sequence[StatementReceiver],
        folder: StatementFolder,
        at_once: int = 2,
        networks: Sequence[Network] = (),
    ) -> None:
        """``networks``: whence these providers call; empty: from anywhere."""
        self._accept = accept
        self._providers = providers
        self._folder = folder
        self._room = at_once
        self._networks = networks

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        for provider in self._providers:
            for route in provider.statement_routes:
                handler = only_from(self._networks, self._handler(provider, route))
                app.router.add_post(f"/payments/{provider.name}/{route}", handler)

    def _handler(self, provider: StatementReceiver, route: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.take(request, provider, route)

        return handle

    async def take(self, request: web.Request, provider: StatementReceiver, route: str) -> web.StreamResponse:
        """One statement, streamed to its file and answered."""
        if self._room <= 0:
            ERRORS.labels("PAY-NOT-KEPT").inc()
            log.warning("statement_turned_away", provider=provider.name)
            return response_of(provider.statement_not_kept(route))
        self._room -= 1
        try:
            return response_of(await self._take(request, provider, route))
        finally:
            self._room += 1

    async def _take(self, request: web.Request, provider: StatementReceiver, route: str) -> HttpReply:
        try:
            incoming = await asyncio.to_thread(self._folder.take_in, request.content_length or 0)
        except (NoRoomError, OSError):
            ERRORS.labels("PAY-NOT-KEPT").inc()
            log.exception("statement_not_kept", provider=provider.name, route=route)
            return provider.statement_not_kept(route)
        try:
            await _stream(request, incoming)
            await asyncio.to_thread(incoming.end)
        except BaseException as failure:
            await asyncio.to_thread(incoming.discard)
            if isinstance(failure, OSError) and not isinstance(failure, ConnectionError):  # the disk, not the peer
                ERRORS.labels("PAY-NOT-KEPT").inc()
                log.exception("statement_not_kept", provider=provider.name, route=route)
                return provider.statement_not_kept(route)
            if isinstance(failure, (ConnectionError, web.RequestPayloadError)):  # hung up, or chunks that are none
                raise web.HTTPBadRequest from None
            raise
        headers = {name.lower(): value for name, value in request.headers.items()}
        # shielded: a peer that goes away now must not leave half of a decision
        return await asyncio.shield(self._accept(provider, route, incoming, headers))


async def _stream(request: web.Request, incoming: Incoming) -> None:
    """The body into the file, up to its limit. Raises HTTPRequestTimeout for one that does not come."""
    began = monotonic()
    piece = bytearray()
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await request.content.readany()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        piece += chunk
        if len(piece) >= _WRITE_BYTES or not chunk:
            if piece and not await asyncio.to_thread(incoming.write, bytes(piece)):
                return  # too large: the rest is not read
            piece.clear()
        if not chunk:
            return
        took_s = monotonic() - began
        if took_s > GRACE_S and incoming.size < (took_s - GRACE_S) * SLOWEST:
            raise web.HTTPRequestTimeout
