"""The command ``imis-gateway``. Exit codes: 0 good, 1 found something wrong, 2 wrong use."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from pydantic import ValidationError

from config.settings import Settings
from gateway import cases_cli, ends_cli, logs, menus_cli, purge_cli, reconcile_cli, replay_cli

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
    cases_cli.list_arguments(_leaf(cases, "list", "open cases, oldest first", _cases_list))
    cases_cli.show_arguments(_leaf(cases, "show", "everything that is known of a case", _cases_show))
    cases_cli.settle_arguments(_leaf(cases, "settle", "do what a machine must not", _cases_settle))
    replay_cli.arguments_of(
        command("replay", "verify and settle a kept message again; what is settled stays so", _replay)
    )
    reconcile_cli.arguments(command("reconcile", "a day, matched with what the provider lists", _reconcile))
    bills = _group(commands, "bills", "what was billed")
    _leaf(bills, "legacy", "open bills of the payment service before us, still to be paid", _bills_legacy)
    _leaf(bills, "pool", "ready control numbers by product and state", _bills_pool)
    purge_cli.arguments(
        command("purge", "take away personal data that is past its time; tells what, changes nothing", _purge)
    )
    audit = _group(commands, "audit", "who did what")
    _leaf(audit, "verify", "check the hash chain", _audit_verify)
    config = _group(commands, "config", "the settings")
    proved = _leaf(config, "check", "prove settings, keys and certificates", _config_check)
    proved.add_argument("--online", action="store_true", help="ask the SMS account and the payment address too")
    menu = _group(commands, "menus", "the menu book")
    menus_cli.check_arguments(_leaf(menu, "check", "check every screen, text and way", menus_cli.check))
    menus_cli.draw_arguments(_leaf(menu, "draw", "each menu as Mermaid text and SVG", menus_cli.draw))
    _leaf(menu, "facts", "the facts, answers and effects that screens may name", menus_cli.facts)
    menus_cli.play_arguments(_leaf(menu, "play", "a phone in the terminal, on sample facts", menus_cli.play))
    ends_cli.arguments(_leaf(menu, "ends", "where conversations end, menu by menu", _menus_ends))
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


def _with_registry(settings: Settings, work: Callable[[Any], Awaitable[int]]) -> int:
    """With openIMIS' own tables too, as this installation has them."""
    from gateway import app

    async def run() -> int:
        database = await app.open_fitted_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return int(_run(run()))


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


def _cases_list(settings: Settings, arguments: argparse.Namespace) -> int:
    from gateway.domain.cases import CaseState
    from gateway.service.clocks import SystemClock
    from gateway.service.settle_case import KnownCase

    async def work(database: Any) -> int:
        states = cases_cli.states_of(arguments)
        async with database.reading() as tx:
            cases = [KnownCase.of(row) for row in await tx.cases.listed(cases_cli.MOST, states)]
        now = SystemClock().now()
        is_open = [case.state == CaseState.OPEN for case in cases]
        if arguments.json:
            print(cases_cli.dumped([cases_cli.as_json(case, now) for case in cases]))
        else:
            for case in cases:
                print("\n".join(cases_cli.in_list(case, now)))
            more = f"; the oldest {cases_cli.MOST}, there are more" if len(cases) == cases_cli.MOST else ""
            print((f"{len(cases)} held" if arguments.held else f"{sum(is_open)} open") + more)
        return WRONG if any(is_open) else GOOD

    return _with_database(settings, work)


def _cases_show(settings: Settings, arguments: argparse.Namespace) -> int:
    from gateway.service.clocks import SystemClock

    async def work(database: Any) -> int:
        async with database.reading() as tx:
            view = await cases_cli.look_at(tx, arguments.case)
        if view is None:
            raise ValueError(f"there is no case {arguments.case}")
        now = SystemClock().now()
        print(
            cases_cli.dumped(cases_cli.shown_as_json(view, now))
            if arguments.json
            else "\n".join(cases_cli.shown(view, now))
        )
        return GOOD

    return _with_registry(settings, work)


def _cases_settle(settings: Settings, arguments: argparse.Namespace) -> int:
    import menus
    from gateway import app
    from gateway.domain.ussd.book import load_book
    from gateway.service.clocks import SystemClock
    from gateway.service.messages import Messages
    from gateway.service.settle_case import SettleCase

    async def work(database: Any) -> int:
        messages = Messages(load_book(*menus.read(settings.ussd.menus)))
        settle = SettleCase(database, messages, SystemClock(), app.provider_codes(settings))
        done = await settle(arguments.case, decision)
        print(f"case {arguments.case}: {done}")
        return GOOD

    decision = cases_cli.decision_of(arguments)
    return _with_registry(settings, work)


def _replay(settings: Settings, arguments: argparse.Namespace) -> int:
    import menus
    from gateway import app
    from gateway.domain.ussd.book import load_book
    from gateway.service.clocks import SystemClock
    from gateway.service.messages import Messages
    from gateway.service.replay import Replay
    from gateway.service.settle_entries import SettleEntries

    provider, by = app.payment_provider(settings), arguments.by or cases_cli.name_of_user()

    async def work(database: Any) -> int:
        clock, messages = SystemClock(), Messages(load_book(*menus.read(settings.ussd.menus)))
        settle = SettleEntries(database, messages, clock, app.provider_codes(settings))
        replay = Replay(database, {provider.name: provider}, settle, clock, by)
        if arguments.inbox is not None:
            message = await replay(arguments.inbox)
            print("\n".join(replay_cli.shown(message)))
            return GOOD if message.is_at_rest else WRONG
        return await _replay_refused(replay, arguments)

    return _with_registry(settings, work)


