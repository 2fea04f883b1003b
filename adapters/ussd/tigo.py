"""Tigo (Yas) Tanzania: a GET for every turn, ``CON``/``END`` text back. Two schemes are live, told apart by names.

=========  =========================================  ==================================================
            A                                          B
=========  =========================================  ==================================================
session    ``Session_id``                             ``sessionid``
first      ``NEW_REQUEST`` 1 or 0                      ``newrequest`` 1 or 0
input      ``Ussd_string``: first the dialled code,   ``input``: first the end of the dialled code,
           then the last input                        then the last input
code       (``Service_cod`` is a partner's id)        ``SHORT_CODE``, on every turn
=========  =========================================  ==================================================

Names are compared without regard to case. No end of a session is told, and there is no turn id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.ussd._wire import (
    TEXT,
    UnreadableError,
    code,
    con_end,
    dialled,
    folded,
    last_input,
    phone,
    query_fields,
    session_id,
)
from gateway.ports import ChannelProfile, Ended, HttpReply, InboundRequest, Malformed, Noted, Screen, Turn

_FIRST: Final = {"1": True, "0": False}

_NETWORK: Final = "yas"  # as Tigo is called now


@dataclass(frozen=True)
class TigoUssd:
    """The UssdChannel of Tigo (Yas) Tanzania."""

    profile: ChannelProfile = field(default_factory=lambda: ChannelProfile("tigo", reply_deadline_s=5.0))

    def parse(self, request: InboundRequest) -> Turn | Malformed:
        """The turn in the query. The subscriber's IMSI, which one scheme sends, is not read."""
        try:
            fields = folded(query_fields(request))
            if ("session_id" in fields) == ("sessionid" in fields):
                return Malformed("neither scheme, or both")
            return _scheme_a(fields) if "session_id" in fields else _scheme_b(fields)
        except UnreadableError as why:
            return Malformed(str(why))

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """``CON`` or ``END`` and the text."""
        return con_end(screen, self.profile.frame)

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """Nothing is awaited."""
        return HttpReply(200, TEXT, b"")


def _scheme_a(fields: Mapping[str, str]) -> Turn:
    session, msisdn = session_id(fields, "session_id"), phone(fields, "msisdn")
    text = last_input(fields, "ussd_string")
    if _first(fields, "new_request"):
        return Turn(session, msisdn, dialled(text, "ussd_string"), network=_NETWORK, first=True)
    return Turn(session, msisdn, "", key=text, network=_NETWORK, first=False)


def _scheme_b(fields: Mapping[str, str]) -> Turn:
    session, msisdn = session_id(fields, "sessionid"), phone(fields, "msisdn")
    text, short_code = last_input(fields, "input"), dialled(code(fields, "short_code"), "short_code")
    if not _first(fields, "newrequest"):
        return Turn(session, msisdn, short_code, key=text, network=_NETWORK, first=False)
    # the input repeats the code that was dialled, longer where answers were dialled along
    whole = dialled(text, "input")
    longer = len(whole.strip("*#")) > len(short_code.strip("*#"))
    return Turn(session, msisdn, whole if longer else short_code, network=_NETWORK, first=True)


def _first(fields: Mapping[str, str], name: str) -> bool:
    found = _FIRST.get(fields.get(name, "").strip())
    if found is None:
        raise UnreadableError(f"{name} is neither 1 nor 0")
    return found


CHANNEL = TigoUssd
