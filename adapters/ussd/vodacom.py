"""Vodacom Tanzania (TruRoute USSD XML 1.3): ``<ussd>`` in, by POST or as a GET's query, and ``<ussd>`` out.

Only the first request carries the dialled code, later ones the last input. There is no turn id.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from adapters.ussd._wire import XML, UnreadableError, dialled, form_fields, last_input, phone, session_id, xml_fields
from gateway.domain.ussd.frame import Frame, sent
from gateway.ports import (
    ChannelProfile,
    Ended,
    EndStatus,
    HttpReply,
    InboundRequest,
    Malformed,
    Noted,
    Screen,
    Turn,
)

REQUEST, RESPONSE = "1", "2"
_ENDS: Final = {
    "3": EndStatus.INCOMPLETE,  # released by the caller
    "4": EndStatus.INCOMPLETE,  # timed out
    "10": EndStatus.FAILED,  # a charge failed
}
_CONTINUE, _RELEASE = 2, 3
_NETWORK: Final = "vodacom"


@dataclass(frozen=True)
class VodacomUssd:
    """The UssdChannel of Vodacom Tanzania."""

    profile: ChannelProfile = field(default_factory=lambda: ChannelProfile("vodacom", Frame(prefix=0), 5.0))

    def __post_init__(self) -> None:
        framed = replace(self.profile, frame=self.profile.frame._replace(entities=True))
        object.__setattr__(self, "profile", framed)

    def parse(self, request: InboundRequest) -> Turn | Ended | Malformed:
        """The turn, or the end of the session: cancelled, timed out, or a charge that failed."""
        try:
            fields = form_fields(request) if request.method == "GET" else xml_fields(request.body, "ussd")
            session, msisdn, kind = session_id(fields, "sessionid"), phone(fields, "msisdn"), fields.get("type", "")
            if kind in _ENDS:
                return Ended(session, msisdn, _ENDS[kind])
            if kind == REQUEST:
                return Turn(session, msisdn, dialled(fields.get("msg", ""), "msg"), network=_NETWORK, first=True)
            if kind == RESPONSE:
                return Turn(session, msisdn, "", key=last_input(fields, "msg"), network=_NETWORK, first=False)
            return Malformed("no known type")
        except UnreadableError as why:
            return Malformed(str(why))

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """Type 2 awaits an input, type 3 releases."""
        return _reply(_RELEASE if screen.final else _CONTINUE, sent(self.profile.frame, screen.text))

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """Released, without a text."""
        return _reply(_RELEASE, "")


def _reply(kind: int, text: str) -> HttpReply:
    """TruRoute asks for character references; ``text`` has its entities, so each is escaped once."""
    breaks = text.replace("\r", "&#13;").replace("\n", "&#10;")  # as it stands, a parser takes the first for the second
    message = breaks.encode("ascii", "xmlcharrefreplace").decode()
    return HttpReply(200, XML, f"<ussd><type>{kind}</type><msg>{message}</msg></ussd>".encode())


CHANNEL = VodacomUssd
