"""Every way in which our rows differ from openIMIS', by name: what it does, what we do, and why.

The twin runs fail for a difference that is not here, and for one that is here and does not show where it is said to.
`python tests/contract/twin_differences.py` writes the table into docs/openimis.md, which a test holds equal to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from twin import ROW, Difference
from twin_scenarios import SCENARIOS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/openimis.md"
BEGIN = "<!-- written by tests/contract/twin_differences.py: change that file and run it -->"
END = "<!-- end of what is written -->"


@dataclass(frozen=True)
class Named:
    """``columns`` by table, ``ROW`` for whole rows. It shows in each of ``scenarios`` and in no other."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    openimis: str
    ours: str
    why: str
    scenarios: tuple[str, ...]
    when: Callable[[Difference], bool] = lambda difference: True

    def explains(self, scenario: str, difference: Difference) -> bool:
        """Whether this difference, found in this scenario, goes by this name."""
        listed = difference.column in self.columns.get(difference.table, ())
        return scenario in self.scenarios and listed and self.when(difference)


def _ours_is_later(difference: Difference) -> bool:
    return bool(difference.ours > difference.theirs)


def _kept(difference: Difference) -> bool:
    """No policy and no premium: the bill stands at 3, the money on a payment row of its own, all else as it was."""
    in_payments = difference.table in ("tblPayment", "tblPaymentDetails")
    match difference.column:
        case column if column == ROW:
            return bool(difference.ours == "there") == in_payments
        case "PaymentStatus":
            return difference.ours in (3, -3)
        case "PolicyStatus" | "EffectiveDate":
            return ".before" in difference.role
        case "ExpectedAmount" | "RejectedReason":
            return True  # what was billed; why it is kept
        case _:
            return difference.ours is None


_MONEY = (
    "ReceivedAmount",
    "ReceivedDate",
    "PaymentStatus",
    "TransactionNo",
    "PaymentOrigin",
    "MatchedDate",
    "ReceiptNo",
    "PaymentDate",
)
_KEPT = {
    "tblPolicy": (ROW, "PolicyStatus", "EffectiveDate"),
    "tblInsureePolicy": ("EffectiveDate",),
    "tblPremium": (ROW,),
    "tblPayment": (ROW, *_MONEY),
    "tblPaymentDetails": (ROW, "Amount", "PremiumID", "ExpectedAmount", "enrollmentDate"),
}
_BORN = tuple(s.name for s in SCENARIOS if not s.idle)
_INSTALMENTS = ("two instalments", "three instalments")

