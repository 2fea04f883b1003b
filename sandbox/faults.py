"""Troubles to order: each message can be dropped, delayed, doubled, reordered, altered or followed by an error.

Inbound (`bill_submission`, `bill_cancellation`, `reconciliation_request`, `sms`) and its answer (`bill_ack`):
  drop         the connection closes without an answer and nothing is done (`bill_ack`: the work was done)
  error_after  the work is done, the answer is HTTP 500
  callback_before_ack   (`bill_ack` only) the answer waits until the numbers of its request were delivered, or
                        `seconds`, or 30 s
  busy         (`reconciliation_request` only) the acknowledgement says 7321, try later
Outbound (`bill_response`, `payment_notification`, `reconciliation`, `bank_notice`):
  drop         this attempt is not sent; redelivery follows, unless `forever`
  error_after  sent, but the acknowledgement is lost on its way to us; redelivery follows
Both: delay (seconds before), double (twice), reorder (held until the next of its kind has gone, or `seconds`, or 30 s),
alter (one byte of the content is changed after signing). Both generations of GePG go through the same troubles.
  same_number  (`bill_response` only) a bill gets the control number of the last numbered bill of its service provider;
               ordered before there is one, it waits for the second
A day's account that disagrees (`reconciliation` only; each is used up by one account that has lines):
  missing_line  the last line is left out
  extra_line    a payment more, that nobody was told of, for a number that no bill has; an account without lines will do
  other_amount  the first line says 1.00 more than was paid
  double_line   the first line stands there twice
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.alter import alter_xml
from sandbox.bodies import object_from

ON_THE_WAY = ("drop", "delay", "double", "reorder", "alter", "error_after")
CALLBACK_FIRST, SAME_NUMBER, BUSY = "callback_before_ack", "same_number", "busy"
DISAGREEMENTS = ("missing_line", "extra_line", "other_amount", "double_line")
KINDS = {
    "bill_submission": ON_THE_WAY,
    "bill_ack": (*(kind for kind in ON_THE_WAY if kind != "double"), CALLBACK_FIRST),  # an answer goes once
    "bill_cancellation": ON_THE_WAY,
    "bill_response": (*ON_THE_WAY, SAME_NUMBER),
    "payment_notification": ON_THE_WAY,
    "reconciliation_request": (*ON_THE_WAY, BUSY),
    "reconciliation": (*ON_THE_WAY, *DISAGREEMENTS),
    "sms": ON_THE_WAY,
    "bank_notice": ON_THE_WAY,
}
MAX_TIMES = 10_000
MAX_SECONDS = 600.0
MAX_ARMED = 100
HOLD_S = 30.0

Handle = Callable[[bytes], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Fault:
    """One ordered trouble; `times` counts down."""

    message: str
    kind: str
    times: int
    seconds: float
    forever: bool

    def to_json(self) -> dict[str, object]:
        return {
            "message": self.message,
            "fault": self.kind,
            "times": self.times,
            "seconds": self.seconds,
            "forever": self.forever,
        }


class Faults:
    """The troubles still to come, first ordered first served."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._held: dict[str, asyncio.Event] = {}

    def arm(self, fault: Fault) -> None:
        self._armed.append(fault)

    def listing(self) -> list[dict[str, object]]:
        return [fault.to_json() for fault in self._armed]

    def clear(self) -> None:
        """Forget all troubles and let go of what is held."""
        self._armed.clear()
        for event in self._held.values():
            event.set()

    @property
    def room(self) -> bool:
        return len(self._armed) < MAX_ARMED

    def take(self, message: str, kinds: Collection[str] = (*ON_THE_WAY, CALLBACK_FIRST)) -> Fault | None:
        """The trouble for this message, used up once. While one is held for reordering, the next passes freely."""
        for fault in self._armed:
            if fault.message != message or fault.kind not in kinds:
                continue
            if not (fault.kind == "reorder" and message in self._held):
                fault.times -= 1
                if fault.times == 0:
                    self._armed.remove(fault)
                return fault
        return None

    async def pause(self, fault: Fault | None) -> None:
        """Wait out a delay, or until the next message of this kind has gone."""
        if fault is None:
            return
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "reorder":
            event = self._held[fault.message] = asyncio.Event()
            try:
                with suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), fault.seconds or HOLD_S)
            finally:
                del self._held[fault.message]

    def passed(self, message: str) -> None:
        """A message of this kind has gone: what was held may follow."""
        if (event := self._held.get(message)) is not None:
            event.set()

    async def inbound(
        self, message: str, request: web.Request, raw: bytes, handle: Handle, alter: Callable[[bytes], bytes]
    ) -> web.StreamResponse:
        """Hand the body of a request to its handler, through whatever trouble is ordered for it."""
        fault = self.take(message)
        kind = fault.kind if fault else ""
        if kind == "drop":
            return hang_up(request)
        await self.pause(fault)
        if kind == "alter":
            raw = alter(raw)
        response = await handle(raw)
        if kind == "double":
            response = await handle(raw)
        self.passed(message)
        if kind == "error_after":
            return web.Response(status=500, text="sandbox fault: error_after")
        return response

    async def answer(
        self, message: str, request: web.Request, response: web.StreamResponse, told: Collection["asyncio.Task[Any]"]
    ) -> web.StreamResponse:
        """Send the answer to a request, through whatever trouble is ordered for it. `told`: its callbacks."""
        fault = self.take(message)
        kind = fault.kind if fault else ""
        if kind == "drop":
            return hang_up(request)
        await self.pause(fault)
        if fault is not None and kind == CALLBACK_FIRST and told:
            await asyncio.wait(told, timeout=fault.seconds or HOLD_S)
        self.passed(message)
        if kind == "error_after":
            return web.Response(status=500, text="sandbox fault: error_after")
        if kind == "alter" and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.body = alter_xml(response.body)
        return response


def hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def fault_from(body: dict[str, object]) -> Fault | str:
    """Read an order for a fault; a sentence says what is wrong with it."""
    message, kind = body.get("message"), body.get("fault")
    times, seconds, forever = body.get("times", 1), body.get("seconds", 0), body.get("forever", False)
    if not isinstance(message, str) or message not in KINDS:
        return f"message: one of {', '.join(KINDS)}"
    if not isinstance(kind, str) or kind not in KINDS[message]:
        return f"fault of {message}: one of {', '.join(KINDS[message])}"
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= MAX_TIMES:
        return f"times: 1 to {MAX_TIMES}"
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= MAX_SECONDS:
        return f"seconds: 0 to {MAX_SECONDS:.0f}"
    if not isinstance(forever, bool):
        return "forever: true or false"
    return Fault(message, kind, times, float(seconds), forever)


def routes(faults: Faults) -> list[web.RouteDef]:
    async def order(request: web.Request) -> web.Response:
        fault = fault_from(await object_from(request))
        if isinstance(fault, str):
            return web.json_response({"error": fault}, status=400)
        if not faults.room:
            return web.json_response({"error": f"at most {MAX_ARMED} faults at once"}, status=400)
        faults.arm(fault)
        return web.json_response(fault.to_json(), status=201)

    async def listing(request: web.Request) -> web.Response:
        return web.json_response(faults.listing())

    async def clear(request: web.Request) -> web.Response:
        faults.clear()
        return web.json_response([])

    path = "/sandbox/faults"
    return [web.post(path, order), web.get(path, listing), web.delete(path, clear)]
