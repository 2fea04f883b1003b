"""The command ``imis-gateway``. Exit codes: 0 good, 1 found something wrong, 2 wrong use."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.settings import Settings
from gateway import logs

GOOD, WRONG, USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, load the settings, run. A wrong setting stops the start with every error listed."""
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    logs.configure()
    try:
        settings = _settings(arguments)
    except ValidationError as wrong:
        print("\n".join(_faults(wrong)), file=sys.stderr)
        return USAGE
    except (ValueError, OSError) as wrong:  # the settings file, or a whole block that is no JSON
        print(f"settings: {wrong}", file=sys.stderr)
        return USAGE
    run: Callable[[Settings, argparse.Namespace], int] = arguments.run
    try:
        return run(settings, arguments)
    except Exception as failure:
        said = _sentence(failure)
        if said is None:
            raise
        print(f"imis-gateway: {said}", file=sys.stderr)
        return WRONG


def _faults(wrong: ValidationError) -> list[str]:
    """Each wrong setting by the name of its variable, without its value."""
    said: dict[str, None] = {}
    for error in wrong.errors(include_input=False, include_url=False):
        parts = [part for part in error["loc"] if isinstance(part, str) and part.replace("_", "").isalnum()]
        said[f"GATEWAY_{'__'.join(parts).upper()}: {error['msg']}"] = None
    return list(said)


def _sentence(failure: Exception) -> str | None:
    """What to tell the operator; None for a fault of ours, whose traceback is wanted."""
    if isinstance(failure, (ValueError, RuntimeError, OSError)):
        return str(failure)
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    if isinstance(failure, DBAPIError):  # the statement and the row stay unsaid
        return f"the database: {str(failure.orig).splitlines()[0]}"
    return f"the database: {failure}" if isinstance(failure, SQLAlchemyError) else None


def _settings(arguments: argparse.Namespace) -> Settings:
    """From environment and file, with the ports of the command line over both."""
    settings = Settings()
    changed: dict[str, Any] = {}
    for listener in ("public", "operator"):
        port = getattr(arguments, f"{listener}_port", None)
        if port is not None:
            changed[listener] = getattr(settings, listener).model_copy(update={"port": port})
    return settings.model_copy(update=changed) if changed else settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="imis-gateway", description="Between a basic phone and a national health-insurance store."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_: str, run: Callable[[Settings, argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_, description=help_)
        added.set_defaults(run=run)
        return added

    demo = command("demo", "gateway, worker and sandbox on this machine, seeded", _demo)
    demo.add_argument("--scaled", action="store_true", help="on PostgreSQL and Valkey, two serving, two working")
    _ports(demo)
    _ports(command("serve", "the public and operator listeners", _serve))
    _ports(command("work", "the effect loop", _work), public=False)
    _passed_on(commands, "sandbox", "the counterparties, played over real HTTP", "serve")
    _passed_on(commands, "dial", "a phone in the terminal, on a running demo", "dial")
    database = _group(commands, "db", "the database's schema")
    _leaf(database, "upgrade", "bring our tables to this build's schema", _db_upgrade)
    _leaf(database, "check", "compare the database with what this build needs; changes nothing", _db_check)
    cases = _group(commands, "cases", "what needs a person")
    _leaf(cases, "list", "open cases, oldest first", _cases_list)
    audit = _group(commands, "audit", "who did what")
    _leaf(audit, "verify", "check the hash chain", _audit_verify)
    config = _group(commands, "config", "the settings")
    _leaf(config, "check", "prove settings, keys and accounts", _config_check)
    menu = _group(commands, "menus", "the menu book")
    checked = _leaf(menu, "check", "check every screen and text", _menus_check)
    checked.add_argument("folder", nargs="?", type=Path, help="a folder of menus instead of those that ship")
    return parser


def _ports(parser: argparse.ArgumentParser, public: bool = True) -> None:
    if public:
        parser.add_argument("--public-port", type=_port, metavar="PORT")
    parser.add_argument("--operator-port", type=_port, metavar="PORT")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"not a port: {text!r}")
    return int(text)


