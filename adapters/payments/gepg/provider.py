"""GePG as a payment provider, both generations: the message's root decides who reads it, a table says who."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.outcomes import Outcome
from gateway.ports import BillOrder, HttpReply, HttpRequest, HttpResponse, Notice, Reading, Verdict

from . import bills, bills_v4, cancellation, payments, payments_v4
from .codes import INVALID_REQUEST, INVALID_SIGNATURE, SUCCESS
from .envelope import Message, open_envelope, seal
from .generation import V4, Generation, generation_of
from .limits import MAX_ID, TooLargeError, UnreadableError
from .settings import GepgSettings
from .xmltext import group, leaf
from .xmltree import Element, parse

_XML = "application/xml"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One callback message: its generation, where it is posted, how it is acknowledged, who reads it.

    v5 numbers its messages: ``id_name`` stands in the message's header and in the acknowledgement. v4 does not.
    """

    root: str
    route: str
    ack: str
    code_name: str
    read: Callable[[Element], tuple[Notice, ...]]
    header: str = ""
    id_name: str = ""

    @property
    def generation(self) -> Generation:
        return generation_of(self.root)


_KINDS = (
    _Kind("billSubRes", "bills", "billSubResAck", "AckStsCode", bills.read_result, "BillHdr", "ResId"),
    _Kind("pmtSpNtfReq", "payments", "pmtSpNtfReqAck", "AckStsCode", payments.read_notification, "PmtHdr", "ReqId"),
    _Kind("gepgBillSubResp", "bills", "gepgBillSubRespAck", "TrxStsCode", bills_v4.read_results),
    _Kind("gepgPmtSpInfo", "payments", "gepgPmtSpInfoAck", "TrxStsCode", payments_v4.read_notification),
)
_BY_ROOT = {kind.root: kind for kind in _KINDS}
_BY_ROUTE = {(kind.route, kind.generation.name): kind for kind in _KINDS}

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
        self._sealed: dict[str, bytes] = {}

    @property
    def name(self) -> str:
        return "gepg"

    @property
    def routes(self) -> Sequence[str]:
        return tuple(dict.fromkeys(kind.route for kind in _KINDS))

    def bill_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """The submission. ``now`` is not used: a resend must equal its first, so every time in it is the bill's own."""
        if self._generation_of(order) is V4:
            if order.reuse is not None:
                return bills_v4.reuse(self._settings, order, order.reuse)
            return bills_v4.submission(self._settings, [order])
        return bills.submission(self._settings, order)

    def bill_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """Accepted, Refused, Busy or Unknown; see ``codes``."""
        if self._generation_of(order) is V4:
            peers, reuse = self._settings.peer_certificates, order.reuse is not None
            return bills_v4.submission_outcome(peers, response, reuse=reuse)
        return bills.submission_outcome(self._settings.peer_certificates, order, response)

    def bills_at_once(self, provider_code: str | None) -> int:
        """v4 takes many. v5's request has one customer number and one GrpBillId, which a normal bill shares with its
        BillId: several BillDtl are the parts of one combined bill, not bills of several families."""
        generation = self._settings.generation_of(provider_code or self._settings.sp_code)
        return bills_v4.MOST_BILLS if generation is V4 else 1

    def bills_request(self, orders: Sequence[BillOrder], now: datetime) -> HttpRequest:
        """The submission of several bills of one provider code; see ``bills_at_once``."""
        if self._generation_of(orders[0]) is V4:
            return bills_v4.submission(self._settings, orders)
        (order,) = orders
        return bills.submission(self._settings, order)

    def bills_outcome(self, orders: Sequence[BillOrder], response: HttpResponse) -> Outcome:
        """One acknowledgement for all of them."""
        return self.bill_outcome(orders[0], response)

    def cancel_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """The cancellation, answered in the same exchange."""
        if self._generation_of(order) is V4:
            return bills_v4.cancellation(self._settings, order, cancellation.REASON)
        return cancellation.cancellation(self._settings, order)

    def cancel_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """Done, Refused, Busy or Unknown; see ``cancellation``."""
        if self._generation_of(order) is V4:
            return bills_v4.cancellation_outcome(self._settings.peer_certificates, order, response)
        return cancellation.cancellation_outcome(self._settings.peer_certificates, order, response)

    def _generation_of(self, order: BillOrder) -> Generation:
        return self._settings.generation_of(order.bill.provider_code or self._settings.sp_code)

    def read(self, route: str, body: bytes) -> Reading:
        """Cut, verify, and only then parse. Never raises.

        Both generations are understood on every route: the message's root says what it is. ``Reading.route`` is the
        route of that root where it is known, so that the acknowledgement fits the message wherever it was posted.
        """
        kind, message_id, dialect = None, None, self._settings.version
        try:
            envelope = open_envelope(body)
            message = envelope.only_message()
            dialect = generation_of(message.name).name
            kind = _BY_ROOT.get(message.name)
            if kind is not None:
                route, message_id = kind.route, _id_without_parsing(message, kind)
            if not envelope.is_signed(message, self._settings.peer_certificates):
                why = "no accepted key signed the message"
                return Reading(route, Verdict.BAD_SIGNATURE, message_id, why=why, dialect=dialect)
            if kind is None:
                raise UnreadableError("the message is of a kind that is not read here")
            tree = parse(message.raw)
            notices = kind.read(tree)
            if kind.header:
                message_id = (tree.group(kind.header).optional(kind.id_name) or "")[:MAX_ID] or None
            return Reading(route, Verdict.GENUINE, message_id, notices, dialect=dialect)
        except TooLargeError as error:
            return Reading(route, Verdict.TOO_LARGE, message_id, why=str(error), dialect=dialect)
        except UnreadableError as error:
            return Reading(route, Verdict.UNREADABLE, message_id, why=str(error), dialect=dialect)

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        """The reading of a body that was never taken in whole."""
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        """A signed acknowledgement in the message's own generation; the id is empty where it could not be read."""
        kind = _BY_ROUTE[reading.route, reading.dialect or self._settings.version]
        status, code = _REPLIES[reading.verdict]
        said = leaf(kind.code_name, code)
        if not kind.id_name:
            return HttpReply(status, _XML, self._sealed_once(group(kind.ack, said), kind.generation))
        said = leaf("AckId", reply_id, MAX_ID) + leaf(kind.id_name, reading.message_id or "", MAX_ID) + said
        return HttpReply(status, _XML, seal(group(kind.ack, said), self._settings.private_key, kind.generation))

    def _sealed_once(self, element: str, generation: Generation) -> bytes:
        """v4's acknowledgements name no message, so there are as many as codes, and a signature costs a millisecond."""
        sealed = self._sealed.get(element)
        if sealed is None:
            sealed = self._sealed[element] = seal(element, self._settings.private_key, generation)
        return sealed

    def not_kept(self, route: str) -> HttpReply:
        """HTTP 503 and no acknowledgement: GePG has to deliver again."""
        return HttpReply(503, "text/plain", b"not kept, deliver again")


def _id_without_parsing(message: Message, kind: _Kind) -> str | None:
    """The message's id for an acknowledgement that refuses it: plain characters, said once, else None.

    The bytes are not believed at this point, so no XML parser sees them.
    """
    if not kind.id_name:
        return None
    name = kind.id_name.encode("ascii")
    if message.raw.count(b"<" + name) != 1:
        return None
    found = re.search(b"<" + name + rb">[ \t\r\n]*([A-Za-z0-9._:/-]{1,100})[ \t\r\n]*</" + name + b">", message.raw)
    return found[1].decode("ascii") if found else None
