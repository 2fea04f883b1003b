"""How long personal data is kept: every table of ours, what of a person it holds, until when, and why.

This is the one place. The store takes away what it says, the purging role is granted what it says and no more, and
docs/data-protection.md is written from it. Periods are settings (``GATEWAY_RETENTION__…``); they count from the end of
the work on a row, never from its beginning, so nothing goes that somebody still waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Period(StrEnum):
    """A setting, in days."""

    TEXTS = "texts_days"
    ASKERS = "askers_days"
    REPORTS = "reports_days"
    GUESSES = "guesses_days"
    LANGUAGES = "languages_days"
    REFUSED = "refused_days"
    EVIDENCE = "evidence_days"


class Does(StrEnum):
    """What happens when the time is over."""

    DELETED = "the row is deleted"
    BLANKED = "its personal columns are blanked, the rest stays"
    KEPT = "kept"
    FOLLOWS = "goes with what it follows"  # with the registry's row, with the case, with the message


@dataclass(frozen=True, slots=True)
class Rule:
    """``personal``: the columns that tell of a person; ``bare``: others' words and numbers that tell of none.

    Of several rules about one table each names the rows that it is about in ``holds``.
    """

    name: str
    table: str
    holds: str
    does: Does
    why: str
    personal: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    period: Period | None = None
    since: str = ""

    def __post_init__(self) -> None:
        assert (self.period is not None) == (self.does in (Does.DELETED, Does.BLANKED)), self.name
        assert bool(self.since) == (self.period is not None), self.name


RULES: tuple[Rule, ...] = (
    # ------------------------------------------------------------------------------- what was said to and by phones
    Rule(
        "texts",
        "gw_outbox",
        "SMS and answers by SMS: phone, text, which may name an insurance number",
        Does.DELETED,
        "A text cannot be written again: its payment stays known, its bill's life is over, its hour has passed.",
        personal=("dedupe_key", "payload", "last_outcome"),
        bare=("aggregate",),
        period=Period.TEXTS,
        since="it was sent, or the case of one that was held is closed; of a text about a bill, its life's end too",
    ),
    Rule(
        "askers",
        "gw_bill_requester",
        "who asked for a control number: phone, language",
        Does.DELETED,
        "Money that comes later still is confirmed to the family's phones and to the payer.",
        personal=("msisdn", "language"),
        period=Period.ASKERS,
        since="the bill's life ended",
    ),
    Rule(
        "guesses",
        "gw_miss",
        "wrong insurance numbers tried in an hour: phone, count",
        Does.DELETED,
        "Only the hour that runs is looked at.",
        personal=("msisdn",),
        period=Period.GUESSES,
        since="its hour",
    ),
    Rule(
        "languages",
        "gw_caller",
        "the language that a phone chose",
        Does.DELETED,
        "Phones change hands. Who still calls hears Swahili until another language is chosen.",
        personal=("msisdn", "language"),
        period=Period.LANGUAGES,
        since="it was chosen last",
    ),
    Rule(
        "reports",
        "gw_case",
        "closed reports of a wrong phone: phone, insurance number",
        Does.DELETED,
        "Its subject is random and can never be reported again.",
        personal=("subject", "details", "note", "closed_by"),
        period=Period.REPORTS,
        since="the case was closed",
    ),
    Rule(
        "open reports",
        "gw_phone_report",
        "what a phone says of a family, while a person has to see to it",
        Does.FOLLOWS,
        "It keeps the family from that phone; it goes when its case is closed.",
        personal=("msisdn",),
    ),
    # --------------------------------------------------------------------------------------------- money and evidence
    Rule(
        "refused messages",
        "gw_inbox",
        "messages that were refused and never taken up: bytes, headers",
        Does.DELETED,
        "By then a message that was refused by mistake has been replayed, or its day reconciled.",
        personal=("body", "headers", "why"),
        bare=("message_id",),
        period=Period.REFUSED,
        since="it came; while a case is open on it, it stays",
    ),
    Rule(
        "evidence",
        "gw_inbox",
        "messages that were believed: bytes, headers; payer's name and phone",
        Does.DELETED,
        "Evidence of money. That a payment is known stays in gw_payment, so that a redelivery is a duplicate.",
        personal=("body", "headers", "why"),
        bare=("message_id",),
        period=Period.EVIDENCE,
        since="it came; while it is not settled, its money is held or a case is open, it stays",
    ),
    Rule(
        "entries",
        "gw_entry",
        "what a message said: payer's name and phone",
        Does.FOLLOWS,
        "It goes with its message, in one transaction.",
        personal=("notice", "note"),
    ),
    Rule(
        "bills",
        "gw_bill",
        "whose bill it was: insurance number, name",
        Does.BLANKED,
        "Number, amount and state stay: they tell a late payment and a second one.",
        personal=("chfid", "payer_name"),
        bare=("product_code", "provider_code", "control_number", "reuses"),
        period=Period.EVIDENCE,
        since="the bill's life ended; while a case of its money is open, it stays",
    ),
    Rule(
        "cases",
        "gw_case",
        "other closed cases: references, an insurance number, a person's note",
        Does.BLANKED,
        "Kind, subject and amount stay, so that what was decided once is not put before a person again.",
        personal=("subject", "details", "note", "closed_by"),
        period=Period.EVIDENCE,
        since="the case was closed",
    ),
    Rule(
        "statements",
        "gw_statement",
        "the file of a day's account (payers' names and phones) in the folder of statements, and its unreadable lines",
        Does.BLANKED,
        "Evidence of what the provider listed. That the statement came, its digest and its sums stay.",
        personal=("file",),
        bare=("provider_code", "request_id", "how", "totals"),
        period=Period.EVIDENCE,
        since="it was taken in",
    ),
    Rule(
        "statement faults",
        "gw_statement_fault",
        "what is wrong with an unreadable line",
        Does.FOLLOWS,
        "It goes with its statement's file.",
        personal=("why",),
    ),
    Rule(
        "payments",
        "gw_payment",
        "reference, number and amount; where money was paid by insurance number, that is the number",
        Does.KEPT,
        "The key by which a payment is never booked twice, however late it is told again. No name and no phone.",
        personal=("control_number",),
        bare=("reference", "receipt"),
    ),
    Rule(
        "statement lines",
        "gw_statement_line",
        "reference, number and amount, while a day does not match",
        Does.KEPT,
        "A day that matches or is closed has none.",
        personal=("control_number",),
        bare=("reference",),
    ),
    Rule(
        "differences",
        "gw_difference",
        "reference, number and amount of what did not match",
        Does.KEPT,
        "The report of a day, which names neither people nor phones.",
        personal=("control_number",),
        bare=("reference", "why"),
    ),
    Rule(
        "reconciled days",
        "gw_reconciliation",
        "sums of a day, and who closed it",
        Does.KEPT,
        "Who answers for a day; staff only.",
        personal=("closed_by",),
        bare=("report", "closed_report"),
    ),
    Rule(
        "audit",
        "gw_audit",
        "who did what: names of staff, their reasons, ids, references; an insurance number where money was paid by it",
        Does.KEPT,
        "A chain from which a row was taken proves nothing any more. No phone and no member's name is written into it.",
        personal=("actor", "subject", "details"),
    ),
    # ---------------------------------------------------------------------------------- indexes of openIMIS' own rows
    Rule(
        "phones",
        "gw_phone",
        "the registry's phones, normalised",
        Does.FOLLOWS,
        "An index: a phone that leaves the registry leaves it within seconds, and all is read anew once a day.",
        personal=("msisdn",),
    ),
    Rule(
        "officers' phones",
        "gw_officer_phone",
        "the officers' phones, normalised",
        Does.FOLLOWS,
        "The same.",
        personal=("msisdn",),
    ),
    # ------------------------------------------------------------------------------------------------ of no person
    Rule(
        "facts of bills",
        "gw_bill_fact",
        "numbers, amounts, a provider's code",
        Does.KEPT,
        "Of no person.",
        bare=("details",),
    ),
    Rule(
        "pool",
        "gw_pool_number",
        "numbers of nobody",
        Does.KEPT,
        "Of no person.",
        bare=("product_code", "provider_code", "control_number"),
    ),
    Rule(
        "orders of statements",
        "gw_statement_order",
        "days asked for",
        Does.KEPT,
        "Of no person.",
        bare=("provider_code",),
    ),
    Rule("seals", "gw_audit_seal", "digests", Does.KEPT, "Of no person."),
    Rule("policies' events", "gw_policy_event", "ids and days", Does.KEPT, "An event is told once."),
    Rule("watermarks", "gw_watermark", "times", Does.KEPT, "Of no person."),
    Rule("places", "gw_place", "how far the registry was followed", Does.KEPT, "Of no person."),
    Rule("screens", "gw_screen_day", "counts a day", Does.KEPT, "Of no person; kept GATEWAY_USSD__COUNTS_DAYS."),
    Rule("writers of counts", "gw_screen_writer", "counts a process", Does.KEPT, "Of no person; kept as long."),
)

EXPIRING: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.period is not None)


def cutoff(rule: Rule, days: Mapping[str, int], now: datetime) -> datetime:
    """What was over before this moment is due. ``days``: the settings, by period."""
    assert rule.period is not None, rule.name
    return now - timedelta(days=days[rule.period])
