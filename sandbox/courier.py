"""Delivering signed callbacks to the gateway: verify the acknowledgement, redeliver with back-off until it is good."""

import asyncio
import itertools
import logging
from dataclasses import dataclass

import aiohttp

from sandbox import codes
from sandbox.alter import alter_xml
from sandbox.envelope import BadSignature, Unreadable, text_of, unseal
from sandbox.faults import Faults
from sandbox.generation import V5, Generation
from sandbox.keys import KeyRing
from sandbox.settings import Settings

log = logging.getLogger("sandbox")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One callback: its name among the faults, where it goes, its bytes, and what a good acknowledgement looks like."""

    message: str
    path: str
    raw: bytes
    ack_tag: str
    id_tag: str
    """The acknowledgement must repeat `id_value` here; '': v4's acknowledgements hold nothing but the code."""
    id_value: str
    code_tag: str = "AckStsCode"
    generation: Generation = V5


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came back: the HTTP status (0: no answer) and the acknowledgement's code, or a word.

    Words: none (not HTTP 200), unreachable, bad-signature, unreadable, wrong-id, dropped, lost,
    gone (dropped for good).
    """

    http: int
    ack: str

    @property
    def good(self) -> bool:
        return self.ack == codes.OK


class Courier:
    """Posts to the gateways in turn."""

    def __init__(self, settings: Settings, keys: KeyRing, faults: Faults) -> None:
        self._settings, self._keys, self._faults = settings, keys, faults
        self._gateways = itertools.cycle([gateway.rstrip("/") for gateway in settings.gateways])
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None, "start() comes first"
        return self._session

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))

    async def close(self) -> None:
        await self.session.close()

    def gateway(self) -> str:
        """The gateway whose turn it is."""
        return next(self._gateways)

    async def deliver(self, parcel: Parcel, seen: list[str]) -> bool:
        """Send until acknowledged 7101, at most `tries` times. `seen` collects what came back."""
        for turn in range(self._settings.tries):
            if turn:
                wait_s = self._settings.backoff_s * 2.0 ** (turn - 1)
                await asyncio.sleep(min(wait_s, self._settings.backoff_max_s))
            attempt = await self._send(parcel)
            seen.append(attempt.ack)
            log.info(
                "%s %s try %d: http %d ack %s", parcel.message, parcel.id_value, turn + 1, attempt.http, attempt.ack
            )
            if attempt.good:
                return True
            if attempt.ack == "gone":
                return False
        return False

    async def _send(self, parcel: Parcel) -> Attempt:
        fault = self._faults.take(parcel.message)
        kind = fault.kind if fault else ""
        if fault is not None and kind == "drop":
            return Attempt(0, "gone" if fault.forever else "dropped")
        await self._faults.pause(fault)
        raw = alter_xml(parcel.raw) if kind == "alter" else parcel.raw
        if kind == "double":
            first, second = await asyncio.gather(self.post(parcel, raw), self.post(parcel, raw))
            attempt = first if first.good else second
        else:
            attempt = await self.post(parcel, raw)
        self._faults.passed(parcel.message)
        return Attempt(attempt.http, "lost") if kind == "error_after" else attempt

    async def post(self, parcel: Parcel, raw: bytes) -> Attempt:
        """Send once, without faults, and judge the answer."""
        try:
            async with self.session.post(
                self.gateway() + parcel.path,
                data=raw,
                headers={"Content-Type": "application/xml"},
                timeout=aiohttp.ClientTimeout(total=self._settings.callback_timeout_s),
            ) as response:
                status, body = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return Attempt(0, "unreachable")
        if status != 200:
            return Attempt(status, "none")
        return Attempt(status, self._judge(parcel, body))

    def _judge(self, parcel: Parcel, body: bytes) -> str:
        try:
            ack = unseal(body, self._keys, parcel.ack_tag, parcel.generation)
        except BadSignature:
            return "bad-signature"
        except Unreadable:
            return "unreadable"
        ids = ["AckId", parcel.id_tag] if parcel.id_tag else []
        if [child.tag for child in ack] != [*ids, parcel.code_tag] or (ids and not text_of(ack, "AckId")):
            return "unreadable"
        if ids and text_of(ack, parcel.id_tag) != parcel.id_value:
            return "wrong-id"
        return text_of(ack, parcel.code_tag)
