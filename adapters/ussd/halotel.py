"""Halotel Tanzania (HTTP protocol 1.0, 2016): SOAP both ways. Its request is acknowledged at once; the screen goes out
in a request of ours, under the same ``transactionid``.

=====  =====================================  =====  ============================
in     means                                  out    means
=====  =====================================  =====  ============================
100    first; ``msg`` is the dialled code     202    first menu, awaits an input
101    an input                               201    first and last
102    cancelled by the caller                200    a further menu
103    our menu was displayed                 203    the last text
104    error; the transaction is over
=====  =====================================  =====  ============================

``msisdn`` may be the word ``null`` after the first turn. There is no turn id. A text over 182 bytes between its tags,
entities not decoded, is discarded by the network; a line is broken by the four bytes ``<br>``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from xml.sax.saxutils import escape

from adapters.ussd._wire import XML, UnreadableError, code, dialled, last_input, phone, session_id, xml_fields
from gateway.domain.outcomes import Done, Outcome, Refused, Unknown
from gateway.domain.ussd.frame import Frame, sent
from gateway.ports import (
    ChannelProfile,
    Ended,
    EndStatus,
    HttpReply,
    HttpRequest,
    HttpResponse,
    InboundRequest,
    Malformed,
    Noted,
    Screen,
    Turn,
)

FIRST, INPUT, DISPLAYED = "100", "101", "103"
_ENDS: Final = {"102": EndStatus.INCOMPLETE, "104": EndStatus.FAILED}
_PUSHES: Final = {(True, False): "202", (True, True): "201", (False, False): "200", (False, True): "203"}
_TAKEN, _SYSTEM_ERROR, _WRONG_USER = "0", "-1", "1"
_REFUSALS: Final = {"1": "user, password or address", "2": "unknown or closed transaction"}
_NETWORK: Final = "halotel"
_NULL: Final = "null"  # their word for nothing
_ECHOED: Final = ("msisdn", "sessionid", "ussdgw_id")


@dataclass(frozen=True)
class HalotelUssd:
    """The UssdChannel of Halotel. ``user``, ``password``: ours at their side; ``peer_…``: theirs at ours, not compared
    where none is set.

    ``soap_action``: empty where the network wants no such header.
    """

    profile: ChannelProfile = field(
        default_factory=lambda: ChannelProfile("halotel", Frame(182, "bytes", "<br>", prefix=0), 4.0)
    )
    url: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    peer_user: str = ""
    peer_password: str = field(default="", repr=False)
    soap_action: str = "http://tempuri.org/InsertMO"

    def __post_init__(self) -> None:
        framed = self.profile.frame._replace(entities=True)
        object.__setattr__(self, "profile", replace(self.profile, frame=framed, phone_every_turn=False))

    def parse(self, request: InboundRequest) -> Turn | Ended | Noted | Malformed:
        """The turn in the SOAP body; the transaction is the session."""
        try:
            fields = {k: v.strip() for k, v in xml_fields(request.body, "Envelope", "Body", "InsertMO").items()}
            if not self._is_theirs(fields):
                return Malformed("wrong user or password", _WRONG_USER)
            return _heard(fields)
        except UnreadableError as why:
            return Malformed(str(why), _SYSTEM_ERROR)

    def _is_theirs(self, fields: Mapping[str, str]) -> bool:
        if not self.peer_user and not self.peer_password:
            return True
        same = [
            hmac.compare_digest(fields.get(name, "").encode("utf-8", "replace"), known.encode())
            for name, known in (("user", self.peer_user), ("pass", self.peer_password))
        ]
        return all(same)

    def accept(self, turn: Turn) -> HttpReply:
        """Taken; the screen follows."""
        return _acknowledged(_TAKEN)

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """Taken; nothing follows."""
        return _acknowledged(_TAKEN)

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """Not taken: no screen can be given in a reply."""
        return _acknowledged(heard.code if isinstance(heard, Malformed) and heard.code else _SYSTEM_ERROR)

    def push(self, screen: Screen, turn: Turn) -> HttpRequest:
        """The request with the screen."""
        echo = turn.echo or {}
        texts = {
            "user": escape(self.user),
            "pass": escape(self.password),
            "msisdn": _echoed(echo, "msisdn"),
            "msg": sent(self.profile.frame, screen.text),
            "sessionid": _echoed(echo, "sessionid"),
            "transactionid": escape(turn.session_id),
            "requestType": _PUSHES[bool(turn.first), screen.final],
            "ussdgw_id": _echoed(echo, "ussdgw_id"),
        }
        inside = "".join(f"<{name}>{text}</{name}>" for name, text in texts.items())
        headers = {"Content-Type": XML}
        if self.soap_action:
            headers["SOAPAction"] = f'"{self.soap_action}"'
        body = _envelope(f'<InsertMO xmlns="http://tempuri.org/">{inside}</InsertMO>')
        return HttpRequest("POST", self.url, headers, body)

    def pushed(self, response: HttpResponse) -> Outcome:
        """``errorCode`` 0 is taken; a closed transaction or a wrong user will not change by asking again."""
        if not 200 <= response.status < 300:
            return Unknown(f"http {response.status}")
        try:
            found = xml_fields(response.body, "Envelope", "Body", "ussdresponse").get("errorCode", "").strip()
        except UnreadableError:
            return Unknown("unreadable reply")
        if found == _TAKEN:
            return Done()
        return Refused(found, _REFUSALS[found]) if found in _REFUSALS else Unknown(f"errorCode {found[:10]!r}")


def _heard(fields: Mapping[str, str]) -> Turn | Ended | Noted | Malformed:
    session, kind = session_id(fields, "transactionid"), fields.get("requestType", "")
    told = fields.get("msisdn", "")
    msisdn = None if told in ("", _NULL) else phone(fields, "msisdn")
    echo = {name: code(fields, name) for name in _ECHOED}
    if kind == FIRST:
        code_dialled = dialled(fields.get("msg", ""), "msg")
        return Turn(session, phone(fields, "msisdn"), code_dialled, network=_NETWORK, first=True, echo=echo)
    if kind == INPUT:
        return Turn(session, msisdn, "", key=last_input(fields, "msg"), network=_NETWORK, first=False, echo=echo)
    if kind in _ENDS:
        return Ended(session, msisdn, _ENDS[kind])
    return Noted(session) if kind == DISPLAYED else Malformed("no known requestType", _SYSTEM_ERROR)


def _echoed(echo: Mapping[str, Any], name: str) -> str:
    return escape(str(echo.get(name) or _NULL))  # an empty element is refused


def _acknowledged(error_code: str) -> HttpReply:
    body = _envelope(f"<ussdresponse><errorCode>{error_code}</errorCode></ussdresponse>")
    return HttpReply(200, XML, body)


def _envelope(inside: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body>{inside}</soap:Body></soap:Envelope>"
    ).encode("utf-8", "replace")


CHANNEL = HalotelUssd
