"""The words of ``imis-gateway reconcile``: what is understood, how far it is, and where the report goes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from gateway.cases_cli import name_of_user, one_line

if TYPE_CHECKING:  # a quarter of the start of every other command
    from collections.abc import Iterator

    from config.settings import Settings
    from gateway.app import Reconciling
    from gateway.domain.reconcile import Difference

GOOD, WRONG, USAGE = 0, 1, 2
_PAGE = 2_000
_FORMATS = ("table", "csv", "json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """``reconcile``."""
    parser.add_argument("day", type=_day, metavar="DAY", help="YYYY-MM-DD, an East African day that has passed")
    parser.add_argument("--file", type=Path, metavar="PATH", help="a statement that you have: signed, or CSV")
    parser.add_argument("--provider", type=one_line(30), metavar="NAME", help="whose day; of a CSV file: whose file")
    parser.add_argument(
        "--columns", type=_columns, metavar="OUR=THEIR,…", help="a CSV file's names for its columns, where not ours"
    )
    parser.add_argument("--wait", type=_seconds, default=600.0, metavar="SECONDS", help="for accounts and settlement")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--again", action="store_true", help="ask anew, though the accounts are here")
    asked.add_argument(
        "--show", action="store_true", help="the report as it was made last; nothing is asked or matched"
    )
    asked.add_argument("--close", action="store_true", help="take the day as it was reported last")
    parser.add_argument("--by", type=one_line(60), metavar="NAME", help="who brings the file or closes the day")
    parser.add_argument("--format", choices=_FORMATS, default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="there instead of the terminal")


def objection(options: argparse.Namespace, today: date) -> str | None:
    """What is wrong with the use, if anything."""
    if options.day >= today:
        return f"{options.day} has not passed yet in East Africa"
    if options.columns is not None and options.file is None:
        return "--columns is about a CSV --file"
    if options.file is not None and (options.again or options.show or options.close):
        return "--file goes with none of --again, --show and --close"
    if options.file is not None and not options.file.is_file():
        return f"there is no file {options.file}"
    return None


async def run(settings: Settings, options: argparse.Namespace) -> int:
    """Do it; the exit code."""
    from gateway import app
    from gateway.domain.clock import eat_day
    from gateway.service.clocks import SystemClock

    wrong = objection(options, eat_day(SystemClock().now()))
    if wrong is not None:
        sys.stderr.write(f"imis-gateway reconcile: {wrong}\n")
        return USAGE
    with _progress() as progress:
        async with app.reconciling(settings, progress) as tools:
            provider = options.provider or tools.provider.name
            report, missing = await _report(tools, provider, options)
            progress("", 0, 0)
            for code, why in missing.items():
                sys.stderr.write(f"REC-NO-STATEMENT: {code}: {why}\n")
            if report is None:
                return WRONG
            with _output(options.output) as out:
                await _write(tools, provider, options, report, out)
    return GOOD if report["good"] and not report["pending"] else WRONG


async def _report(
    tools: Reconciling, provider: str, options: argparse.Namespace
) -> tuple[Mapping[str, Any] | None, Mapping[str, str]]:
    """The day's report, and whose account did not come, and why."""
    from gateway.service.reconcile_day import DayRefusedError, Expected

    if options.close:
        return await tools.reconcile.close(provider, options.day, options.by or name_of_user()), {}
    if options.show:
        async with tools.database.reading() as tx:
            known = await tx.reconciliations.day(provider, options.day)
        if known is None or known.report is None:
            raise DayRefusedError(f"{options.day} was not reconciled yet")
        return known.report, {}
    missing: Mapping[str, str] = {}
    expected = Expected(None)
    if provider == tools.provider.name:
        expected = await tools.expected()
    if options.file is not None:
        await tools.take(options.by or name_of_user(), provider, options.file, options.day, options.columns)
    elif provider == tools.provider.name:
        missing = await tools.ask(options.day, expected.codes or (), options.wait, options.again)
        async with tools.database.reading() as tx:
            if missing and not await tx.reconciliations.statements(provider, options.day):
                return None, missing
    return await tools.reconcile(provider, options.day, expected, options.wait), missing


async def _write(
    tools: Reconciling, provider: str, options: argparse.Namespace, report: Mapping[str, Any], out: IO[str]
) -> None:
    from gateway import reconcile_report

    async with tools.database.reading() as tx:
        known = await tx.reconciliations.day(provider, options.day)
    assert known is not None

    async def differences() -> AsyncIterator[Difference]:
        after = 0
        while True:
            async with tools.database.reading() as tx:
                page = await tx.reconciliations.differences(known.id, after, _PAGE)
            for _, difference in page:
                yield difference
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    await reconcile_report.write(options.format, report, differences(), out.write)
    if known.closed_at is not None and options.format == "table":
        out.write(f"closed by {''.join(filter(str.isprintable, known.closed_by or ''))}\n")


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    """A file appears whole or not at all."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A line on a terminal that is written over; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    shown = 0

    def tell(stage: str, done: int, of: int) -> None:
        nonlocal shown
        text = f"{stage} {done * 100 // of}%" if of else f"{stage} {done:,}" if done else stage
        sys.stderr.write(f"\r{text:<{shown}}" + ("" if stage else "\r"))
        sys.stderr.flush()
        shown = len(text)

    yield tell
    tell("", 0, 0)


def _day(text: str) -> date:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"not a day as 2026-11-25: {text!r}")


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and int(text) <= 86_400):
        raise argparse.ArgumentTypeError(f"not seconds of a day: {text!r}")
    return float(text)


def _columns(text: str) -> dict[str, str]:
    named = [part.partition("=") for part in text.split(",")]
    if not all(ours.strip() and theirs.strip() for ours, _, theirs in named):
        raise argparse.ArgumentTypeError("as reference=Ref,control_number=Account,amount=Amount")
    return {ours.strip(): theirs.strip() for ours, _, theirs in named}
