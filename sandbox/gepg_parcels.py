"""GePG's callbacks, signed and ready for the courier, in the generation that the bill was asked for."""

import itertools
from collections.abc import Sequence
from datetime import datetime

from sandbox import gepg_messages as v5
from sandbox import gepg_v4_messages as v4
from sandbox.courier import Parcel
from sandbox.envelope import seal
from sandbox.generation import V4
from sandbox.gepg_book import Bill, Payment
from sandbox.keys import KeyRing

_BILLS, _PAYMENTS = "/payments/gepg/bills", "/payments/gepg/payments"


class Parcels:
    """Makes them; v4's carry no identifiers, so what tells two alike apart is where their line breaks stand."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._layouts = itertools.count(1)

    def numbers(self, version: str, req_id: str, answers: Sequence[tuple[Bill, str]], now: datetime) -> Parcel:
        """The numbers of the bills of one request, with the code of each. v5's request holds one bill."""
        if version == V4.name:
            raw = seal(v4.bill_response(answers), self._keys, V4)
            label = answers[0][0].asked.bill_id
            return Parcel("bill_response", _BILLS, raw, "gepgBillSubRespAck", "", label, "TrxStsCode", V4)
        (bill, _) = answers[0]
        res_id = v5.new_id("RES", now)
        raw = seal(v5.bill_response(res_id, req_id, bill), self._keys)
        return Parcel("bill_response", _BILLS, raw, "billSubResAck", "ResId", res_id)

    def payment(self, payment: Payment, now: datetime, fresh: bool = False, paid_minor: int | None = None) -> Parcel:
        """What tells of a payment (and of those made together with it).

        The bytes first sent, unless they are to be signed anew: `fresh` is another message with the same facts,
        `paid_minor` the same message with another amount for this payment.
        """
        if payment.raw and not fresh and paid_minor is None:
            return self._parcel(payment, payment.req_id, payment.raw)
        changed = payment.paid_minor if paid_minor is None else paid_minor
        together = payment.together or (payment,)
        entries = [(each, changed if each is payment else each.paid_minor) for each in together]
        if payment.version == V4.name:
            layout = next(self._layouts) if fresh else 0
            return self._parcel(payment, "", seal(v4.payment_notification(entries), self._keys, V4, layout))
        req_id = v5.new_id("REQ", now) if fresh or not payment.req_id else payment.req_id
        first, *others = entries
        return self._parcel(payment, req_id, seal(v5.payment_notification(req_id, *first, *others), self._keys))

    def _parcel(self, payment: Payment, req_id: str, raw: bytes) -> Parcel:
        if payment.version == V4.name:
            label = payment.pay_ref_id
            return Parcel("payment_notification", _PAYMENTS, raw, "gepgPmtSpInfoAck", "", label, "TrxStsCode", V4)
        return Parcel("payment_notification", _PAYMENTS, raw, "pmtSpNtfReqAck", "ReqId", req_id)
