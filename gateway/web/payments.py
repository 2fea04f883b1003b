"""The callback routes of payment providers. The reply's bytes and status are the adapter's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiohttp import web

from gateway.ports import CallbackReceiver
from gateway.service.accept_callback import AcceptCallback
from gateway.service.metrics import ERRORS
from gateway.web.bodies import BodyRoom, NoRoomForBodyError
from gateway.web.networks import Handler, Network, only_from
from gateway.web.replies import response_of

_LARGE_BYTES = 32_000_000  # held in large bodies at once, by all callbacks together


class PaymentRoutes:
    """``POST /payments/{provider}/{route}``. ``accepted`` is called once a callback is committed."""

    def __init__(
        self,
        accept: AcceptCallback,
        providers: Sequence[CallbackReceiver],
        max_bytes: int,
        accepted: Callable[[], None],
        in_flight: int = 256,
        networks: Sequence[Network] = (),
    ) -> None:
        """``networks``: whence the providers call; empty: from anywhere."""
        self._accept = accept
        self._providers = providers
        self._max_bytes = max_bytes
        self._accepted = accepted
        self._networks = networks
        self._room = asyncio.Semaphore(in_flight)
        self._bodies = BodyRoom(max(2, _LARGE_BYTES // max_bytes))

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        for provider in self._providers:
            for route in provider.routes:
                handler = only_from(self._networks, self._handler(provider, route))
                app.router.add_post(f"/payments/{provider.name}/{route}", handler)

    def _handler(self, provider: CallbackReceiver, route: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            # read first: a body that does not come must not hold a place that a genuine callback waits for
            try:
                async with self._bodies.body(request, self._max_bytes) as (body, size):
                    headers = {name.lower(): value for name, value in request.headers.items()}
                    async with self._room:
                        reply = await self._accept(provider, route, body, size, headers)
            except NoRoomForBodyError:
                ERRORS.labels("PAY-NOT-KEPT").inc()
                return response_of(provider.not_kept(route))
            self._accepted()
            return response_of(reply)

        return handle
