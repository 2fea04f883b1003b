"""A payment as a bank tells it: in a notice, or as a line of its statement. Both give the same key and content."""

from __future__ import annotations

from gateway.domain.msisdn import normalise
from gateway.domain.payments import PaymentReport

from .amounts import read_amount
from .fields import Fields, Number, currency_in, moment_in, number_in, reference_in, text_in
from .limits import UnreadableError
from .settings import BankSettings


def read_payment(settings: BankSettings, fields: Fields) -> PaymentReport:
    """Raises UnreadableError, naming the field."""
    control_number, chfid = number_in(fields)
    amount = fields.get("amount")
    if type(amount) not in (str, Number):
        raise UnreadableError("amount: a number or a text is expected")
    return PaymentReport(
        reference=settings.qualified(reference_in(fields)),
        control_number=control_number or chfid or "",
        amount=read_amount(str(amount).strip(), currency_in(fields)),
        paid_at=moment_in(fields, "paid_at"),
        receipt=text_in(fields, "receipt", 50),
        payer_msisdn=normalise(text_in(fields, "payer_msisdn", 40)),
        payer_name=text_in(fields, "payer_name"),
        channel=text_in(fields, "channel", 30),
        origin=settings.name.upper(),
        chfid=chfid,
    )
