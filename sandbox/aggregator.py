"""Africa's Talking as USSD aggregator: from a phone's keys to the gateway.

Each turn is a form POST with the whole history in `text`, joined with '*'. What the subscriber sees when the answer
is not HTTP 200 with 'CON ' or 'END ' first, or comes after 10 s, is the network's own sentence.
"""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from sandbox.bodies import bad_request, object_from, text_in, with_plus
from sandbox.courier import Courier
from sandbox.septets import fits_ussd, measure
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

MMI_ERROR = "Connection problem or invalid MMI code"
MAX_SESSIONS = 1_000
MAX_INPUT = 160
MAX_TURNS = 100
_HOP = "at-ussd-hop-metadata"
_SWEEP_S = 5.0

# National prefix (after 255) to network code; ported numbers are ignored.
_NETWORKS = {
    "64002": ("65", "67", "71", "77"),
    "64004": ("74", "75", "76"),
    "64005": ("68", "69", "78"),
    "64007": ("73",),
    "64009": ("61", "62"),
}


def network_of(msisdn: str) -> str:
    """The mobile network code for a Tanzanian number; 99999 (Africa's Talking's own sandbox) for others."""
    prefix = msisdn.removeprefix("+255")[:2] if msisdn.startswith("+255") else ""
    return next((code for code, prefixes in _NETWORKS.items() if prefix in prefixes), "99999")


def split_dial(dialled: str, service_codes: tuple[str, ...]) -> tuple[str, str] | None:
    """('*152*00*1*2#', ('*152*00#',)) -> ('*152*00#', '1*2'); None when no service answers the code."""
    for code in service_codes:
        if dialled == code:
            return code, ""
        stem = code.removesuffix("#") + "*"
        if dialled.startswith(stem) and dialled.endswith("#") and len(dialled) > len(stem) + 1:
            return code, dialled[len(stem) : -1]
    return None


@dataclass(slots=True)
class Session:
    """One call from a phone. Times in seconds of the monotonic clock."""

    session_id: str
    msisdn: str
    service_code: str
    text: str
    started_s: float
    hops: int = 0
    hop_label: str = ""
    hop_labels: list[str] = field(default_factory=list)
    last_reply: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows; `problem` says in plain words why it is the network's sentence, '' if it is not."""

    session_id: str
    state: str
    text: str
    problem: str = ""

    def to_json(self) -> dict[str, object]:
        alphabet, units = measure(self.text)
        return {
            "session_id": self.session_id,
            "state": self.state,
            "text": self.text,
            "alphabet": alphabet,
            "septets": units,
            "fits": fits_ussd(self.text),
            "problem": self.problem,
        }


