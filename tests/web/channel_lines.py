"""Phones on every channel's wire, as its operator would speak it: no adapter is asked what a message looks like."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from aiohttp.test_utils import TestClient

CODE = "*152*00"  # what a phone dials, without its end
SECRET = "hushhush-3f9a"
MORE = ("# Zaidi", "# More")
NOTICES = (
    "Si sahihi. Jaribu tena.", "Not right. Try again.", "Tunaanza upya.", "We start again.", "Tunaendelea.",
    "We go on.",
)  # fmt: skip
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One request of an operator."""

    method: str
    address: str
    body: bytes = b""
    content_type: str = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Shown:
    """What the phone shows."""

    text: str
    final: bool


# how a screen that is pushed is waited for: by transaction
Pushes = Callable[[str], Awaitable[Shown]]


@dataclass
class Line:
    """One call on one wire. ``number`` without a plus. ``said``: every answer so far."""

    client: TestClient[Any, Any]
    number: str = "255754987654"
    session: str = "s1"
    pushes: Pushes | None = None
    said: list[str] = field(default_factory=list)
    last: Request | None = None
    turns: int = 0

    name = ""
    network = "other"  # as the menus call the operator of this line
    repeats_told = False  # the wire tells a repeated turn from a new one
    units: tuple[int, str] = (160, "septets")

    async def dial(self, answers: Sequence[str] = ()) -> Shown:
        """The first turn; the answers stand in the dialled code."""
        self.said = list(answers)
        self.turns = 1
        return await self.send(self.first("*".join([CODE, *answers])))

    async def press(self, key: str) -> Shown:
        self.said.append(key)
        self.turns += 1
        return await self.send(self.next(key))

    async def again(self) -> Shown:
        """The operator sends the last request once more."""
        assert self.last is not None
        return await self.send(self.last)

    async def send(self, request: Request) -> Shown:
        self.last = request
        status, content_type, body = await self.raw(request)
        assert status == 200, (status, body)
        return await self.read(content_type, body)

    async def raw(self, request: Request) -> tuple[int, str, bytes]:
        headers = {"Content-Type": request.content_type}
        data = request.body if request.method == "POST" else None
        async with self.client.request(request.method, request.address, data=data, headers=headers) as response:
            return response.status, response.headers["Content-Type"], await response.read()

    @property
    def path(self) -> str:
        return f"/ussd/{self.name}/{SECRET}"

    def get(self, **fields: str) -> Request:
        return Request("GET", f"{self.path}?{urlencode(fields, errors='replace')}")

    def post(self, **fields: str) -> Request:
        return Request("POST", self.path, urlencode(fields, errors="replace").encode())

    def first(self, dialled: str) -> Request:
        raise NotImplementedError

    def next(self, key: str) -> Request:
        raise NotImplementedError

    async def read(self, content_type: str, body: bytes) -> Shown:
        """``CON`` and ``END``, unless the wire has words of its own."""
        assert content_type == TEXT
        word, _, text = body.decode().partition(" ")
        assert word in ("CON", "END"), body
        return Shown(text, word == "END")


class AfricasTalking(Line):
    name = "africastalking"
    network = "vodacom"
    repeats_told = True

    def first(self, dialled: str) -> Request:
        return self.turn()

    def next(self, key: str) -> Request:
        return self.turn()

    def turn(self) -> Request:
        return self.post(
            sessionId=self.session, phoneNumber=f"+{self.number}", networkCode="64004", serviceCode=f"{CODE}#",
            text="*".join(self.said),
        )  # fmt: skip


class Cumulative(AfricasTalking):
    """A channel by settings: all inputs, in a GET."""

    name = "ttcl"
    network = "ttcl"

    def turn(self) -> Request:
        return self.get(SESSION=self.session, MSISDN=self.number, INPUT="*".join(self.said))


class Beem(Line):
    name = "beem"
    network = "vodacom"
    repeats_told = True

    def first(self, dialled: str) -> Request:
        return self.object("initiate", f"{dialled}#")

    def next(self, key: str) -> Request:
        return self.object("continue", key)

    def object(self, command: str, response: str) -> Request:
        said = {
            "command": command, "msisdn": self.number, "session_id": self.session, "operator": "vodacom",
            "payload": {"request_id": self.turns, "response": response},
        }  # fmt: skip
        return Request("POST", self.path, json.dumps(said).encode(), "application/json")

    async def read(self, content_type: str, body: bytes) -> Shown:
        assert content_type == "application/json; charset=utf-8"
        said = json.loads(body)
        assert set(said) == {"msisdn", "operator", "session_id", "command", "payload"}
        assert said["command"] in ("continue", "terminate")
        if said["session_id"]:
            assert (said["session_id"], said["payload"]["request_id"]) == (self.session, self.turns)
        return Shown(said["payload"]["request"], said["command"] == "terminate")


class Hub(Line):
    """A channel by settings: an object with the last input and a turn's number, in narrow UCS-2 screens."""

    name = "hub"
    repeats_told = True
    units = (100, "ucs2")

    def first(self, dialled: str) -> Request:
        return self.object("Initiation", f"{dialled}#")

    def next(self, key: str) -> Request:
        return self.object("Response", key)

    def object(self, kind: str, text: str) -> Request:
        said = {"Id": self.session, "Mobile": self.number, "Message": text, "Type": kind, "Sequence": self.turns}
        return Request("POST", self.path, json.dumps(said).encode(), "application/json")

    async def read(self, content_type: str, body: bytes) -> Shown:
        said = json.loads(body)
        assert set(said) == {"Message", "Type"}
        return Shown(said["Message"], said["Type"] == "Release")


