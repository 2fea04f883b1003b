"""Airtel Tanzania: a GET with ``input``, ``sessionid`` and ``msisdn`` for every turn, ``CON``/``END`` text back.

Nothing says that a turn is the first: it is the one whose session is unknown, and then ``input`` is the dialled code
without ``*`` and ``#`` at its ends (``147*03``). No end of a session is told, and there is no turn id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.ussd._wire import TEXT, UnreadableError, con_end, last_input, phone, query_fields, session_id
from gateway.ports import ChannelProfile, Ended, HttpReply, InboundRequest, Malformed, Noted, Screen, Turn


@dataclass(frozen=True)
class AirtelUssd:
    """The UssdChannel of Airtel Tanzania."""

    profile: ChannelProfile = field(default_factory=lambda: ChannelProfile("airtel", reply_deadline_s=5.0))

    def parse(self, request: InboundRequest) -> Turn | Malformed:
        """The turn in the query."""
        try:
            fields = query_fields(request)
            session, msisdn = session_id(fields, "sessionid"), phone(fields, "msisdn")
            return Turn(session, msisdn, "", key=last_input(fields, "input"), network="airtel")
        except UnreadableError as why:
            return Malformed(str(why))

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """``CON`` or ``END`` and the text."""
        return con_end(screen, self.profile.frame)

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """Nothing is awaited."""
        return HttpReply(200, TEXT, b"")


CHANNEL = AirtelUssd
