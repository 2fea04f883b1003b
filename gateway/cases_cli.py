"""The words of ``imis-gateway cases``: what is understood, and what is shown. Names and phones go to the terminal only.

What is shown was partly written by strangers (a payer's name): whatever could steer a terminal is shown as ``?``.
"""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.domain import chfid
from gateway.domain.bill import BILL_SENTENCES, Bill
from gateway.domain.cases import Act, CaseState, acts_for
from gateway.domain.clock import eat
from gateway.domain.errors import ERRORS
from gateway.domain.money import Money
from gateway.domain.policy import Family, Policy, PolicyStatus

if TYPE_CHECKING:  # a quarter of the start of every other command
    from gateway.ports import Transaction
    from gateway.service.settle_case import CaseMoney, Decision, KnownCase

MOST = 1_000  # cases in one list
_MAX_CASE, _MAX_POLICY = 2**63 - 1, 2**31 - 1
_ACTS = {
    Act.MATCH: "book the money as a premium of a family or of one policy",
    Act.HOLD: "keep the money for a family's next cover",
    Act.REFUND: "the money was given back outside",
    Act.REJECT: "nothing is owed: a mistake of the provider's",
    Act.CLOSE: "seen to; for cases without money",
}

# ------------------------------------------------------------------------------------------------------ what is typed


def list_arguments(parser: argparse.ArgumentParser) -> None:
    """``cases list``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--held", action="store_true", help="money that waits for a family's next cover")
    which.add_argument("--all", action="store_true", help="closed ones too")
    parser.add_argument("--json", action="store_true")


def show_arguments(parser: argparse.ArgumentParser) -> None:
    """``cases show``."""
    parser.add_argument("case", type=_number(_MAX_CASE), metavar="ID")
    parser.add_argument("--json", action="store_true")


def settle_arguments(parser: argparse.ArgumentParser) -> None:
    """``cases settle``."""
    parser.add_argument("case", type=_number(_MAX_CASE), metavar="ID")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    for act, help_ in _ACTS.items():
        added = acts.add_parser(act, help=help_, description=help_)
        added.add_argument("--by", type=one_line(60), metavar="NAME", help="who decides; else the system's user")
        added.add_argument("--note", type=one_line(500), metavar="TEXT", help="for those who look at the case later")
        if act == Act.MATCH:
            where = added.add_mutually_exclusive_group(required=True)
            where.add_argument("--family", type=_chfid, metavar="CHFID", help="the insurance number of a member")
            where.add_argument("--policy", type=_number(_MAX_POLICY), metavar="ID", help="tblPolicy.PolicyID")
        elif act == Act.HOLD:
            added.add_argument("--family", type=_chfid, metavar="CHFID", help="if not the family of the bill")
        elif act == Act.REFUND:
            added.add_argument("--reference", dest="why", type=one_line(100), required=True, metavar="TEXT")
        elif act == Act.REJECT:
            added.add_argument("--reason", dest="why", type=one_line(100), required=True, metavar="TEXT")


def decision_of(arguments: argparse.Namespace) -> Decision:
    """What was typed. Raises ValueError where nobody is named and the system knows no user either."""
    from gateway.service.settle_case import Decision

    return Decision(
        act=Act(arguments.act),
        by=arguments.by or name_of_user(),
        note=arguments.note or "",
        chfid=getattr(arguments, "family", None),
        policy_id=getattr(arguments, "policy", None),
        why=getattr(arguments, "why", ""),
    )


def name_of_user() -> str:
    """Who is at the terminal. Raises ValueError where the system knows no user."""
    try:
        return getpass.getuser()[:60]
    except (OSError, KeyError, ImportError) as unknown:
        raise ValueError("who decides? The system knows no user: say --by NAME") from unknown


def _number(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= most):
            raise argparse.ArgumentTypeError(f"not a number: {text!r}")
        return int(text)

    return number


def one_line(most: int) -> Callable[[str], str]:
    def text(given: str) -> str:
        if not given.strip() or len(given) > most or not given.isprintable():
            raise argparse.ArgumentTypeError(f"one line of 1 to {most} characters, please")
        return given.strip()

    return text


def _chfid(text: str) -> str:
    if not chfid.is_valid(text):
        raise argparse.ArgumentTypeError(f"not an insurance number: {text!r}")
    return text


# ------------------------------------------------------------------------------------------------------- what is shown


def states_of(arguments: argparse.Namespace) -> tuple[CaseState, ...]:
    """Which cases were asked for."""
    if arguments.all:
        return tuple(CaseState)
    return (CaseState.HELD,) if arguments.held else (CaseState.OPEN,)


def in_list(case: KnownCase, now: datetime) -> list[str]:
    """Two lines: what it is, and what it means and can be done."""
    state = "" if case.state == CaseState.OPEN else f"  {case.state}"
    held = f" for {_plain(case.held_for)}" if case.held_for and case.state == CaseState.HELD else ""
    acts = ", ".join(acts_for(case.kind, case.state, case.amount))
    opened = f"{case.opened_at:%Y-%m-%d %H:%M}Z {age(case.opened_at, now):>6}"
    return [
        f"{case.id:>6}  {opened}  {case.code:<18} {_money(case.amount):>16}  {_plain(case.subject)}{state}{held}",
        f"        {ERRORS[case.code].operator}" + (f" Can be done: {acts}." if acts else ""),
    ]


def as_json(case: KnownCase, now: datetime) -> dict[str, Any]:
    """A case for programs: amounts in minor units, moments in UTC."""
    return {
        "id": case.id,
        "code": case.code,
        "kind": case.kind,
        "state": case.state,
        "sentence": ERRORS[case.code].operator,
        "subject": case.subject,
        "opened_at": case.opened_at.isoformat(),
        "age_s": int((now - case.opened_at).total_seconds()),
        "amount_minor": case.amount.amount_minor if case.amount else None,
        "currency": case.amount.currency if case.amount else None,
        "held_for": case.held_for,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "can_be_done": list(acts_for(case.kind, case.state, case.amount)),
    }


def dumped(value: Any) -> str:
    """JSON for the terminal: everything beyond ASCII escaped, so that it steers nothing."""
    return json.dumps(value, indent=1, default=str)


def age(since: datetime, now: datetime) -> str:
    """``12 min``, ``5 h``, ``3 d``."""
    minutes = max(int((now - since).total_seconds()) // 60, 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything that is known of a case."""

    case: KnownCase
    money: CaseMoney | None = None
    bill: Bill | None = None
    family: Family | None = None
    policies: tuple[Policy, ...] = ()
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