class LastKey(Line):
    """A channel by settings: the last input in a form, nothing that tells the first turn or a repeat."""

    name = "lastkey"
    units = (140, "characters")

    def first(self, dialled: str) -> Request:
        return self.post(sessionId=self.session, phoneNumber=self.number, text=dialled.removeprefix("*"))

    def next(self, key: str) -> Request:
        return self.post(sessionId=self.session, phoneNumber=self.number, text=key)


class Vodacom(Line):
    name = "vodacom"
    network = "vodacom"
    units = (182, "septets")

    def first(self, dialled: str) -> Request:
        return self.xml("1", f"{dialled}#")

    def next(self, key: str) -> Request:
        return self.xml("2", key)

    def xml(self, kind: str, text: str) -> Request:
        known = f"<msisdn>{self.number}</msisdn><sessionid>{self.session}</sessionid>"
        body = f"<ussd>{known}<type>{kind}</type><msg>{escape(text)}</msg></ussd>".encode("utf-8", "replace")
        return Request("POST", self.path, body, "text/xml")

    async def read(self, content_type: str, body: bytes) -> Shown:
        assert content_type == "text/xml; charset=utf-8"
        root = ElementTree.fromstring(body)
        assert (root.tag, [child.tag for child in root]) == ("ussd", ["type", "msg"])
        assert root.findtext("type") in ("2", "3")
        return Shown(root.findtext("msg") or "", root.findtext("type") == "3")


class VodacomGet(Vodacom):
    def xml(self, kind: str, text: str) -> Request:
        return self.get(msisdn=self.number, sessionid=self.session, type=kind, msg=text)


class TigoA(Line):
    name = "tigo"
    network = "yas"

    def first(self, dialled: str) -> Request:
        return self.get(MSISDN=self.number, Session_id=self.session, NEW_REQUEST="1", Ussd_string=dialled)

    def next(self, key: str) -> Request:
        return self.get(
            MSISDN=self.number, Session_id=self.session, NEW_REQUEST="0", Ussd_string=key, Service_cod="191"
        )


class TigoB(Line):
    name = "tigo"
    network = "yas"

    def first(self, dialled: str) -> Request:
        return self.turn(dialled.removeprefix("*"), "1")

    def next(self, key: str) -> Request:
        return self.turn(key, "0")

    def turn(self, text: str, new: str) -> Request:
        return self.get(
            input=text, sessionid=self.session, msisdn=self.number, IMSI="640021174819835", newrequest=new,
            SHORT_CODE=CODE,
        )  # fmt: skip


class Airtel(Line):
    name = "airtel"
    network = "airtel"

    def first(self, dialled: str) -> Request:
        return self.next(dialled.removeprefix("*"))

    def next(self, key: str) -> Request:
        return self.get(input=key, sessionid=self.session, msisdn=self.number)


class Halotel(Line):
    name = "halotel"
    network = "halotel"
    units = (182, "bytes")

    def first(self, dialled: str) -> Request:
        return self.soap("100", f"{dialled}#", self.number)

    def next(self, key: str) -> Request:
        return self.soap("101", key, "null")

    def soap(self, kind: str, text: str, number: str) -> Request:
        inside = "".join(
            f"<{name}>{escape(value)}</{name}>"
            for name, value in {
                "user": "halo", "pass": "tel-5f", "msisdn": number, "msg": text, "sessionid": "null",
                "transactionid": f"W{self.session}", "requestType": kind, "ussdgw_id": "1",
            }.items()
        )  # fmt: skip
        body = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<InsertMO xmlns="http://tempuri.org/">{inside}</InsertMO></soap:Body></soap:Envelope>'
        )
        return Request("POST", self.path, body.encode("utf-8", "replace"), "text/xml")

    async def read(self, content_type: str, body: bytes) -> Shown:
        assert content_type == "text/xml; charset=utf-8"
        code = ElementTree.fromstring(body).findtext(".//errorCode")
        if code != "0":
            return Shown(f"errorCode {code}", True)
        assert self.pushes is not None
        return await self.pushes(f"W{self.session}")


LINES: list[type[Line]] = [
    AfricasTalking, Cumulative, Beem, Hub, LastKey, Vodacom, VodacomGet, TigoA, TigoB, Airtel, Halotel,
]  # fmt: skip


each = pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.__name__)


def items(text: str) -> list[str]:
    """The lines of a page without the ways about."""
    return [line for line in text.split("\n") if not line.startswith(("0 ", "# "))]


async def unpaged(line: Line, shown: Shown) -> tuple[list[str], bool]:
    """Everything the screen holds, turning its pages; and whether the last page ends the session.

    A notice pushes lines away, so # leads from it to the whole first page.
    """
    lines = items(shown.text)
    noticed = lines[0] in NOTICES
    for _ in range(20):
        if not any(more in shown.text.split("\n") for more in MORE):
            return lines, shown.final
        assert not shown.final, "a page that has more does not end the session"
        shown = await line.press("#")
        lines = [lines[0], *items(shown.text)] if noticed else lines + items(shown.text)
        noticed = False
    raise AssertionError("the pages never end")