def _group(commands: Any, name: str, help_: str) -> Any:
    parser = commands.add_parser(name, help=help_, description=help_)
    return parser.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND")


def _leaf(
    group: Any, name: str, help_: str, run: Callable[[Settings, argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group.add_parser(name, help=help_, description=help_)
    parser.set_defaults(run=run)
    return parser


def _passed_on(commands: Any, name: str, help_: str, sandbox_command: str) -> None:
    parser = commands.add_parser(name, help=help_, add_help=False, prefix_chars="\0")
    parser.add_argument("rest", nargs="*")
    parser.set_defaults(run=lambda _settings, arguments: _sandbox(sandbox_command, arguments.rest))


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


# ------------------------------------------------------------------------------------------------------------ commands


def _demo(settings: Settings, arguments: argparse.Namespace) -> int:
    from gateway import demo

    return int(_run(demo.run(settings, arguments.scaled)))


def _serve(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import app

    _run(app.serve(settings))
    return GOOD


def _work(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import app

    _run(app.work(settings))
    return GOOD


def _sandbox(command: str, rest: Sequence[str]) -> int:
    from sandbox.__main__ import main as sandbox_main

    return sandbox_main([command, *rest])


def _db_upgrade(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import app

    _run(app.upgrade_database(settings))
    print("the database is at this build's schema")
    return GOOD


def _db_check(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import app

    wrong, known = _run(app.check_database(settings))
    for sentence in (*wrong, *known):
        print(sentence)
    print(f"{len(wrong)} faults" if wrong else "the database has what this build needs")
    return WRONG if wrong else GOOD


def _with_database(settings: Settings, work: Callable[[Any], Awaitable[int]]) -> int:
    from gateway import app

    async def run() -> int:
        database = app.open_database(settings)
        try:
            await app.require_schema(database)
            return await work(database)
        finally:
            await database.close()

    return int(_run(run()))


def _cases_list(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway.domain.errors import CASE_CODES, ERRORS
    from gateway.domain.money import Money
    from gateway.domain.payments import CaseKind

    async def work(database: Any) -> int:
        async with database.reading() as tx:
            cases = await tx.cases.listed()
        for case in cases:
            error = ERRORS[CASE_CODES[CaseKind(case["kind"])]]
            amount = f"{case['currency']} {Money(case['amount_minor'])}" if case["amount_minor"] is not None else "-"
            opened = f"{case['opened_at']:%Y-%m-%d %H:%M}Z"
            print(f"{case['id']:>6}  {opened}  {error.code:<18} {amount:>16}  {case['subject']}")
            print(f"        {error.operator}")
        print(f"{len(cases)} open")
        return WRONG if cases else GOOD

    return _with_database(settings, work)


def _audit_verify(settings: Settings, _arguments: argparse.Namespace) -> int:
    async def work(database: Any) -> int:
        async with database.reading() as tx:
            breaks = await tx.audit.verify()
        for broken in breaks:
            print(broken)
        print("the chain holds" if not breaks else f"{len(breaks)} breaks")
        return WRONG if breaks else GOOD

    return _with_database(settings, work)


def _config_check(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import app

    wrong = 0
    for check in (app.payment_provider, app.open_sessions, app.open_database):
        try:
            check(settings)
        except Exception as failure:
            said = _sentence(failure)
            if said is None:
                raise
            wrong += 1
            print(said, file=sys.stderr)
    if wrong:
        return WRONG
    print("settings, keys and certificates can be read")
    return GOOD


def _menus_check(settings: Settings, arguments: argparse.Namespace) -> int:
    import menus
    from gateway.domain.ussd.book import BookError, load_book

    try:
        book = load_book(*menus.read(arguments.folder or settings.ussd.menus))
    except BookError as wrong:
        print("\n".join(wrong.faults))
        return WRONG
    print(f"{len(book.screens)} screens, {', '.join(language.name for language in book.languages.values())}: good")
    return GOOD