async def look_at(tx: Transaction, case_id: int) -> CaseView | None:
    """The case with its money, its bill and the family that is known: the one it is held for, else the bill's."""
    from gateway.service.settle_case import KnownCase, money_of

    row = await tx.cases.by_id(case_id)
    if row is None:
        return None
    case = KnownCase.of(row)
    money = await money_of(tx, case)
    bill = await tx.bills.by_id(case.bill_id) if case.bill_id else None
    if money is not None:
        bill = money.bill  # not one that the report only names
    family = await tx.registry.family_of(case.held_for) if case.held_for else None
    if family is None and bill is not None:
        family = await tx.registry.family(bill.family_id)
    policies = await tx.registry.policies(family.id) if family else ()
    subjects = [f"case:{case.id}", case.subject]
    if money is not None:  # the opening is written down under the reference alone
        subjects.append(f"payment:{money.report.reference}")
    return CaseView(case, money, bill, family, policies, await tx.audit.about(subjects))


def shown(view: CaseView, now: datetime) -> list[str]:
    """For a person."""
    case = view.case
    lines = [f"case {case.id}: {case.code}, {case.state}, opened {age(case.opened_at, now)} ago"]
    lines += [f"  {ERRORS[case.code].operator}", f"  runbook: docs/runbooks.md#{ERRORS[case.code].runbook}"]
    lines += [f"about     {_plain(case.subject)}  {_money(case.amount)}"]
    if (excess := case.details.get("excess_minor")) is not None:
        lines.append(f"          too much: {_money(Money(int(excess)))}")
    lines += _money_lines(view.money) + _bill_lines(view.bill) + _family_lines(view)
    lines += [f"          {name}: {_plain(value)}" for name, value in _other_details(view).items()]
    if case.inbox_id is not None:
        lines.append(f"evidence  gw_inbox {case.inbox_id}")
    if case.act is not None:
        note = f": {_plain(case.note)}" if case.note else ""
        lines.append(f"settled   {case.act} by {_plain(case.closed_by)}{note}")
    lines += [
        f"history   {_moment(row['at'])} {_plain(row['actor'])}: {row['action']}{_facts(row)}" for row in view.history
    ]
    return lines + [f"can do    {command}" for command in commands(view)]


