"""The USSD routes: an unguessable address, a bound on turns in flight, always a screen."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import structlog
from aiohttp import web

from gateway.ports import InboundRequest, Malformed, UssdChannel
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.metrics import USSD_IN_FLIGHT, USSD_SECONDS, USSD_TURNS
from gateway.web.bodies import read_limited
from gateway.web.networks import Network, inside
from gateway.web.replies import response_of

log = structlog.get_logger()
_MAX_BODY = 65_536  # bytes: more than any transcript of a session


@dataclass(frozen=True, slots=True)
class Mount:
    """One channel at its secret address. No networks: every address may call."""

    channel: UssdChannel
    secret: bytes = field(repr=False)
    networks: Sequence[Network] = ()


class UssdRoutes:
    """``/ussd/{channel}/{secret}``: aggregators sign nothing, so the path is the secret; it is never logged."""

    def __init__(self, answer: AnswerUssd, mounts: Sequence[Mount], in_flight: int) -> None:
        self._answer = answer
        self._mounts = {mount.channel.profile.name: mount for mount in mounts}
        self._room = in_flight
        USSD_IN_FLIGHT.set_function(lambda: in_flight - self._room)
        # a metric's child is looked up under a lock: once here, not at every turn
        self._turns = {
            (name, result): USSD_TURNS.labels(name, result)
            for name in self._mounts
            for result in ("continue", "end", "busy", "unreadable", "ended")
        }

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post("/ussd/{channel}/{secret}", self.turn)
        app.router.add_get("/ussd/{channel}/{secret}", self.turn, allow_head=False)
        app.router.add_post("/ussd/{channel}/{secret}/end", self.end)

    def _mount(self, request: web.Request) -> Mount:
        mount = self._mounts.get(request.match_info["channel"])
        if mount is None or not hmac.compare_digest(mount.secret, request.match_info["secret"].encode()):
            raise web.HTTPNotFound
        if mount.networks and not inside(request.remote, mount.networks):
            log.warning("ussd_network_refused", channel=mount.channel.profile.name)
            raise web.HTTPNotFound
        return mount

    async def turn(self, request: web.Request) -> web.Response:
        """One turn of a conversation."""
        channel = self._mount(request).channel
        name = channel.profile.name
        if self._room <= 0:
            self._turns[name, "busy"].inc()
            return response_of(channel.render(self._answer.polite_end("end.busy", "USSD-BUSY")))
        started = perf_counter()
        self._room -= 1
        try:
            body, size = await read_limited(request, _MAX_BODY)
            if size > len(body):
                return self._unreadable(channel, "too large")
            headers = {"content-type": request.headers.get("Content-Type", "")}
            # raw: the channel unescapes, once; and parsing an address costs more than a turn
            query = request.rel_url.raw_query_string if request.method == "GET" else ""
            turn = channel.parse(InboundRequest(request.method, query, headers, body))
            if isinstance(turn, Malformed):
                return self._unreadable(channel, turn.why)
            screen = await self._answer(channel.profile, turn)
            self._turns[name, "end" if screen.final else "continue"].inc()
            return response_of(channel.render(screen, turn))
        finally:
            self._room += 1
            USSD_SECONDS.observe(perf_counter() - started)

    def _unreadable(self, channel: UssdChannel, why: str) -> web.Response:
        self._turns[channel.profile.name, "unreadable"].inc()
        log.warning("ussd_unreadable", channel=channel.profile.name, why=why)
        return response_of(channel.render(self._answer.polite_end("end.unreadable", "USSD-UNREADABLE")))

    async def end(self, request: web.Request) -> web.Response:
        """The aggregator's word that a session ended: taken, so that it is not repeated; it carries nothing we keep."""
        channel = self._mount(request).channel
        await read_limited(request, _MAX_BODY)
        self._turns[channel.profile.name, "ended"].inc()
        return web.Response(text="")
