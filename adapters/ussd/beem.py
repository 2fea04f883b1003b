"""Beem Africa's USSD hub (all Tanzanian operators): JSON with the last input, JSON with the next screen.

Source: Beem's USSD pages as quoted by its public clients. They disagree on the command of the first reply
(``continue`` or ``initiate``) and on whether ids are numbers or texts: the first is a setting, the second is echoed as
it came. ``request_id`` tells a repeated turn from a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.ussd._wire import JSON, UnreadableError, code, echoed, json_object, phone, said, session_id, turn_id
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

# their operators, by the names that they have had
_NETWORKS: Final = {
    "vodacom": "vodacom",
    "tigo": "yas",
    "yas": "yas",
    "mixx": "yas",
    "zantel": "yas",
    "airtel": "airtel",
    "halotel": "halotel",
    "ttcl": "ttcl",
}
_NOBODY: Final[Mapping[str, Any]] = {"msisdn": "", "operator": "", "session_id": "", "request_id": 0}


@dataclass(frozen=True)
class BeemUssd:
    """The UssdChannel of Beem, which can add no header of ours to its calls: the route's secret guards it.

    ``request_ids``: False where the hub does not count its requests; then repeats cannot be told.
    """

    profile: ChannelProfile = field(default_factory=lambda: ChannelProfile("beem", Frame(prefix=0), 5.0))
    first_command: str = "continue"
    request_ids: bool = True

    def parse(self, request: InboundRequest) -> Turn | Ended | Malformed:
        """The turn in the POSTed object; ``terminate`` is the end of a session."""
        echo: dict[str, Any] | None = None
        try:
            found = json_object(request)
            payload = found.get("payload")
            if payload is None:  # nothing was answered, or the session is over
                payload = {}
            if not isinstance(payload, dict):
                return Malformed("payload is no object")
            echo = {name: echoed(found.get(name)) for name in ("msisdn", "operator", "session_id")}
            echo["request_id"] = echoed(payload.get("request_id"))
            return self._heard(found, payload, echo)
        except UnreadableError as why:
            return Malformed(str(why), echo=echo)

    def _heard(self, found: Mapping[str, Any], payload: Mapping[str, Any], echo: Mapping[str, Any]) -> Turn | Ended:
        fields = {name: said(found, name) for name in ("command", "msisdn", "session_id", "operator")}
        session, msisdn, network = session_id(fields, "session_id"), phone(fields, "msisdn"), code(fields, "operator")
        command, response = fields["command"], said(payload, "response")
        if command == "terminate":
            return Ended(session, msisdn, EndStatus.INCOMPLETE, echo=echo)
        if command not in ("initiate", "continue"):
            raise UnreadableError("no known command")
        request_id = said(payload, "request_id")
        # with the input: a hub that counts nothing makes a caller's two different keys no repeat
        same = turn_id(command, request_id, response) if self.request_ids and request_id else ""
        first = command == "initiate"
        return Turn(
            session,
            msisdn,
            code({"response": response}, "response") if first else "",
            key=None if first else response,
            network=_NETWORKS.get(network.lower()),
            first=first,
            turn_id=same,
            echo=echo,
        )

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """The screen, with the ids of the request as they came."""
        turn = heard if isinstance(heard, Turn) else None
        command = "terminate" if screen.final else self.first_command if turn and turn.first else "continue"
        return _reply(heard.echo if heard else None, command, sent(self.profile.frame, screen.text))

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """The session is over: no text."""
        return _reply(event.echo if isinstance(event, Ended) else None, "terminate", "")


def _reply(echo: Mapping[str, Any] | None, command: str, text: str) -> HttpReply:
    ids = echo or _NOBODY
    reply = {
        "msisdn": ids["msisdn"],
        "operator": ids["operator"],
        "session_id": ids["session_id"],
        "command": command,
        "payload": {"request_id": ids["request_id"], "request": text},
    }
    return HttpReply(200, JSON, json.dumps(reply, separators=(",", ":")).encode())


CHANNEL = BeemUssd
