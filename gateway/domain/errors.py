"""The one table of error codes: what each means to a peer, an operator and a caller, and where its runbook is."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.payments import CaseKind


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """``http_status`` is what a peer sees where its protocol has no code of its own.

    ``caller`` names the text of the language files that a phone is shown; None where no caller is concerned.
    """

    code: str
    http_status: int
    retryable: bool
    operator: str
    caller: str | None = None

    @property
    def runbook(self) -> str:
        """Anchor in docs/runbooks.md."""
        return self.code.lower()


ERRORS: dict[str, ErrorCode] = {
    e.code: e
    for e in (
        ErrorCode("USSD-BUSY", 200, True, "More calls at once than the bound; callers got a polite end.", "end.busy"),
        ErrorCode("USSD-UNREADABLE", 200, False, "A request that is no turn of this channel.", "end.unreadable"),
        ErrorCode("USSD-STORE", 200, True, "The session store did not answer in time.", "end.try_later"),
        ErrorCode("USSD-FACT", 200, True, "The registry did not answer within the reply's budget.", "end.try_later"),
        ErrorCode(
            "USSD-REST",
            200,
            True,
            "A fact was not asked for, since it fails each time now.",
            "end.try_later",
        ),
        ErrorCode(
            "USSD-ANSWERS",
            200,
            True,
            "A phone was promised as many answers by SMS as it may get in an hour; no more was promised.",
            "end.try_later",
        ),
        ErrorCode("USSD-EFFECT", 200, True, "What the caller asked for could not be committed.", "end.try_later"),
        ErrorCode(
            "USSD-SESSION",
            200,
            False,
            "A turn of a session that is not held, without the phone that it needs, or of another phone.",
            "end.try_later",
        ),
        ErrorCode("USSD-PUSH", 200, True, "A screen that we push could not be delivered to the channel."),
        ErrorCode("USSD-INTERNAL", 200, True, "A fault of ours while answering a caller.", "end.error"),
        ErrorCode("PAY-NOT-KEPT", 503, True, "A callback could not be committed; the provider must deliver again."),
        ErrorCode("PAY-SIGNATURE", 200, False, "A callback whose signature is not the provider's: kept, not applied."),
        ErrorCode("PAY-UNREADABLE", 400, False, "A callback that cannot be read: kept, not applied."),
        ErrorCode(
            "PAY-NEW-FORM", 200, False, "A message that the provider signed and we cannot read: money may hang on it."
        ),
        ErrorCode("PAY-TOO-LARGE", 413, False, "A callback over the size limit: its beginning is kept."),
        ErrorCode("PAY-SETTLE", 500, True, "Settling an entry failed; it is tried again."),
        ErrorCode("PAY-CONFLICT", 200, False, "A known payment was reported again with other content."),
        ErrorCode("PAY-UNKNOWN-NUMBER", 200, False, "Money for a control number that we never issued."),
        ErrorCode(
            "PAY-PAYEE",
            200,
            False,
            "The money is for another service provider's code than the bill's, or than any of ours; not applied.",
        ),
        ErrorCode("PAY-AMOUNT", 200, False, "The amount paid is not the amount billed."),
        ErrorCode("PAY-OVER", 200, False, "Applied; more was paid than the policy still needed."),
        ErrorCode("PAY-CURRENCY", 200, False, "The money is in another currency than the bill."),
        ErrorCode("PAY-TWICE", 200, False, "A bill that was paid already has been paid once more."),
        ErrorCode("PAY-CANCELLED", 200, False, "A cancelled bill has been paid."),
        ErrorCode(
            "PAY-COVERED",
            200,
            False,
            "The family was covered by other means meanwhile; the money is kept for its next cover.",
        ),
        ErrorCode("PAY-SUSPENDED", 200, False, "Money for a suspended policy: a payment does not lift a suspension."),
        ErrorCode("PAY-RECEIPT", 200, False, "The receipt is used already within the product."),
        ErrorCode("PAY-FAMILY", 200, False, "The family of the bill is no longer in the registry."),
        ErrorCode("PAY-PRODUCT", 200, False, "The product of the bill is no longer in the registry."),
        ErrorCode("PAY-SILENT", 200, True, "The provider gave no control number within the stated time."),
        ErrorCode("PAY-EXPIRED", 200, False, "A biller asked about a control number whose life has ended unpaid."),
        ErrorCode("PAY-LIMIT", 429, True, "A biller asked for too many numbers that nobody has; it is not answered."),
        ErrorCode("PAY-NO-ANSWER", 503, True, "A biller's question could not be answered within its budget."),
        ErrorCode("PAY-POOL-LOW", 200, True, "The pool of ready control numbers has stayed below its low mark."),
        ErrorCode("SMS-ANSWER-LATE", 200, True, "A promised answer could not be read while it was of use."),
        ErrorCode("SMS-HELD", 200, True, "A message could not be sent within its deadline."),
        ErrorCode(
            "PAY-SAME-RECEIPT",
            200,
            False,
            "Money with the number, the amount and the receipt of a payment that is booked: perhaps the same one.",
        ),
        ErrorCode("REC-DIFFERENCES", 200, False, "A day's statement and what we hold do not agree in every line."),
        ErrorCode("REC-DAY-CHANGED", 200, False, "Money of a day that a person has closed is not what it was then."),
        ErrorCode("REC-NO-STATEMENT", 200, True, "A provider gave no account of a day within the stated time."),
        ErrorCode(
            "REG-PHONE", 200, False, "A caller says that its phone is put down for the wrong family, or for none."
        ),
        ErrorCode("REG-SHAPE", 500, False, "The database is no openIMIS that this build can work with: run db check."),
        ErrorCode("REG-SCHEMA", 500, False, "The database is not at the schema this build needs: run db upgrade."),
    )
}

CASE_CODES: dict[CaseKind, str] = {
    CaseKind.CONFLICT: "PAY-CONFLICT",
    CaseKind.UNKNOWN_CONTROL_NUMBER: "PAY-UNKNOWN-NUMBER",
    CaseKind.OTHER_PAYEE: "PAY-PAYEE",
    CaseKind.WRONG_AMOUNT: "PAY-AMOUNT",
    CaseKind.WRONG_CURRENCY: "PAY-CURRENCY",
    CaseKind.PAID_TWICE: "PAY-TWICE",
    CaseKind.BILL_CANCELLED: "PAY-CANCELLED",
    CaseKind.ALREADY_COVERED: "PAY-COVERED",
    CaseKind.POLICY_SUSPENDED: "PAY-SUSPENDED",
    CaseKind.RECEIPT_USED: "PAY-RECEIPT",
    CaseKind.FAMILY_GONE: "PAY-FAMILY",
    CaseKind.PRODUCT_GONE: "PAY-PRODUCT",
    CaseKind.BILL_WITHOUT_NUMBER: "PAY-SILENT",
    CaseKind.OVERPAID: "PAY-OVER",
    CaseKind.SETTLE_FAILED: "PAY-SETTLE",
    CaseKind.EFFECT_HELD: "SMS-HELD",
    CaseKind.SAME_RECEIPT: "PAY-SAME-RECEIPT",
    CaseKind.DAY_DIFFERS: "REC-DIFFERENCES",
    CaseKind.DAY_CHANGED: "REC-DAY-CHANGED",
    CaseKind.NO_STATEMENT: "REC-NO-STATEMENT",
    CaseKind.UNREADABLE: "PAY-NEW-FORM",
    CaseKind.PHONE_REPORTED: "REG-PHONE",
}