def shown_as_json(view: CaseView, now: datetime) -> dict[str, Any]:
    """For a program."""
    report, bill, family = view.money.report if view.money else None, view.bill, view.family
    return {
        **as_json(view.case, now),
        "act": view.case.act,
        "by": view.case.closed_by,
        "note": view.case.note,
        "inbox_id": view.case.inbox_id,
        "details": dict(view.case.details),
        "report": {name: str(getattr(report, name) or "") for name in _REPORTED} if report else None,
        "bill": {"id": bill.id, "state": bill.state, "amount_minor": bill.amount.amount_minor, "chfid": bill.chfid}
        if bill
        else None,
        "family": {"chfid": family.head.chfid, "head": _name(family), "policies": [_policy(p) for p in view.policies]}
        if family
        else None,
        "history": [
            {"at": row["at"].isoformat(), "actor": row["actor"], "action": row["action"], "details": row["details"]}
            for row in view.history
        ],
        "commands": commands(view),
    }


_REPORTED = (
    "reference",
    "control_number",
    "provider_code",
    "receipt",
    "transaction",
    "payer_msisdn",
    "payer_name",
    "channel",
    "origin",
    "paid_at",
)


def commands(view: CaseView) -> list[str]:
    """Each allowed act, as it is typed; in capitals what only the person knows."""
    case = view.case
    number = view.family.head.chfid if view.family else "CHFID"
    typed = {
        Act.MATCH: [f"match --family {number}"],
        Act.HOLD: ["hold" if view.bill and view.family else f"hold --family {number}"],
        Act.REFUND: ["refund --reference TEXT"],
        Act.REJECT: ["reject --reason TEXT"],
        Act.CLOSE: ["close --note TEXT"],
    }
    typed[Act.MATCH] += [f"match --policy {p.id}" for p in view.policies if p.status == PolicyStatus.IDLE]
    allowed = acts_for(case.kind, case.state, case.amount)
    return [f"imis-gateway cases settle {case.id} {words}" for act in allowed for words in typed[act]]


def _money_lines(money: CaseMoney | None) -> list[str]:
    if money is None:
        return []
    report = money.report
    said = {name: str(getattr(report, name) or "") for name in _REPORTED if name not in ("payer_msisdn", "payer_name")}
    said["paid_at"] = f"{eat(report.paid_at):%Y-%m-%d %H:%M} EAT"
    payer = " ".join(filter(None, (report.payer_msisdn, report.payer_name)))
    return [
        "report    " + ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in said.items() if value),
        f"payer     {_plain(payer or 'unknown')}",
    ]


def _bill_lines(bill: Bill | None) -> list[str]:
    if bill is None:
        return []
    said = f"bill      {bill.id}: {_money(bill.amount)} for {_plain(bill.product_code)}, family {_plain(bill.chfid)}"
    return [f"{said}, {bill.state}", f"          {BILL_SENTENCES[bill.state][1]}"]


def _family_lines(view: CaseView) -> list[str]:
    if view.family is None:
        return []
    lines = [f"family    {_plain(view.family.head.chfid)} {_plain(_name(view.family))}"]
    for policy in view.policies:
        days = f"{policy.start_date} to {policy.expiry_date or '?'}"
        paid = f"{policy.paid} of {_money(policy.value)} paid"
        lines.append(f"          policy {policy.id}: {_policy(policy)['status']}, {days}, {paid}")
    return lines


def _other_details(view: CaseView) -> dict[str, Any]:
    """What no other line says."""
    said = (
        {"excess_minor", "paid_at", "reference", "receipt", "control_number", "provider_code", "billed_minor"}
        if view.money
        else set()
    )
    return {name: value for name, value in view.case.details.items() if name not in said and value is not None}


def _policy(policy: Policy) -> dict[str, Any]:
    status = policy.status
    return {
        "id": policy.id,
        "status": PolicyStatus(status).name.lower() if status in tuple(PolicyStatus) else str(status),
        "start": str(policy.start_date),
        "expiry": str(policy.expiry_date or ""),
        "value_minor": policy.value.amount_minor,
        "paid_minor": policy.paid.amount_minor,
    }


def _name(family: Family) -> str:
    return f"{family.head.other_names} {family.head.last_name}".strip()


def _facts(row: Mapping[str, Any]) -> str:
    return "".join(f" {name}={_plain(value)}" for name, value in row["details"].items())


def _money(amount: Money | None) -> str:
    return f"{amount.currency} {amount}" if amount is not None else "-"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _plain(value: Any) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
