"""The report of a day as a table, as CSV and as JSON; written a difference at a time, however many there are.

It holds references, control numbers and amounts, never a name or a phone. It says nothing of when it was made: the same
statements and the same holdings make the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from gateway.domain.money import Money
from gateway.domain.reconcile import BECAME, GOOD, SENTENCES, Difference, Kind

Report = Mapping[str, Any]
Write = Callable[[str], Any]
FORMATS = ("table", "csv", "json")
_NAMES = {
    Kind.MATCHED: "matched",
    Kind.OTHER_REFERENCE: "matched by receipt",
    Kind.MISSING_HERE: "missing here",
    Kind.MISSING_THERE: "missing there",
    Kind.DIFFERENT_AMOUNT: "different amount",
    Kind.TWICE: "twice",
    Kind.UNKNOWN_BILL: "unknown bill",
    Kind.CANCELLED_BUT_PAID: "cancelled but paid",
    Kind.WAITS: "not placed yet",
    Kind.UNREADABLE: "unreadable",
}
_FIELDS = (
    "kind",
    "line",
    "control_number",
    "reference",
    "currency",
    "provider_amount",
    "our_amount",
    "became",
    "code",
    "why",
)


async def write(format_: str, report: Report, differences: AsyncIterator[Difference], out: Write) -> None:
    """``format_``: one of FORMATS."""
    await {"table": _table, "csv": _csv, "json": _json}[format_](report, differences, out)


async def _table(report: Report, differences: AsyncIterator[Difference], out: Write) -> None:
    out(f"{report['provider']} {report['day']}{'':<18}{'lines':>12}  {'money':>24}\n")
    out(_figures("the provider lists", report["totals"]["provider"]))
    for kind in (kind for kind in Kind if kind != Kind.MISSING_THERE):
        out(_figures(f"  {_NAMES[kind]}", report["kinds"][kind]))
    out(_figures("we hold for the day", report["totals"]["ours"]))
    out(_figures(f"  {_NAMES[Kind.MISSING_THERE]}", report["kinds"][Kind.MISSING_THERE]))
    for statement in report["statements"]:
        code = f"{statement['code']}: " if statement["code"] else ""
        out(f"statement {code}{statement['lines']:,} lines, SHA-256 {statement['digest'][:16]}…\n")
    for code in report["unanswered"]:
        out(f"no statement for {_plain(code)}: what it would list is in none of these figures\n")
    told: Kind | None = None
    async for difference in differences:
        if difference.kind != told:
            told = difference.kind
            out(f"\n{_NAMES[told].upper()}: {SENTENCES[told]}\n")
        out(_row(difference))
    if report["pending"]:
        out(f"\n{report['pending']:,} lines are still being settled: run this once more\n")
    out("\nmatched to the shilling\n" if report["good"] else "\nnot matched\n")


def _figures(name: str, tally: Mapping[str, Any]) -> str:
    if not tally["count"] and name.startswith("  ") and name.strip() not in ("matched", "missing there"):
        return ""
    money = " + ".join(f"{c} {Money(m, c)}" for c, m in tally["minor"].items()) or "-"
    return f"{name:<32}{tally['count']:>12,}  {money:>24}\n"


def _row(difference: Difference) -> str:
    if difference.kind == Kind.UNREADABLE:
        return f"  line {difference.line}: {_plain(difference.why)}\n"
    sides = []
    if difference.amount is not None:
        sides.append(f"{difference.amount.currency} {difference.amount}")
    if difference.held is not None and difference.held != difference.amount:
        sides.append(f"ours {difference.held.currency} {difference.held}")
    became = BECAME[difference.became] + (f" ({difference.code})" if difference.code else "")
    why = f"; {_plain(difference.why)}" if difference.why else ""
    where = f"line {difference.line}" if difference.line is not None else "-"
    number, reference = _plain(difference.control_number), _plain(difference.reference)
    return f"  {where:<13} {number:<14} {reference:<20} {', '.join(sides):>18}  {became}{why}\n"


async def _csv(report: Report, differences: AsyncIterator[Difference], out: Write) -> None:
    """The differences, one a row; the day's figures are rows whose kind begins with ``total``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")

    def put(*cells: Any) -> None:
        writer.writerow(cells)
        out(text.getvalue())
        text.seek(0)
        text.truncate()

    put(*_FIELDS)
    async for d in differences:
        money = d.amount or d.held
        put(
            d.kind.value,
            d.line if d.line is not None else "",
            d.control_number,
            d.reference,
            money.currency if money else "",
            d.amount.to_decimal() if d.amount is not None else "",
            d.held.to_decimal() if d.held is not None else "",
            d.became.value,
            d.code or "",
            d.why,
        )
    totals = {"total provider": report["totals"]["provider"], "total ours": report["totals"]["ours"]}
    totals |= {f"total {kind}": report["kinds"][kind] for kind in Kind}
    for name, tally in totals.items():
        for currency, minor in tally["minor"].items() or (("", 0),):
            amount = Money(minor, currency).to_decimal()
            sides = ("", amount) if name in ("total ours", "total missing_there") else (amount, "")
            put(name, tally["count"], "", "", currency, *sides, "", "", "")


async def _json(report: Report, differences: AsyncIterator[Difference], out: Write) -> None:
    """Amounts as integers of minor units, as everywhere inside."""
    head = json.dumps({**report, "sentences": {k.value: SENTENCES[k] for k in Kind if k not in GOOD}}, indent=1)
    out(head.removesuffix("\n}") + ',\n "differences": [')
    first = True
    async for d in differences:
        out(("" if first else ",") + "\n  " + json.dumps(_as_json(d), ensure_ascii=False))
        first = False
    out("]\n}\n" if first else "\n ]\n}\n")


def _as_json(d: Difference) -> dict[str, Any]:
    return {
        "kind": d.kind.value,
        "became": d.became.value,
        "code": d.code,
        "line": d.line,
        "control_number": d.control_number,
        "reference": d.reference,
        "amount_minor": d.amount.amount_minor if d.amount is not None else None,
        "currency": d.amount.currency if d.amount is not None else None,
        "held_minor": d.held.amount_minor if d.held is not None else None,
        "held_currency": d.held.currency if d.held is not None else None,
        "why": d.why,
    }


def _plain(value: Any) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
