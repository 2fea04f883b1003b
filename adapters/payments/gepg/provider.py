"""GePG generation v5 as a payment provider: the message's root decides who reads it, a table says who."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.outcomes import Outcome
from gateway.ports import BillOrder, HttpReply, HttpRequest, HttpResponse, Notice, Reading, Verdict

from .bills import read_result, submission, submission_outcome
from .cancellation import cancellation, cancellation_outcome
from .codes import INVALID_REQUEST, INVALID_SIGNATURE, SUCCESS
from .envelope import Message, open_envelope, seal
from .limits import MAX_ID, TooLargeError, UnreadableError
from .payments import read_notification
from .settings import GepgSettings
from .signing import verify
from .xmltext import group, leaf
from .xmltree import Element, parse

_XML = "application/xml"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One callback message: where it is posted, where its id stands, how it is acknowledged, who reads it."""

    root: str
    route: str
    header: str
    id_name: str  # the same in the message's header and in the acknowledgement
    ack: str
    read: Callable[[Element], tuple[Notice, ...]]


_KINDS = (
    _Kind("billSubRes", "bills", "BillHdr", "ResId", "billSubResAck", read_result),
    _Kind("pmtSpNtfReq", "payments", "PmtHdr", "ReqId", "pmtSpNtfReqAck", read_notification),
)
_BY_ROOT = {kind.root: kind for kind in _KINDS}
_BY_ROUTE = {kind.route: kind for kind in _KINDS}

# A well-signed, well-formed message is 7101 whatever it says: the money has already moved.
_REPLIES: dict[Verdict, tuple[int, str]] = {
    Verdict.GENUINE: (200, SUCCESS),
    Verdict.BAD_SIGNATURE: (200, INVALID_SIGNATURE),
    Verdict.UNREADABLE: (400, INVALID_REQUEST),
    Verdict.TOO_LARGE: (413, INVALID_REQUEST),
}


class GepgProvider:
    """Implements ``gateway.ports.PaymentProvider``."""

    def __init__(self, settings: GepgSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        return "gepg"

    @property
    def routes(self) -> Sequence[str]:
        return tuple(_BY_ROUTE)

    def bill_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """billSubReq. ``now`` is not used: a resend must equal its first, so every time in it is the bill's own."""
        return submission(self._settings, order)

    def bill_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """Accepted, Refused, Busy or Unknown; see ``codes``."""
        return submission_outcome(self._settings.peer_certificates, order, response)

    def cancel_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """billCanclReq."""
        return cancellation(self._settings, order)

    def cancel_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """Done, Refused, Busy or Unknown; see ``cancellation``."""
        return cancellation_outcome(self._settings.peer_certificates, order, response)

    def read(self, route: str, body: bytes) -> Reading:
        """Cut, verify, and only then parse. Never raises.

        ``Reading.route`` is the route of the message's root where that is known, so that the acknowledgement fits the
        message even when it was posted to another route.
        """
        kind, message_id = None, None
        try:
            envelope = open_envelope(body)
            message = envelope.only_message()
            kind = _BY_ROOT.get(message.name)
            if kind is not None:
                route, message_id = kind.route, _id_without_parsing(message, kind)
            # The last signature counts, as with the receivers that most peers were tested against.
            if not envelope.signatures or not verify(
                self._settings.peer_certificates, message.raw, envelope.signatures[-1]
            ):
                return Reading(route, Verdict.BAD_SIGNATURE, message_id, why="no accepted key signed the message")
            if kind is None:
                raise UnreadableError("the message is of a kind that is not read here")
            tree = parse(message.raw)
            notices = kind.read(tree)
            message_id = (tree.group(kind.header).optional(kind.id_name) or "")[:MAX_ID] or None
            return Reading(route, Verdict.GENUINE, message_id, notices)
        except TooLargeError as error:
            return Reading(route, Verdict.TOO_LARGE, message_id, why=str(error))
        except UnreadableError as error:
            return Reading(route, Verdict.UNREADABLE, message_id, why=str(error))

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        """The reading of a body that was never taken in whole."""
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        """A signed billSubResAck or pmtSpNtfReqAck; the id is empty where it could not be read."""
        kind = _BY_ROUTE[reading.route]
        status, code = _REPLIES[reading.verdict]
        element = group(
            kind.ack,
            leaf("AckId", reply_id, MAX_ID),
            leaf(kind.id_name, reading.message_id or "", MAX_ID),
            leaf("AckStsCode", code),
        )
        return HttpReply(status, _XML, seal(element, self._settings.private_key))

    def not_kept(self, route: str) -> HttpReply:
        """HTTP 503 and no acknowledgement: GePG has to deliver again."""
        return HttpReply(503, "text/plain", b"not kept, deliver again")


def _id_without_parsing(message: Message, kind: _Kind) -> str | None:
    """The message's id for an acknowledgement that refuses it: plain characters, said once, else None.

    The bytes are not believed at this point, so no XML parser sees them.
    """
    name = kind.id_name.encode("ascii")
    if message.raw.count(b"<" + name) != 1:
        return None
    found = re.search(b"<" + name + rb">[ \t\r\n]*([A-Za-z0-9._:/-]{1,100})[ \t\r\n]*</" + name + b">", message.raw)
    return found[1].decode("ascii") if found else None
