"""The words of ``imis-gateway replay``: what is understood, and what is shown. Neither names nor phones are."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.domain.cases import CaseState
from gateway.domain.clock import EAT
from gateway.domain.payments import EntryState, PaymentReport

if TYPE_CHECKING:  # a quarter of the start of every other command
    from gateway.ports import Entry
    from gateway.service.replay import Replayed, ReplayedEntry

MOST = 100_000  # messages of one run
_ID = re.compile(r"[0-9A-Za-z-]{1,40}")


def arguments_of(parser: argparse.ArgumentParser) -> None:
    """``replay``."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("inbox", nargs="?", type=_id, metavar="ID", help="the inbox id, as the logs and cases name it")
    which.add_argument(
        "--refused-since",
        type=_time,
        metavar="TIME",
        help="every message that was refused since then and has not been taken up; East African time",
    )
    parser.add_argument("--most", type=_most, default=10_000, metavar="N", help="messages to look at (10,000)")
    parser.add_argument("--by", type=_by, metavar="NAME", help="who asks; else the system's user")


def _id(text: str) -> str:
    if _ID.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"not an inbox id: {text!r}")
    return text


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time like 2026-11-26T08:00: {text!r}") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=EAT)


def _most(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 0 < int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"a number up to {MOST:,}, please")
    return int(text)


def _by(text: str) -> str:
    if not text.strip() or len(text) > 60 or not text.isprintable():
        raise argparse.ArgumentTypeError("one line of 1 to 60 characters, please")
    return text.strip()


def shown(message: Replayed) -> list[str]:
    """The message, then a line for each of its entries."""
    kept = message.evidence
    head = f"{kept.id}  {kept.provider}/{kept.route}  {kept.received_at.astimezone(EAT):%Y-%m-%d %H:%M:%S}"
    said = f"kept as {kept.verdict}, {message.verdict} today" + (f": {message.why}" if message.why else "")
    added = f"; {message.added} taken up" if message.added else ""
    return [f"{head}  {said}{added}", *(_entry(each) for each in message.entries)]


def _entry(each: ReplayedEntry) -> str:
    state = "not settled yet" if each.entry.state == EntryState.NEW else str(each.entry.state)
    failed = f", failed with {each.failed}; it is tried again" if each.failed else ""
    cases = "".join(
        f", case {case.id} ({case.code}{'' if case.state == CaseState.OPEN else f', {case.state}'})"
        for case in each.cases
    )
    return f"  {each.entry.line:>4}  {_what(each.entry)}  {state}{failed}{cases}"


def _what(entry: Entry) -> str:
    notice = entry.notice
    if isinstance(notice, PaymentReport):
        return f"payment {notice.reference}/{notice.control_number} {notice.amount.currency} {notice.amount}"
    return f"{entry.kind.replace('_', ' ')} of bill {notice.bill_id}"


def summary(looked_at: int, taken_up: int, refused: int, unfinished: int, most: int) -> str:
    """What a run over many messages came to."""
    more = f"; stopped at {most:,}: run it again with a later time or a larger --most" if looked_at >= most else ""
    return (
        f"{looked_at:,} looked at: {taken_up:,} taken up, {refused:,} still refused;"
        f" {unfinished:,} of those taken up need a person or another try{more}"
    )
