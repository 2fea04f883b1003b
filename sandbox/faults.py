"""Troubles to order: each message can be dropped, delayed, doubled, reordered, altered or followed by an error.

Inbound (`bill_submission`, `sms`) and its answer (`bill_ack`):
  drop         the connection closes without an answer and nothing is done (`bill_ack`: the work was done)
  error_after  the work is done, the answer is HTTP 500
Outbound (`bill_response`, `payment_notification`):
  drop         this attempt is not sent; redelivery follows, unless `forever`
  error_after  sent, but the acknowledgement is lost on its way to us; redelivery follows
Both: delay (seconds before), double (twice), reorder (held until the next of its kind has gone, or `seconds`, or 30 s),
alter (one byte of the content is changed after signing).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from sandbox.bodies import object_from

MESSAGES = ("bill_submission", "bill_ack", "bill_response", "payment_notification", "sms")
KINDS = ("drop", "delay", "double", "reorder", "alter", "error_after")
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

    def take(self, message: str) -> Fault | None:
        """The trouble for this message, used up once. While one is held for reordering, the next passes freely."""
        for fault in self._armed:
            if fault.message == message and not (fault.kind == "reorder" and message in self._held):
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

    async def answer(self, message: str, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Send the answer to a request, through whatever trouble is ordered for it."""
        fault = self.take(message)
        kind = fault.kind if fault else ""
        if kind == "drop":
            return hang_up(request)
        await self.pause(fault)
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


_TELLING = re.compile(rb"<(PaidAmt|BillCntrNum|BillAmt|AckStsCode)>[^<0-9]*([0-9])")
_ANY_DIGIT = re.compile(rb"(>)[^<0-9]*([0-9])")


def alter_xml(raw: bytes) -> bytes:
    """Change one digit of a telling field (or of the first that has one); still well-formed, no longer as signed."""
    match = _TELLING.search(raw) or _ANY_DIGIT.search(raw)
    return _next_digit(raw, match.start(2)) if match else raw + b" "


def alter_form(raw: bytes) -> bytes:
    """Change one character of the field `message` of a form (never inside a %XX escape)."""
    match = re.search(rb"(?:^|&)message=(?:%[0-9A-Fa-f]{2}|[^0-9A-Za-z%&])*([0-9A-Za-z])", raw)
    if match is None:
        return raw
    at = match.start(1)
    return raw[:at] + (b"x" if raw[at : at + 1] != b"x" else b"y") + raw[at + 1 :]


def _next_digit(raw: bytes, at: int) -> bytes:
    return raw[:at] + str((int(raw[at : at + 1]) + 1) % 10).encode() + raw[at + 1 :]


def fault_from(body: dict[str, object]) -> Fault | str:
    """Read an order for a fault; a sentence says what is wrong with it."""
    message, kind = body.get("message"), body.get("fault")
    times, seconds, forever = body.get("times", 1), body.get("seconds", 0), body.get("forever", False)
    if not isinstance(message, str) or message not in MESSAGES:
        return f"message: one of {', '.join(MESSAGES)}"
    if not isinstance(kind, str) or kind not in KINDS:
        return f"fault: one of {', '.join(KINDS)}"
    if message == "bill_ack" and kind == "double":
        return "bill_ack is the answer to a request and cannot be sent twice"
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