NAMED: tuple[Named, ...] = (
    Named(
        "more than was billed",
        _KEPT,
        "books the whole amount and activates the policy; what is too much is nowhere",
        "keeps the money as a case (PAY-AMOUNT) and on a tblPayment row of its own at -3 with the reason; the bill's"
        " row stays at 3, the policy idle",
        "a bill is payable in its exact amount only: another sum is a mistake of somebody's, which a person clears up",
        ("over-paid",),
        _kept,
    ),
    Named(
        "paid twice",
        {
            "tblPolicy": (ROW,),
            "tblPremium": (ROW,),
            "tblPayment": (
                "PhoneNumber",
                "RequestDate",
                "PaymentStatus",
                "MatchedDate",
                "RejectedReason",
                "LanguageName",
            ),
            "tblPaymentDetails": ("Amount", "PremiumID", "enrollmentDate"),
        },
        "books a second premium on the active policy",
        "keeps the money as a case (PAY-TWICE) and on a tblPayment row of its own at -3 with the reason",
        "the family is owed its money back, or its next cover: a person decides",
        ("paid twice",),
        lambda difference: _kept(difference) and not difference.role.endswith(".new 1"),
    ),
    Named(
        "covered by other means",
        _KEPT,
        "books a second premium and moves EffectiveDate to the later payment, which takes days of cover away",
        "keeps the money as a case (PAY-COVERED) and on a tblPayment row of its own at 4; the policy is not touched",
        "days that were paid for stay, and money for nothing is not booked",
        ("on an active policy",),
        _kept,
    ),
    Named(
        "suspended",
        _KEPT,
        "puts the policy to active: a payment lifts the suspension",
        "keeps the money as a case (PAY-SUSPENDED) and on a tblPayment row of its own at 4; the policy stays suspended",
        "who suspended had a reason that money does not remove",
        ("on a suspended policy",),
        _kept,
    ),
    Named(
        "receipt used",
        {"tblPayment": (ROW,), "tblPaymentDetails": (ROW,)},
        "refuses the premium with an error, and nothing is kept",
        "keeps the money as a case (PAY-RECEIPT) and on a tblPayment row of its own at 4; the bill's row stays at 3",
        "the money has moved already: it cannot be refused, only be shown",
        ("receipt used",),
        _kept,
    ),
    Named(
        "an expired policy",
        {
            "tblPolicy": (ROW, "PolicyStatus", "EffectiveDate"),
            "tblInsureePolicy": (ROW, "EffectiveDate"),
            "tblPremium": ("PolicyID",),
            "tblPaymentDetails": ("enrollmentDate",),
        },
        "puts the expired policy (8) to active (2) with its ExpiryDate in the past: money without cover",
        "leaves it expired; the money buys a new policy from the day of payment",
        "the family paid for cover and gets the whole of it",
        ("on an expired policy",),
    ),
    Named(
        "days of cover",
        {
            "tblPolicy": ("StartDate", "EffectiveDate", "ExpiryDate"),
            "tblInsureePolicy": ("StartDate", "EffectiveDate", "ExpiryDate"),
        },
        "starts an early renewal on the day of enrolment, or in a cycle that has begun, while the old cover still runs",
        "starts it on the day after the old cover's last one",
        "no day is paid for twice; the caller was told these days before paying",
        (
            "renewed early",
            "renewed on the last day",
            "prompted early",
            "renewal discount",
            "renewed early into a cycle in grace",
        ),
        _ours_is_later,
    ),
    Named(
        "effective before the start",
        {"tblPolicy": ("EffectiveDate",), "tblInsureePolicy": ("EffectiveDate",)},
        "makes a policy that was paid too much effective on the day of payment, before its own StartDate",
        "makes it effective on the later of the two, as openIMIS does for the exact amount",
        "cover does not begin before its first day",
        ("cash in part before the start",),
        _ours_is_later,
    ),
    Named(
        "answer to a prompt",
        {"tblPolicyRenewals": ("ResponseStatus", "ResponseDate")},
        "retires the prompt and leaves its answer empty",
        "retires it and writes answer 1 (renewed) with its date",
        "the legacy screens read the answer, the modular ones ValidityTo: both show a renewed policy",
        ("prompted", "prompted early", "conversion"),
    ),
    Named(
        "prompt for a product that converted",
        {"tblPolicyRenewals": (ROW, "ValidityFrom", "ValidityTo")},
        "leaves the prompt open: it looks for the renewed policy under the new product only",
        "retires it as any other",
        "officers are not sent to a family that has paid",
        ("conversion",),
    ),
    Named(
        "one payment, many instalments",
        {
            "tblPayment": (ROW, "ReceivedAmount", "PaymentStatus", "TransactionNo", "MatchedDate", "ReceiptNo"),
            "tblPaymentDetails": (ROW, "Amount", "PremiumID"),
        },
        "has a tblPayment row for each payment that a clerk enters",
        "adds the instalments up on the one row of the bill; dates, receipt and premium are the last one's. Each"
        " instalment has its own tblPremium row, as in openIMIS",
        "a bill has one control number, and tblPayment is where the screens look for it",
        _INSTALMENTS,
    ),
    Named(
        "expected of an instalment",
        {"tblPaymentDetails": ("ExpectedAmount",)},
        "expects of a payment what its premium happens to be",
        "expects what was billed",
        "what is still to come can be seen",
        ("one of two", *_INSTALMENTS),
    ),
    Named(
        "activation option 2",
        {"tblPolicy": ("PolicyStatus", "EffectiveDate"), "tblInsureePolicy": ("EffectiveDate",)},
        "means to activate when the payment is matched, and its matching fails: the policy stays idle",
        "activates with the payment, which is matched from the start",
        "this is what the option means, and what the legacy openIMIS does",
        ("activation option 2",),
    ),
    Named(
        "activation option 3",
        {"tblPolicy": ("PolicyStatus", "EffectiveDate"), "tblInsureePolicy": ("EffectiveDate",)},
        "means to put the policy to ready (16), and does not save it: the policy stays idle",
        "puts it to ready (16), with the days on which it would be effective",
        "this is what the option means, and what the legacy openIMIS does",
        ("activation option 3",),
    ),
    Named(
        "who wrote it",
        {
            "tblPolicy": ("AuditUserID",),
            "tblInsureePolicy": ("AuditUserID",),
            "tblPremium": ("AuditUserID",),
            "tblPaymentDetails": ("AuditedUserId",),
        },
        "writes the clerk's number",
        "writes -1, or the number that is set (GATEWAY_DATABASE__AUDIT_USER_ID)",
        "no clerk did it; -1 is what openIMIS' own payment code writes",
        tuple(s.name for s in SCENARIOS if s.kept_as != "receipt_used"),
        lambda difference: difference.ours == -1,
    ),
    Named(
        "not offline",
        {"tblPolicy": ("isOffline",), "tblInsureePolicy": ("isOffline",)},
        "leaves isOffline empty on policies and coverage, and writes false on premiums",
        "writes false on all of them",
        "openIMIS reads both alike; the legacy database's own default is false",
        _BORN,
        lambda difference: difference.theirs is None and difference.ours is False,
    ),
)


def name_of(scenario: str, difference: Difference) -> str | None:
    """The first name that explains a difference."""
    return next((named.name for named in NAMED if named.explains(scenario, difference)), None)


def due_in(scenario: str) -> set[str]:
    """The names that must show in a scenario."""
    return {named.name for named in NAMED if scenario in named.scenarios}


def rendered() -> str:
    """The part of docs/openimis.md between its two marks, marks included."""
    lines = [
        BEGIN,
        "",
        "| Difference | Where | openIMIS | imis-gateway | Why | Shown by |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| **{n.name}** | {_where(n.columns)} | {n.openimis} | {n.ours} | {n.why} | {_shown_by(n.scenarios)} |"
        for n in NAMED
    ]
    lines += ["", f"The {len(SCENARIOS)} stories that are told to both sides:", ""]
    lines += [f"- *{scenario.name}*: {scenario.says}" for scenario in SCENARIOS]
    return "\n".join([*lines, "", END])


def _where(columns: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{table}: {', '.join(names).replace(ROW, 'whole rows')}" for table, names in columns.items())


def _shown_by(names: tuple[str, ...]) -> str:
    if len(names) <= len(SCENARIOS) // 3:
        return ", ".join(names)
    others = [s.name for s in SCENARIOS if s.name not in names]
    return "every story" + (f" but {', '.join(others)}" if len(others) < 4 else " in which a policy is born")


def written_into(document: str) -> str:
    """The document with that part as it should be."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + rendered() + after


if __name__ == "__main__":
    DOCUMENT.write_text(written_into(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