class Aggregator:
    """Open sessions, each until END, hang-up, failure or `ussd_session_s`."""

    def __init__(self, settings: Settings, courier: Courier, tasks: Tasks) -> None:
        self._settings, self._courier, self._tasks = settings, courier, tasks
        self._sessions: dict[str, Session] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sandbox/ussd/dial", self._dial),
            web.post("/sandbox/ussd/answer", self._answer),
            web.post("/sandbox/ussd/hangup", self._hangup),
        ]

    def start(self) -> None:
        self._tasks.spawn(self._sweep())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(_SWEEP_S, self._settings.ussd_session_s))
            self.expire()

    def expire(self) -> None:
        """End sessions older than the network allows."""
        oldest = time.monotonic() - self._settings.ussd_session_s
        for session in [session for session in self._sessions.values() if session.started_s <= oldest]:
            self._close(session, "Incomplete", "session expired")

    async def _dial(self, request: web.Request) -> web.Response:
        body = await object_from(request)
        msisdn, dialled = with_plus(text_in(body, "msisdn", longest=20)), text_in(body, "code", longest=MAX_INPUT)
        found = split_dial(dialled.strip(), self._settings.service_codes)
        if found is None:
            return web.json_response(Screen("", "END", MMI_ERROR, "no service answers this code").to_json())
        self.expire()
        if len(self._sessions) >= MAX_SESSIONS:
            return web.json_response(Screen("", "END", MMI_ERROR, "too many open sessions").to_json())
        code, text = found
        session = Session(f"ATUid_{uuid.uuid4().hex}", msisdn, code, text, time.monotonic())
        self._sessions[session.session_id] = session
        return await self._turn(session)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await object_from(request)
        self.expire()
        session = self._sessions.get(text_in(body, "session_id"))
        if session is None:
            return web.json_response(Screen("", "END", MMI_ERROR, "the session is over").to_json())
        typed = text_in(body, "input", longest=MAX_INPUT)
        if session.busy:
            raise bad_request("the previous answer is still on its way")
        session.text = f"{session.text}*{typed}" if session.text else typed
        return await self._turn(session)

    async def _hangup(self, request: web.Request) -> web.Response:
        session = self._sessions.get(text_in(await object_from(request), "session_id"))
        if session is not None:
            self._close(session, "Incomplete", "")
        return web.json_response({"ended": session is not None})

    async def _turn(self, session: Session) -> web.Response:
        session.busy = True
        try:
            screen = await self._ask(session)
        finally:
            session.busy = False
        session.last_reply = screen.text
        if screen.problem:
            self._close(session, "Failed", screen.problem)
        elif screen.state == "END":
            self._close(session, "Success", "")
        log.info("ussd %s turn %d: %s %s", session.msisdn, session.hops, screen.state, screen.problem or "ok")
        return web.json_response(screen.to_json())

    async def _ask(self, session: Session) -> Screen:
        """One turn to the gateway and what the subscriber sees of it."""
        session.hops += 1
        if session.hops > MAX_TURNS:
            return Screen(session.session_id, "END", MMI_ERROR, "too many turns")
        fields = {**_who(session), "text": session.text}
        try:
            async with self._courier.session.post(
                self._url(),
                data=fields,
                headers={_HOP: session.hop_label} if session.hop_label else {},
                timeout=aiohttp.ClientTimeout(total=self._settings.ussd_timeout_s),
            ) as response:
                status, reply = response.status, await response.read()
                self._note_hop(session, response.headers.get(_HOP, ""))
        except TimeoutError:
            return Screen(session.session_id, "END", MMI_ERROR, f"no answer in {self._settings.ussd_timeout_s:g} s")
        except aiohttp.ClientError as error:
            return Screen(session.session_id, "END", MMI_ERROR, f"the gateway is not reachable: {type(error).__name__}")
        return read_reply(session.session_id, status, reply)

    @staticmethod
    def _note_hop(session: Session, label: str) -> None:
        session.hop_label = label[:99]
        if label:
            session.hop_labels.append(session.hop_label)

    def _url(self) -> str:
        return f"{self._courier.gateway()}/ussd/africastalking/{self._settings.ussd_secret}"

    def _close(self, session: Session, status: str, error: str) -> None:
        if self._sessions.pop(session.session_id, None) is not None and not self._tasks.full:
            self._tasks.spawn(self._tell_end(session, status, error))

    async def _tell_end(self, session: Session, status: str, error: str) -> None:
        """The end-of-session event. Whatever comes back is of no interest."""
        fields = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            **_who(session),
            "status": status,
            "cost": "TZS 0.00",
            "durationInMillis": str(round((time.monotonic() - session.started_s) * 1000)),
            "hopsCount": str(session.hops),
            "hopsMetadata": "|".join(session.hop_labels),
            "input": session.text,
            "lastAppResponse": session.last_reply,
            **({"errorMessage": error} if error else {}),
        }
        timeout = aiohttp.ClientTimeout(total=self._settings.ussd_timeout_s)
        try:
            async with self._courier.session.post(self._url() + "/end", data=fields, timeout=timeout):
                pass
        except (aiohttp.ClientError, TimeoutError):
            log.info("ussd end of %s not delivered", session.session_id)


def _who(session: Session) -> dict[str, str]:
    return {
        "sessionId": session.session_id,
        "phoneNumber": session.msisdn,
        "networkCode": network_of(session.msisdn),
        "serviceCode": session.service_code,
    }


def read_reply(session_id: str, status: int, reply: bytes) -> Screen:
    """HTTP 200 and a body that begins exactly 'CON ' or 'END '; anything else is the network's sentence."""
    if status != 200:
        return Screen(session_id, "END", MMI_ERROR, f"the gateway answered HTTP {status}")
    if reply[:4] not in (b"CON ", b"END "):
        return Screen(session_id, "END", MMI_ERROR, "the reply begins with neither 'CON ' nor 'END '")
    try:
        text = reply[4:].decode("utf-8")
    except UnicodeDecodeError:
        return Screen(session_id, "END", MMI_ERROR, "the reply is not UTF-8")
    return Screen(session_id, reply[:3].decode("ascii"), text)
