"""The words of ``imis-gateway purge``: what is past its time, what was taken away, and the schedule as a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from gateway.domain.retention import RULES, Period, Rule

MOST = 1_000_000  # keys of one run


def arguments(parser: argparse.ArgumentParser) -> None:
    """``purge``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--do", action="store_true", help="take it away; without this nothing is changed")
    which.add_argument("--schedule", action="store_true", help="print what is kept, how long and why; asks no database")
    parser.add_argument("--most", type=_most, default=MOST, metavar="N", help=f"stop after so many rows ({MOST:,})")


def _most(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError("a number from 1 to 999,999,999, please")
    return int(text)


def told(rows: Mapping[str, int], days: Mapping[str, int], last: str) -> list[str]:
    """A line for each rule that takes away, then the sum."""
    lines = []
    for rule in RULES:
        if rule.period is not None:
            lines.append(f"{rule.table:<20} {rule.name:<18} {days[rule.period]:>6,} days {rows[rule.name]:>12,}")
    return [*lines, f"{sum(rows.values()):,} {last}"]


def schedule(days: Mapping[str, int]) -> list[str]:
    """The retention table in Markdown."""
    head = ["| table | holds | personal columns | what happens | after | why |", "|---|---|---|---|---|---|"]
    return head + [_row(rule, days) for rule in RULES]


def _row(rule: Rule, days: Mapping[str, int]) -> str:
    personal = ", ".join(f"`{name}`" for name in rule.personal) or "none"
    return f"| `{rule.table}` | {rule.holds} | {personal} | {rule.does} | {_after(rule, days)} | {rule.why} |"


def _after(rule: Rule, days: Mapping[str, int]) -> str:
    if rule.period is None:
        return ""
    count = days[rule.period]
    return f"{count:,} {'day' if count == 1 else 'days'} (`{variable(rule.period)}`) since {rule.since}"


def variable(period: Period) -> str:
    """The setting's name."""
    return f"GATEWAY_RETENTION__{period.upper()}"
