"""Africa's Talking bulk SMS: one form per message, one JSON reply. Source: Africa's Talking bulk SMS pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from gateway.domain.msisdn import normalise
from gateway.domain.outcomes import Accepted, Busy, Outcome, Refused, Unknown
from gateway.ports import HttpRequest, HttpResponse, SmsMessage

USER_AGENT: Final = "imis-gateway"
BALANCE_PAUSE_S: Final = 300.0  # a person has to top up
KEY_PAUSE_S: Final = 300.0  # a person has to put the key right
FAULT_PAUSE_S: Final = 30.0
MAX_PAUSE_S: Final = 3600.0
MAX_REFERENCE: Final = 100  # characters; theirs have about 40

# statusCode of a recipient -> (status, what it means for the message). Accepted is not delivered: a report tells that.
STATUSES: Final[Mapping[str, tuple[str, Outcome]]] = MappingProxyType(
    {
        code: (status, outcome)
        for code, status, outcome in (
            ("100", "Processed", Accepted()),
            ("101", "Sent", Accepted()),
            ("102", "Queued", Accepted()),
            ("401", "RiskHold", Refused("401", "RiskHold")),
            ("402", "InvalidSenderId", Refused("402", "InvalidSenderId")),
            ("403", "InvalidPhoneNumber", Refused("403", "InvalidPhoneNumber")),
            ("404", "UnsupportedNumberType", Refused("404", "UnsupportedNumberType")),
            ("405", "InsufficientBalance", Busy(BALANCE_PAUSE_S, "405")),
            ("406", "UserInBlacklist", Refused("406", "UserInBlacklist")),
            ("407", "CouldNotRoute", Refused("407", "CouldNotRoute: try another provider")),
            ("409", "DoNotDisturbRejection", Refused("409", "DoNotDisturbRejection")),
            ("500", "InternalServerError", Busy(FAULT_PAUSE_S, "500")),
            ("501", "GatewayError", Busy(FAULT_PAUSE_S, "501")),
            ("502", "RejectedByGateway", Refused("502", "RejectedByGateway: try another provider")),
        )
    }
)
# With an unregistered sender id or no credit the list of recipients is empty and the status stands in its place.
_WHOLE_REQUEST: Final = {status: outcome for status, outcome in STATUSES.values() if not isinstance(outcome, Accepted)}


@dataclass(frozen=True, slots=True)
class AfricasTalkingSms:
    """The SmsProvider of Africa's Talking.

    ``sender`` is the registered sender id or short code, None for the provider's own; ``url`` the messaging address
    (``https://api.africastalking.com/version1/messaging``).
    """

    username: str
    api_key: str = field(repr=False)
    sender: str | None
    url: str
    name: ClassVar[str] = "africastalking"

    def request_for(self, message: SmsMessage) -> HttpRequest:
        """One recipient per call, since a reply for many can be partly good; the text goes out as it is."""
        form = {"username": self.username, "to": message.to, "message": message.text, "bulkSMSMode": "1"}
        if self.sender:
            form["from"] = self.sender
        form["enqueue"] = "1"  # their queue answers at once, without waiting for the operator
        headers = {
            "apiKey": self.api_key,
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        }
        return HttpRequest("POST", self.url, headers, urlencode(form).encode())

    def outcome(self, message: SmsMessage, response: HttpResponse) -> Outcome:
        """What the reply says of this message's recipient, found by number and never by position."""
        status = response.status
        if status in (401, 403):  # a wrong key must lose no message: hold them and try again
            return Busy(KEY_PAUSE_S, "auth")
        if status in (429, 503):
            return Busy(_retry_after_s(response.headers), f"http {status}")
        if not 200 <= status < 300:
            return Unknown(f"http {status}")
        data = _sms_data(response.body)
        if data is None:
            return Unknown("unreadable reply")
        recipients = data.get("Recipients")
        if not isinstance(recipients, list):
            return Unknown("no list of recipients in the reply")
        if not recipients:
            return _WHOLE_REQUEST.get(str(data.get("Message")), Unknown("no recipient in the reply"))
        for recipient in recipients:
            if isinstance(recipient, dict) and _is_to(recipient.get("number"), message.to):
                return _of_recipient(recipient)
        return Unknown("our recipient is not in the reply")


def _sms_data(body: bytes) -> dict[str, Any] | None:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return None
    data = reply.get("SMSMessageData") if isinstance(reply, dict) else None
    return data if isinstance(data, dict) else None


def _is_to(number: object, to: str) -> bool:
    return isinstance(number, str) and (number == to or normalise(number) == to)


def _of_recipient(recipient: dict[str, Any]) -> Outcome:
    code = str(recipient.get("statusCode"))[:40]
    known = STATUSES.get(code)
    if known is None:
        return Unknown(f"statusCode {code}")
    outcome = known[1]
    return Accepted(_reference(recipient.get("messageId"))) if isinstance(outcome, Accepted) else outcome


def _reference(message_id: object) -> str | None:
    """Their id, which the delivery report will carry; they write the word "None" where there is none."""
    if not isinstance(message_id, str) or not 0 < len(message_id) <= MAX_REFERENCE or message_id == "None":
        return None
    return message_id


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """``Retry-After`` in seconds, bounded; the default pause where it is missing, a date or nonsense."""
    text = headers.get("retry-after", "").strip()
    if not (text.isascii() and text.isdecimal()):
        return FAULT_PAUSE_S
    return min(max(float(text), 1.0), MAX_PAUSE_S)