async def _replay_refused(replay: Any, arguments: argparse.Namespace) -> int:
    """Those still refused are forgeries, as far as anyone knows: seen, and nothing wrong with that."""
    looked_at = taken_up = refused = unfinished = 0
    async for message in replay.refused_since(arguments.refused_since, arguments.most):
        looked_at += 1
        if message.verdict == "genuine":
            taken_up += 1
            unfinished += not message.is_at_rest
            print("\n".join(replay_cli.shown(message)))
        else:
            refused += 1
        if sys.stderr.isatty() and looked_at % 100 == 0:
            print(f"\r{looked_at:,} looked at", end="", file=sys.stderr, flush=True)
    print(replay_cli.summary(looked_at, taken_up, refused, unfinished, arguments.most))
    return WRONG if unfinished or looked_at >= arguments.most else GOOD


def _reconcile(settings: Settings, arguments: argparse.Namespace) -> int:
    return int(_run(reconcile_cli.run(settings, arguments)))


def _bills_legacy(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway.domain.money import Money

    async def work(database: Any) -> int:
        last, count, total = 0, 0, 0
        while True:
            async with database.reading() as tx:
                page = await tx.registry.open_legacy_bills(last, 500)
            for bill in page:
                asked = f"{bill.requested_at:%Y-%m-%d}" if bill.requested_at else "-"
                family = bill.chfid or "pool"
                print(f"{bill.payment_id:>10}  {bill.control_number:<14} {bill.expected!s:>12}  {asked}  {family}")
                count, total = count + 1, total + bill.expected.amount_minor
            if len(page) < 500:
                break
            last = page[-1].payment_id
        print(f"{count} open, TZS {Money(total)}")
        return GOOD

    return _with_registry(settings, work)


def _bills_pool(settings: Settings, _arguments: argparse.Namespace) -> int:
    from gateway import pool_cli

    async def work(database: Any) -> int:
        async with database.reading() as tx:
            print("\n".join(pool_cli.listed(await tx.pool.counts())))
        return GOOD

    return _with_database(settings, work)


def _purge(settings: Settings, options: argparse.Namespace) -> int:
    days = settings.retention.model_dump()
    if options.schedule:
        print("\n".join(purge_cli.schedule(days)))
        return GOOD
    if options.do and settings.purge.database.url is None and not settings.database.url.startswith("sqlite"):
        print("GATEWAY_PURGE__DATABASE__URL is not set: the application may not take away evidence", file=sys.stderr)
        return USAGE

    async def work(purge: Any) -> int:
        if not options.do:
            print("\n".join(purge_cli.told(await purge.due(), days, "rows are past their time; nothing was changed")))
            return GOOD
        shown = _purge_progress if sys.stderr.isatty() else lambda *_: None
        purged = await purge(options.most, shown)
        left = "" if purged.complete else "; more is past its time: run it again"
        print("\n".join(purge_cli.told(purged.rows, days, f"rows were taken away{left}")))
        return GOOD if purged.complete else WRONG

    from gateway import app

    return int(_run(app.purge_with(settings, work)))


def _purge_progress(rule: str, rows: int) -> None:
    print(f"\r{rule}: {rows:,}", end="", file=sys.stderr, flush=True)


def _audit_verify(settings: Settings, _arguments: argparse.Namespace) -> int:
    async def work(database: Any) -> int:
        async with database.reading() as tx:
            breaks = await tx.audit.verify()
        for broken in breaks:
            print(broken)
        print("the chain holds" if not breaks else f"{len(breaks)} breaks")
        return WRONG if breaks else GOOD

    return _with_database(settings, work)


def _config_check(settings: Settings, arguments: argparse.Namespace) -> int:
    from gateway import app, open_files

    keys = app.prove_keys(settings)
    banks, doubtful = app.describe_banks(settings)
    channels, guessable = app.describe_channels(settings)
    wrong, said = list(keys.faults), [*keys.facts, *banks, *channels]
    # with bad key files the provider would only say again what was just said of them
    for check in (*(() if wrong else (app.payment_provider,)), app.open_sessions, app.open_database):
        try:
            check(settings)
        except Exception as failure:
            sentence = _sentence(failure)
            if sentence is None:
                raise
            wrong.append(sentence)
    if arguments.online:
        refused, answered = app.ask_accounts(settings)
        wrong += refused
        said += answered
    for sentence in wrong or said:  # what is good would hide what is wrong
        print(sentence, file=sys.stderr if wrong else sys.stdout)
    for sentence in (
        *keys.warnings,
        *doubtful,
        *guessable,
        *open_files.misgivings(settings),
        *menus_cli.misfits(settings),
    ):
        print(f"warning: {sentence}")
    if wrong:
        return WRONG
    print("settings, keys and certificates are good")
    return GOOD


def _menus_ends(settings: Settings, options: argparse.Namespace) -> int:
    async def work(database: Any) -> int:
        written = await ends_cli.report(database, settings, options)
        print(written.text, file=sys.stderr if written.wrong_use else sys.stdout)
        return USAGE if written.wrong_use else GOOD

    return _with_database(settings, work)
