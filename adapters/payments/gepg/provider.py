"""GePG as a payment provider, both generations: the message's root decides who reads it, a table says who."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from gateway.domain.outcomes import Outcome
from gateway.ports import (
    BillOrder,
    DayOrder,
    HttpReply,
    HttpRequest,
    HttpResponse,
    Notice,
    Reading,
    StatementReading,
    Verdict,
)

from . import bills, bills_v4, cancellation, payments, payments_v4, reconciliation, reconciliation_v4, statement
from .codes import INVALID_REQUEST, INVALID_SIGNATURE, SUCCESS
from .envelope import open_envelope, plain_id, seal
from .generation import V4, Generation, generation_of
from .limits import MAX_ID, TooLargeError, UnreadableError
from .settings import GepgSettings
from .statement_lines import GepgStatementLines
from .xmltext import group, leaf
from .xmltree import Element, parse

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})  # what is signed is in the body
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
    """Implements ``gateway.ports.PaymentProvider`` and ``StatementProvider``."""

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

    def read(self, route: str, body: bytes, _headers: Mapping[str, str] = _NO_HEADERS) -> Reading:
        """Cut, verify, and only then parse. Never raises. GePG's headers say nothing that its body does not.

        Both generations are understood on every route: the message's root says what it is. ``Reading.route`` is the
        route of that root where it is known, so that the acknowledgement fits the message wherever it was posted.
        """
        kind, message_id, dialect, is_signed = None, None, self._settings.version, False
        try:
            envelope = open_envelope(body)
            message = envelope.only_message()
            dialect = generation_of(message.name).name
            kind = _BY_ROOT.get(message.name)
            if kind is not None:
                route, message_id = kind.route, plain_id(message.raw, kind.id_name)
            if not envelope.is_signed(message, self._settings.peer_certificates):
                why = "no accepted key signed the message"
                return Reading(route, Verdict.BAD_SIGNATURE, message_id, why=why, dialect=dialect)
            is_signed = True
            if kind is None:
                raise UnreadableError("the message is of a kind that is not read here")
            tree = parse(message.raw)
            notices = kind.read(tree)
            if kind.header:
                message_id = (tree.group(kind.header).optional(kind.id_name) or "")[:MAX_ID] or None
            return Reading(route, Verdict.GENUINE, message_id, notices, dialect=dialect, is_signed=True)
        except TooLargeError as error:
            return Reading(route, Verdict.TOO_LARGE, message_id, why=str(error), dialect=dialect)
        except UnreadableError as error:
            why = f"well signed, but {error}" if is_signed else str(error)
            return Reading(route, Verdict.UNREADABLE, message_id, why=why, dialect=dialect, is_signed=is_signed)

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        """The reading of a body that was never taken in whole."""
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        """A signed acknowledgement in the message's own generation; the id is empty where it could not be read."""
        kind = _BY_ROUTE[reading.route, reading.dialect or self._settings.version]
        names = (kind.ack, kind.id_name, kind.code_name)
        return self._acknowledged(names, kind.generation, reading.verdict, reading.message_id, reply_id)

    def _acknowledged(
        self,
        names: tuple[str, str, str],  # of the element, the id that it repeats ("" in v4) and the code
        generation: Generation,
        verdict: Verdict,
        message_id: str | None,
        reply_id: str,
    ) -> HttpReply:
        ack, id_name, code_name = names
        status, code = _REPLIES[verdict]
        said = leaf(code_name, code)
        if not id_name:
            return HttpReply(status, _XML, self._sealed_once(group(ack, said), generation))
        said = leaf("AckId", reply_id, MAX_ID) + leaf(id_name, message_id or "", MAX_ID) + said
        return HttpReply(status, _XML, seal(group(ack, said), self._settings.private_key, generation))

    def _sealed_once(self, element: str, generation: Generation) -> bytes:
        """v4's acknowledgements name no message, so there are as many as codes, and a signature costs a millisecond."""
        sealed = self._sealed.get(element)
        if sealed is None:
            sealed = self._sealed[element] = seal(element, self._settings.private_key, generation)
        return sealed

    def not_kept(self, route: str) -> HttpReply:
        """HTTP 503 and no acknowledgement: GePG has to deliver again."""
        return HttpReply(503, "text/plain", b"not kept, deliver again")

    # ------------------------------------------------------------------------------------------------ a day's account

    @property
    def statement_routes(self) -> Sequence[str]:
        return (statement.ROUTE,)

    def day_request(self, order: DayOrder, now: datetime) -> HttpRequest:
        """In the generation of the order's service provider code. ``now`` is not used: a resend equals its first."""
        if self._day_generation(order) is V4:
            return reconciliation_v4.day_request(self._settings, order)
        return reconciliation.day_request(self._settings, order)

    def day_outcome(self, order: DayOrder, response: HttpResponse) -> Outcome:
        """Accepted, Refused, Busy or Unknown; see ``reconciliation_codes``."""
        if self._day_generation(order) is V4:
            return reconciliation_v4.day_outcome(self._settings.peer_certificates, response)
        return reconciliation.day_outcome(self._settings.peer_certificates, order, response)

    def _day_generation(self, order: DayOrder) -> Generation:
        return self._settings.generation_of(order.provider_code or self._settings.sp_code)

    def open_statement(self, route: str, path: Path, _headers: Mapping[str, str] = _NO_HEADERS, /) -> StatementReading:
        """Both generations are understood, whichever the day was asked for in; see ``statement_file``."""
        return statement.open_statement(path, self._settings.peer_certificates, self._settings.version)

    def lines_of(self, reading: StatementReading) -> GepgStatementLines:
        """Raises ValueError for a statement that is not GENUINE."""
        if reading.verdict is not Verdict.GENUINE:
            raise ValueError("only a genuine statement has lines")
        # v5's account names a group, which may be of several service providers; each of its lines names its own
        code = reading.provider_code if reading.dialect == V4.name else None
        return GepgStatementLines(reading.dialect, reading.start, reading.end, code)

    def acknowledge_statement(self, reading: StatementReading, reply_id: str) -> HttpReply:
        """As for any callback, in the statement's own generation."""
        form = statement.BY_DIALECT[reading.dialect or self._settings.version]
        names = (form.ack, form.id_name, form.code_name)
        return self._acknowledged(names, form.generation, reading.verdict, reading.message_id, reply_id)

    def statement_not_kept(self, route: str) -> HttpReply:
        return self.not_kept(route)
