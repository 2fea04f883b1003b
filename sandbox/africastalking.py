"""Africa's Talking's SMS interface, and the messages a phone has received.

There is no idempotency key: the same message sent twice arrives twice, and is kept twice.
"""

import logging
import re
import uuid
from collections import deque
from datetime import UTC, datetime
from urllib.parse import parse_qs

from aiohttp import web

from sandbox.alter import alter_form
from sandbox.bodies import with_plus
from sandbox.faults import Faults
from sandbox.septets import measure, segments

log = logging.getLogger("sandbox")

MAX_KEPT = 10_000
MAX_RECIPIENTS = 1_000
_COST_CENTS = 2200  # made up; the sheet says so of its own figure
_PHONE = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)


class AfricasTalking:
    """The SMS side; `kept` holds what was delivered, oldest first."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.kept: deque[dict[str, object]] = deque(maxlen=MAX_KEPT)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/africastalking/version1/messaging", self._messaging),
            web.get("/africastalking/version1/user", self._user),
            web.get("/sandbox/sms", self._received),
        ]

    async def _messaging(self, request: web.Request) -> web.StreamResponse:
        async def handle(raw: bytes) -> web.StreamResponse:
            return self._send(request.headers.get("apiKey", ""), raw)

        return await self._faults.inbound("sms", request, await request.read(), handle, alter_form)

    def _send(self, api_key: str, raw: bytes) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(raw.decode("utf-8", "replace")).items()}
        if not api_key or not form.get("username"):
            return web.Response(status=401, text="The supplied authentication is invalid")
        for name in ("to", "message"):
            if not form.get(name):
                return web.Response(status=400, text=f"Request is missing required form field '{name}'")
        numbers = [number.strip() for number in form["to"].split(",")]
        if len(numbers) > MAX_RECIPIENTS:
            return web.Response(status=400, text="Too many recipients")
        recipients = [self._deliver(number, form["message"], form.get("from", "AFRICASTKNG")) for number in numbers]
        accepted = sum(recipient["statusCode"] == 101 for recipient in recipients)
        total = _cost(accepted * segments(form["message"]))
        message = f"Sent to {accepted}/{len(recipients)} Total Cost: {total}"
        # exactly application/json: with a charset the official SDK returns a str instead of a dict
        reply = web.json_response({"SMSMessageData": {"Message": message, "Recipients": recipients}}, status=201)
        reply.headers["Content-Type"] = "application/json"
        return reply

    def _deliver(self, number: str, text: str, sender: str) -> dict[str, object]:
        if not _PHONE.fullmatch(number):
            return {
                "statusCode": 403,
                "number": number,
                "status": "InvalidPhoneNumber",
                "cost": "0",
                "messageId": "None",
            }
        message_id = f"ATXid_{uuid.uuid4().hex}"
        alphabet, units = measure(text)
        self.kept.append(
            {
                "to": number,
                "text": text,
                "id": message_id,
                "at": datetime.now(UTC).isoformat(),
                "from": sender,
                "alphabet": alphabet,
                "septets": units,
                "segments": segments(text),
            }
        )
        log.info("sms to %s: %d %s units", number, units, alphabet)
        cost = _cost(segments(text))
        return {"statusCode": 101, "number": number, "status": "Success", "cost": cost, "messageId": message_id}

    async def _user(self, request: web.Request) -> web.Response:
        if not request.headers.get("apiKey") or not request.query.get("username"):
            return web.Response(status=401, text="The supplied authentication is invalid")
        reply = web.json_response({"UserData": {"balance": "TZS 1785000.50"}})
        reply.headers["Content-Type"] = "application/json"
        return reply

    async def _received(self, request: web.Request) -> web.Response:
        """Oldest first; `to` limits to one phone (its plus may have become a space in the query)."""
        to = with_plus(request.query.get("to", ""))
        return web.json_response([message for message in self.kept if not to or message["to"] == to])


def _cost(parts: int) -> str:
    cents = parts * _COST_CENTS
    return f"TZS {cents // 100}.{cents % 100:02d}00"
