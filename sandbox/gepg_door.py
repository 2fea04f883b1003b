"""Where service providers' requests come in: what the doors of both generations have in common."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from aiohttp import web

from sandbox.alter import alter_xml
from sandbox.envelope import Node, seal
from sandbox.faults import Faults
from sandbox.generation import Generation
from sandbox.gepg_bills import Bills, Told
from sandbox.keys import KeyRing

log = logging.getLogger("sandbox")


class Door:
    """The base of both: requests go through the ordered troubles, answers are signed."""

    generation: ClassVar[Generation]

    def __init__(self, bills: Bills, keys: KeyRing, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._bills, self._keys, self._faults, self._clock = bills, keys, faults, clock

    def signed(self, node: Node) -> web.Response:
        """HTTP 200, as GePG answers even a refusal."""
        return web.Response(body=seal(node, self._keys, self.generation), content_type="application/xml")

    async def submitted(self, request: web.Request, take: Callable[[bytes], tuple[Node, Told]]) -> web.StreamResponse:
        """A submission, reuse or change, whose callbacks `take` starts, and its acknowledgement."""
        told: Told = []

        async def handle(raw: bytes) -> web.StreamResponse:
            node, started = take(raw)
            told.extend(started)
            return self.signed(node)

        raw = await request.read()
        response = await self._faults.inbound("bill_submission", request, raw, handle, alter_xml)
        if response.status != 200:
            return response
        return await self._faults.answer("bill_ack", request, response, told)

    async def cancelled(self, request: web.Request, end: Callable[[bytes], Node]) -> web.StreamResponse:
        """A cancellation, answered in the same exchange."""

        async def handle(raw: bytes) -> web.StreamResponse:
            return self.signed(end(raw))

        return await self._faults.inbound("bill_cancellation", request, await request.read(), handle, alter_xml)
