"""The USSD routes: an unguessable address, a bound on turns in flight, always a screen."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import structlog
from aiohttp import web

from gateway.domain.outcomes import Accepted, Done, Outcome, Unreachable
from gateway.ports import (
    Ended,
    HttpClient,
    HttpRequest,
    InboundRequest,
    Malformed,
    Noted,
    PushedChannel,
    TellsEnds,
    Turn,
    UssdChannel,
)
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.metrics import ERRORS, USSD_ENDS, USSD_IN_FLIGHT, USSD_PUSHES, USSD_SECONDS, USSD_TURNS
from gateway.web.bodies import read_limited
from gateway.web.networks import Network, inside
from gateway.web.replies import response_of

log = structlog.get_logger()
_MAX_BODY = 65_536  # bytes: more than any transcript of a session
_PUSH_TRIES = 2  # a request that never left is sent once more; one that may have arrived is not


@dataclass(frozen=True, slots=True)
class Mount:
    """One channel at its secret address. No networks: every address may call."""

    channel: UssdChannel
    secret: bytes = field(repr=False)
    networks: Sequence[Network] = ()


class UssdRoutes:
    """``/ussd/{channel}/{secret}``: aggregators sign nothing, so the path is the secret; it is never logged."""

    def __init__(
        self, answer: AnswerUssd, mounts: Sequence[Mount], in_flight: int, client: HttpClient | None = None
    ) -> None:
        """``client`` carries the screens of channels that want them pushed."""
        self._answer = answer
        self._mounts = {mount.channel.profile.name: mount for mount in mounts}
        self._pushed = {name: m.channel for name, m in self._mounts.items() if isinstance(m.channel, PushedChannel)}
        self._tell_ends = {name: m.channel for name, m in self._mounts.items() if isinstance(m.channel, TellsEnds)}
        assert client is not None or not self._pushed, "a channel wants its screens pushed and there is no client"
        self._client = client
        self._pushing: set[asyncio.Task[None]] = set()
        self._room = in_flight
        USSD_IN_FLIGHT.set_function(lambda: in_flight - self._room)
        # a metric's child is looked up under a lock: once here, not at every turn
        self._turns = {
            (name, result): USSD_TURNS.labels(name, result)
            for name in self._mounts
            for result in ("continue", "end", "busy", "unreadable", "ended", "noted")
        }

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post("/ussd/{channel}/{secret}", self.turn)
        app.router.add_get("/ussd/{channel}/{secret}", self.turn, allow_head=False)
        app.router.add_post("/ussd/{channel}/{secret}/end", self.end)
        app.on_shutdown.append(self._finish_pushing)

    def _mount(self, request: web.Request) -> Mount:
        mount = self._mounts.get(request.match_info["channel"])
        if mount is None or not hmac.compare_digest(mount.secret, request.match_info["secret"].encode()):
            raise web.HTTPNotFound
        if mount.networks and not inside(request.remote, mount.networks):
            log.warning("ussd_network_refused", channel=mount.channel.profile.name)
            raise web.HTTPNotFound
        return mount

    async def turn(self, request: web.Request) -> web.Response:
        """One turn of a conversation. It is read before a place is taken: a polite end names its session too."""
        channel = self._mount(request).channel
        name = channel.profile.name
        started = perf_counter()
        heard = await self._heard(channel, request)
        if self._room <= 0:
            return await self._beyond(channel, heard)
        self._room -= 1
        pushing = False
        try:
            if isinstance(heard, Malformed):
                return self._unreadable(channel, heard)
            if not isinstance(heard, Turn):
                return await self._told(channel, heard)
            pushed = self._pushed.get(name)
            if pushed is not None:
                pushing = True
                self._start(self._push(channel, pushed, heard, started))
                return response_of(pushed.accept(heard))
            screen = await self._answer(channel.profile, heard)
            self._turns[name, "end" if screen.final else "continue"].inc()
            return response_of(channel.render(screen, heard))
        finally:
            if not pushing:
                self._done(started)

    async def _heard(self, channel: UssdChannel, request: web.Request) -> Turn | Ended | Noted | Malformed:
        inbound = await _inbound(request)
        return Malformed("too large") if inbound is None else channel.parse(inbound)

    async def _beyond(self, channel: UssdChannel, heard: Turn | Ended | Noted | Malformed) -> web.Response:
        """As many turns are in flight as may be: a polite end, in the words that the wire wants them in."""
        if isinstance(heard, Ended | Noted):
            return await self._told(channel, heard)
        self._turns[channel.profile.name, "busy"].inc()
        screen = self._answer.polite_end(channel.profile, "end.busy", "USSD-BUSY")
        return response_of(channel.render(screen, heard))

    def _done(self, started: float) -> None:
        self._room += 1
        USSD_SECONDS.observe(perf_counter() - started)

    def _unreadable(self, channel: UssdChannel, heard: Malformed) -> web.Response:
        self._turns[channel.profile.name, "unreadable"].inc()
        log.warning("ussd_unreadable", channel=channel.profile.name, why=heard.why)
        screen = self._answer.polite_end(channel.profile, "end.unreadable", "USSD-UNREADABLE")
        return response_of(channel.render(screen, heard))

    async def _told(self, channel: UssdChannel, event: Ended | Noted) -> web.Response:
        """The peer's word of something that wants no screen."""
        if isinstance(event, Ended):
            await self._ended(channel, event)
        else:
            self._turns[channel.profile.name, "noted"].inc()
        return response_of(channel.acknowledge(event))

    async def _ended(self, channel: UssdChannel, ended: Ended) -> None:
        name = channel.profile.name
        self._turns[name, "ended"].inc()
        USSD_ENDS.labels(name, ended.status).inc()
        log.info(
            "ussd_ended",
            channel=name,
            status=ended.status,
            duration_ms=ended.duration_ms,
            hops=ended.hops,
            answers=ended.answers,
            last_screen=ended.last_screen,
            error=ended.error,
        )
        await self._answer.ended(channel.profile, ended)

    async def end(self, request: web.Request) -> web.Response:
        """The aggregator's word that a session ended. What cannot be read is dropped: a repeat would not be better."""
        channel = self._mount(request).channel
        tells = self._tell_ends.get(channel.profile.name)
        if tells is None:
            raise web.HTTPNotFound
        inbound = await _inbound(request)
        ended = Malformed("too large") if inbound is None else tells.parse_end(inbound)
        if isinstance(ended, Ended):
            await self._ended(channel, ended)
        else:
            log.warning("ussd_end_unreadable", channel=channel.profile.name, why=ended.why)
        return web.Response(text="")

    # ------------------------------------------------------------------------------------------------ pushed screens

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pushing.add(task)
        task.add_done_callback(self._pushing.discard)

    async def _push(self, channel: UssdChannel, pushed: PushedChannel, turn: Turn, started: float) -> None:
        """Answer, then carry the screen to the peer: all of it within the channel's deadline."""
        profile = channel.profile
        try:
            screen = await self._answer(profile, turn)
            self._turns[profile.name, "end" if screen.final else "continue"].inc()
            outcome = await self._deliver(pushed, pushed.push(screen, turn), started + profile.reply_deadline_s)
            USSD_PUSHES.labels(profile.name, type(outcome).__name__).inc()
            if not isinstance(outcome, Accepted | Done):
                ERRORS.labels("USSD-PUSH").inc()
                log.warning("ussd_push_failed", channel=profile.name, outcome=repr(outcome))
        except Exception:
            log.exception("ussd_push_internal", channel=profile.name)
        finally:
            self._done(started)

    async def _deliver(self, pushed: PushedChannel, request: HttpRequest, deadline: float) -> Outcome:
        assert self._client is not None
        outcome: Outcome = Unreachable("no time was left")
        for _ in range(_PUSH_TRIES):
            left_s = deadline - perf_counter()
            if left_s <= 0:
                break
            answer = await self._client.send(request, left_s)
            outcome = answer if isinstance(answer, Outcome) else pushed.pushed(answer)
            if not isinstance(outcome, Unreachable):
                break
        return outcome

    async def _finish_pushing(self, _app: web.Application) -> None:
        """What was acknowledged is answered before the process stops; each push is bounded by its own deadline."""
        await asyncio.gather(*self._pushing, return_exceptions=True)


async def _inbound(request: web.Request) -> InboundRequest | None:
    """The request as a value; None when it is too large."""
    body, size = await read_limited(request, _MAX_BODY)
    if size > len(body):
        return None
    headers = {"content-type": request.headers.get("Content-Type", "")}
    # raw: the channel unescapes, once; and parsing an address costs more than a turn
    query = request.rel_url.raw_query_string if request.method == "GET" else ""
    return InboundRequest(request.method, query, headers, body)
