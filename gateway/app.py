"""The composition root: the only place that sees adapters, settings and menus together."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from aiohttp import web

import menus
from adapters.payments.bank import BankBiller, BankProvider, BankStatements
from adapters.payments.bank import BankSettings as Bank
from adapters.payments.csv_statement import CsvStatement
from adapters.payments.gepg import GepgProvider, GepgSettings, KeyFileError, load_peer_key, load_private_key
from adapters.payments.gepg.prove import KeyFiles, Proof, prove
from adapters.registry.openimis import (
    EMBEDDED,
    Installation,
    OpenImisRegistry,
    Survey,
    advice,
    create_registry,
    described,
    faults,
    fitted,
    survey,
)
from adapters.registry.openimis.demo import DemoPhone, load_demo
from adapters.sessions.memory import MemorySessions
from adapters.sms.africastalking import AfricasTalkingSms
from config.settings import ServingSettings, Settings
from gateway import open_files
from gateway.domain.breaker import BreakerRule
from gateway.domain.clock import eat_day
from gateway.domain.pool import PoolMarks
from gateway.domain.ussd.book import Book, load_book
from gateway.domain.ussd.frame import Frame
from gateway.http_client import AiohttpClient
from gateway.ports import (
    ChannelProfile,
    SessionStore,
    Statement,
    StatementLines,
    StatementProvider,
    StatementReceiver,
)
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.service.accept_statement import AcceptStatement, reading_of
from gateway.service.answer_biller import AnswerBiller
from gateway.service.answer_by_sms import AnswerPromises, Promises
from gateway.service.answer_ussd import AnswerUssd, Budget
from gateway.service.ask_statements import AskStatements
from gateway.service.bounded import Bounded
from gateway.service.breakers import Breakers
from gateway.service.clocks import SystemClock
from gateway.service.daily_reconciliation import DailyPlan, DailyReconciliation, WatchClosedDays
from gateway.service.expire_bills import ExpireBills
from gateway.service.fill_pool import FillPool, PoolPolicy
from gateway.service.follow_policies import FollowPolicies
from gateway.service.index_officers import IndexOfficers
from gateway.service.index_phones import IndexPhones
from gateway.service.messages import Messages
from gateway.service.number_watch import NumberWatch
from gateway.service.purge import Purge, WatchPurge
from gateway.service.reconcile_day import Expected, ReconcileDay
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.run_effects import ChannelLimits, RunEffects
from gateway.service.screen_counts import ForgetScreenCounts, KeepScreenCounts, ScreenTally
from gateway.service.settle_entries import SettleEntries
from gateway.service.stage_statement import Progress, StageStatement
from gateway.service.statement_files import StatementFolder
from gateway.service.sweep_bills import SilencePolicy, SweepBills
from gateway.service.take_file import TakeFile
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import schema
from gateway.store.database import Database
from gateway.web import listeners
from gateway.web.billers import BillerMount, BillerRoutes
from gateway.web.health import Health
from gateway.web.listeners import operator_app, public_app
from gateway.web.networks import Network
from gateway.web.payments import PaymentRoutes
from gateway.web.statements import StatementRoutes
from gateway.web.ussd import Mount, UssdRoutes
from gateway.worker import Pace, Worker

log = structlog.get_logger()
SCHEMA_BEHIND = "the gateway's own tables are not at this build's schema; run: imis-gateway db upgrade"
SHUTDOWN_S = 5.0  # for requests in flight
CONNECT_S = 5.0  # config check's patience with a provider's address
EMBEDDED_POLL_S = 0.5
_BY_COLUMNS = "columns"  # how a file is read: as CSV with named columns
ANSWER_TIMEOUT_S, ANSWER_FIRST_WAIT_S, ANSWER_LONGEST_WAIT_S = 5.0, 1.0, 30.0  # of promised answers
SHORT_SECRET = 16  # characters
EXPIRE_EVERY_S = 60.0
DAYS_EVERY_S = 60.0  # looks at the clock, at most
FORGET_EVERY_S = 3_600.0
PURGE_WATCH_EVERY_S = 3_600.0


class NotReadyError(RuntimeError):
    """The process cannot start; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Core:
    """What every process of the gateway is made of."""

    settings: Settings
    database: Database
    book: Book
    messages: Messages
    payments: GepgProvider
    clock: SystemClock


def open_database(settings: Settings, installation: Installation = EMBEDDED) -> Database:
    """The unit of work over the configured database, whose registry has the shape of ``installation``."""
    registry = partial(OpenImisRegistry, installation=installation, audit_user_id=settings.database.audit_user_id)
    return Database(settings.database.url, registry, settings.database.pool_size)


async def survey_registry(settings: Settings) -> Survey:
    """What the configured database reports of the registry's tables. Reads its catalogue only."""
    database = open_database(settings)
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(survey)
    finally:
        await database.close()


async def open_fitted_database(settings: Settings) -> Database:
    """The unit of work, fitted to the installation. Raises NotReadyError with everything that is in the way."""
    found = await survey_registry(settings)
    wrong = faults(found)
    if wrong:
        wrong.insert(
            0, "REG-SHAPE: this is no openIMIS database that this build can work with (imis-gateway db check):"
        )
    database = open_database(settings, EMBEDDED if wrong else Installation.over(fitted(found)))
    try:
        if not await schema.is_current(database.engine):
            wrong.append(f"REG-SCHEMA: {SCHEMA_BEHIND}")
        if wrong:
            raise NotReadyError("\n".join(wrong))
    except BaseException:
        await database.close()
        raise
    return database


async def check_database(settings: Settings) -> tuple[list[str], list[str]]:
    """What is wrong with the configured database, and what is worth knowing of it. Changes nothing."""
    found = await survey_registry(settings)
    database = open_database(settings)
    try:
        ours = [SCHEMA_BEHIND]
        if await schema.is_current(database.engine):
            gone = await schema.missing_tables(database.engine)
            ours = [f"The gateway's own table {name} is missing." for name in gone]
    finally:
        await database.close()
    wrong = faults(found)
    return [*wrong, *ours], [*([] if wrong else described(found)), *advice(found)]


def open_sessions(settings: Settings) -> SessionStore:
    """The configured session store. Raises ValueError for an address that no store answers to."""
    url = settings.sessions.url
    if url.startswith("memory://"):
        return MemorySessions()
    if url.startswith(("redis://", "rediss://", "unix://")):
        from adapters.sessions.valkey import ValkeySessions  # a tenth of the start-up, for those who use it

        return ValkeySessions(url)
    raise ValueError(f"sessions.url: neither memory:// nor redis://: {url.split(':')[0]}")


def payment_provider(settings: Settings) -> GepgProvider:
    """The payment provider with its keys. Raises ValueError with a sentence for every key file that is wrong."""
    gepg = settings.gepg
    files = _key_files(settings)
    wrong, private_key, peers = [], None, []
    try:
        private_key = load_private_key(files.private_key, files.private_key_password)
    except KeyFileError as error:
        wrong.append(str(error))
    for path in files.peers:
        try:
            peers.append(load_peer_key(path, files.peers_password))
        except KeyFileError as error:
            wrong.append(str(error))
    if private_key is None or wrong:
        raise KeyFileError("\n".join(wrong))
    return GepgProvider(
        GepgSettings(
            url=gepg.url,
            sp_code=gepg.sp_code,
            system_code=gepg.system_code,
            sub_sp_code=gepg.sub_sp_code,
            gfs_code=gepg.gfs_code,
            coll_cent_code=gepg.collection_centre,
            payer_email=gepg.payer_email,
            payer_phone=gepg.payer_phone or None,
            generated_by=gepg.generated_by,
            approved_by=gepg.approved_by,
            version=gepg.version,
            versions=gepg.versions,
            private_key=private_key,
            peer_certificates=tuple(peers),
        )
    )


def provider_codes(settings: Settings) -> Collection[str]:
    """The service provider codes of the settings; those of the products are in the registry."""
    return settings.gepg.codes


def prove_keys(settings: Settings) -> Proof:
    """What the configured key files can do, proved by doing it. Never raises for a bad file: it is a sentence."""
    return prove(_key_files(settings), SystemClock().now())


def _key_files(settings: Settings) -> KeyFiles:
    gepg = settings.gepg
    key, peers = gepg.private_key_password, gepg.peer_certificates_password
    return KeyFiles(
        private_key=gepg.private_key,
        private_key_password=key.get_secret_value() if key else None,
        certificate=gepg.certificate,
        peers=gepg.peer_certificates,
        peers_password=peers.get_secret_value() if peers else None,
    )


def describe_banks(settings: Settings) -> tuple[list[str], list[str]]:
    """What is worth knowing of the banks, and what is worth mending. What is wrong stops the start already."""
    said, warned = [], []
    for name, bank in settings.bank.items():
        who = _whence(bank.allowed_networks)
        said.append(f"Bank {name}: keys {', '.join(bank.keys)}; may call {who}; receipts begin with {name.upper()}-.")
        if len(bank.keys) == 2:
            warned.append(f"Bank {name} has two keys: take the old one away once the bank signs with the new one.")
        if len(bank.secret.get_secret_value()) < SHORT_SECRET:
            warned.append(f"Bank {name}: the secret of its address has fewer than {SHORT_SECRET} characters.")
    return said, warned


def describe_channels(settings: Settings) -> tuple[list[str], list[str]]:
    """What is worth knowing of the USSD channels that are on, and what is worth mending."""
    said, warned = [], []
    by_secret: dict[str, list[str]] = {}
    for name, _, block in settings.ussd_channels():
        said.append(
            f"USSD channel {name}: {block.max_units} {block.counted}; may call {_whence(block.allowed_networks)}."
        )
        secret = block.secret.get_secret_value()
        by_secret.setdefault(secret, []).append(name)
        if len(secret) < SHORT_SECRET:
            warned.append(
                f"USSD channel {name}: the secret of its address has fewer than {SHORT_SECRET} characters; "
                "an empty one closes the channel."
            )
    for names in by_secret.values():
        if len(names) > 1:
            warned.append(
                f"USSD channels {', '.join(names)} share one secret: who calls one of them can call the others."
            )
    return said, warned


def _whence(networks: Sequence[Network]) -> str:
    return f"from {', '.join(map(str, networks))}" if networks else "from any address"


def ask_accounts(settings: Settings) -> tuple[list[str], list[str]]:
    """What is wrong with the providers as they answer now, and what they said. Blocks; sends and bills nothing."""
    answers = [ask(settings) for ask in (_ask_sms_account, _ask_payment_address)]
    return [told for good, told in answers if not good], [told for good, told in answers if good]


def _ask_sms_account(settings: Settings) -> tuple[bool, str]:
    """The SMS account's balance, by the official SDK. First: whether it is good."""
    from africastalking.Application import ApplicationService  # half a second, for those who ask
    from africastalking.Service import AfricasTalkingException

    at = settings.africastalking
    api_key = at.api_key.get_secret_value()
    account = f"Africa's Talking, account {at.username}"
    service = ApplicationService(at.username, api_key)
    base, messaging, _ = at.sms_url.rpartition("/messaging")
    if messaging:
        service._baseUrl = base  # where the messages go; by itself the SDK knows its two public addresses only
    try:
        reply = service.fetch_application_data()
    except AfricasTalkingException as error:  # the provider's own words
        words = str(error).replace(api_key, "…") if api_key else "no API key is set"
        line = "".join(filter(str.isprintable, " ".join(words.split())[:120]))
        return False, f"{account}, refuses us: {line or 'without a word'}"
    except (OSError, ValueError) as error:  # unsaid: such an error's text may quote a header, hence the key
        return False, f"{account}, cannot be asked: {type(error).__name__}."
    try:
        reply = json.loads(reply) if isinstance(reply, str) else reply  # the SDK parses no reply that names a charset
        balance = reply["UserData"]["balance"]
    except (ValueError, KeyError, TypeError):
        return False, f"{account}, answers, but not with a balance."
    return True, f"{account}: it knows us; balance {''.join(filter(str.isprintable, str(balance)[:40]))}."


def _ask_payment_address(settings: Settings) -> tuple[bool, str]:
    """Whether somebody listens where bills are sent to. First: whether it is good."""
    try:
        url = urlsplit(settings.gepg.url)
        host, port = url.hostname, url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        host, port = None, 0
    if not host:
        return False, "GATEWAY_GEPG__URL is no address with a host."
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one
        why = getattr(error, "strerror", None) or type(error).__name__
        return False, f"GePG at {host}:{port} accepts no connection: {why}."
    return True, f"GePG at {host}:{port} accepts a connection."


@asynccontextmanager
async def core(settings: Settings) -> AsyncIterator[Core]:
    """Open what a process needs; refuse to start on a database that is not at this build's schema."""
    async with AsyncExitStack() as stack:
        book = load_book(*menus.read(settings.ussd.menus))
        payments = payment_provider(settings)
        database = await open_fitted_database(settings)
        stack.push_async_callback(database.close)
        yield Core(settings, database, book, Messages(book), payments, SystemClock())


async def require_schema(database: Database) -> None:
    """Raises NotReadyError on a database that was not upgraded."""
    if not await schema.is_current(database.engine):
        raise NotReadyError(f"REG-SCHEMA: {SCHEMA_BEHIND}")


async def prepare_demo(settings: Settings) -> list[DemoPhone]:
    """Our tables, openIMIS' tables and its demo families, on a database that may hold them already."""
    database = open_database(settings)
    clock = SystemClock()
    try:
        await schema.upgrade(database.engine, None)
        async with database.engine.begin() as connection:
            await create_registry(connection)
            phones = await load_demo(connection, eat_day(clock.now()))
        if settings.database.app_role:
            await schema.upgrade(database.engine, settings.database.app_role)
        await IndexPhones(database, clock)()
        await IndexOfficers(database, clock)()
    finally:
        await database.close()
    return phones


async def upgrade_database(settings: Settings) -> None:
    """Bring our tables to this build's schema and grant the application's role, if one is named."""
    database = open_database(settings)
    try:
        await schema.upgrade(database.engine, settings.database.app_role, settings.database.purge_role)
    finally:
        await database.close()


async def purge_with(settings: Settings, work: Callable[[Purge], Awaitable[int]]) -> int:
    """``work`` with what purges, as the purging role where one is set."""
    url = settings.purge.database.url or settings.database.url
    own = settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
    database = open_database(own)
    try:
        await require_schema(database)
        days = settings.retention.model_dump()
        return await work(Purge(database, SystemClock(), days, _statement_folder(settings)))
    finally:
        await database.close()


# ------------------------------------------------------------------------------------------------------------ processes


async def serve(settings: Settings, on_ready: Callable[[], None] = lambda: None) -> None:
    """The public and the operator listener; on the embedded database the worker too. Until SIGTERM or SIGINT."""
    async with core(settings) as parts, AsyncExitStack() as stack:
        sessions = open_sessions(settings)
        stack.push_async_callback(sessions.close)
        worker = await _worker(parts, stack) if parts.database.embedded else None
        wake = worker.wake if worker else lambda: None
        health = Health({"database": parts.database.ping, "sessions": sessions.ping})
        folder = _statement_folder(settings)
        folder.sweep(parts.clock.now().timestamp())
        accept = AcceptCallback(parts.database, parts.clock, _forgery_quota(settings))
        tally = _screen_tally(parts, stack)
        statements = StatementRoutes(
            AcceptStatement(parts.database, parts.clock, folder, _forgery_quota(settings)),
            [parts.payments],
            folder,
            settings.reconciliation.at_once,
            settings.gepg.allowed_networks,
        )
        public = public_app(
            health,
            _ussd_routes(parts, sessions, stack, wake, tally),
            PaymentRoutes(
                accept, [parts.payments], settings.callback_bytes, wake, networks=settings.gepg.allowed_networks
            ),
            statements,
            _bank_routes(parts, accept, statements, wake),
        )
        open_files.allow(open_files.wanted(settings))
        await _listen(stack, public, "public", settings.public)
        await _listen(stack, operator_app(health), "operator", settings.operator)
        await _until_told(on_ready, worker)


def _forgery_quota(settings: Settings) -> ForgeryQuota:
    return ForgeryQuota(settings.refused_an_hour, settings.refused_bytes_an_hour)


async def work(settings: Settings, on_ready: Callable[[], None] = lambda: None) -> None:
    """The effect loop with an operator listener of its own. Until SIGTERM or SIGINT."""
    async with core(settings) as parts, AsyncExitStack() as stack:
        worker = await _worker(parts, stack)
        health = Health({"database": parts.database.ping})
        await _listen(stack, operator_app(health), "operator", settings.operator)
        await _until_told(on_ready, worker)


def _screen_tally(parts: Core, stack: AsyncExitStack) -> ScreenTally:
    """Counted by this process, kept by the database; what is left is written once the listeners are closed."""
    tally = ScreenTally(parts.book)
    kept = KeepScreenCounts(parts.database, parts.clock, tally, parts.settings.ussd.counts_every_s)
    kept.start()
    stack.push_async_callback(kept.close)
    return tally


def _ussd_routes(
    parts: Core, sessions: SessionStore, stack: AsyncExitStack, wake: Callable[[], None], tally: ScreenTally
) -> UssdRoutes:
    ussd = parts.settings.ussd
    watch = NumberWatch(parts.database)
    stack.push_async_callback(watch.close)
    registry = Bounded(max(1, parts.settings.database.pool_size // 2))  # the rest is for payments and promises
    answer = AnswerUssd(
        parts.book,
        sessions,
        UssdFacts(
            parts.database,
            parts.clock,
            ussd.wrong_numbers_an_hour,
            ussd.officer_wrong_numbers_an_hour,
            registry,
            ussd.fact_s,
        ),
        UssdEffects(
            parts.database,
            _request_number(parts),
            Promises(parts.database, parts.clock, ussd.answers_an_hour, ussd.officer_answers_an_hour),
            parts.messages,
            ussd.wrong_numbers_an_hour,
            registry,
        ),
        watch,
        parts.clock,
        Budget(total_s=ussd.reply_s, fact_s=ussd.fact_s, number_s=ussd.number_s),
        wake,
        tally,
        Breakers(BreakerRule(failures=ussd.breaker_failures, retry_s=ussd.breaker_retry_s)),
    )
    client = AiohttpClient()
    stack.push_async_callback(client.close)
    return UssdRoutes(answer, ussd_mounts(parts.settings), ussd.in_flight, client)


def _request_number(parts: Core) -> RequestControlNumber:
    """By callers, and by workers for callers to whom it was promised."""
    bills = parts.settings.bills
    pool_of = parts.payments.name if parts.settings.pool.enabled else None
    policy = BillPolicy(timedelta(days=bills.life_days), pool_of)
    return RequestControlNumber(parts.database, parts.messages, policy)


def ussd_mounts(settings: Settings) -> list[Mount]:
    """Every USSD channel that is on, at its secret address. Its adapter is the module that its wire names."""
    mounts = []
    for name, wire, block in settings.ussd_channels():
        channel = import_module(f"adapters.ussd.{wire}").CHANNEL
        profile = ChannelProfile(name, Frame(**block.frame()), block.reply_s, block.session_s, codes=tuple(block.codes))
        secret = block.secret.get_secret_value().encode()
        mounts.append(Mount(channel(profile, **block.wire()), secret, block.allowed_networks))
    return mounts


def _bank_routes(
    parts: Core, accept: AcceptCallback, statements: StatementRoutes, wake: Callable[[], None]
) -> BillerRoutes:
    mounts = []
    for name, bank in parts.settings.bank.items():
        own = _bank(parts.settings, name)
        mounts.append(
            BillerMount(
                BankProvider(own, parts.clock),
                BankBiller(own, parts.clock),
                bank.secret.get_secret_value().encode(),
                bank.allowed_networks,
                BankStatements(own, parts.clock),
            )
        )
    limits = {f"bank-{name}": bank.unknown_an_hour for name, bank in parts.settings.bank.items()}
    answer = AnswerBiller(parts.database, parts.clock, unknown_an_hour=limits)
    return BillerRoutes("bank", mounts, accept, answer, parts.settings.callback_bytes, wake, statements.take)


def _bank(settings: Settings, name: str) -> Bank:
    return Bank(name, {key_id: key.get_secret_value().encode() for key_id, key in settings.bank[name].keys.items()})


async def _worker(parts: Core, stack: AsyncExitStack) -> Worker:
    settings, database, clock = parts.settings.worker, parts.database, parts.clock
    client = AiohttpClient()
    stack.push_async_callback(client.close)
    at = parts.settings.africastalking
    sms = AfricasTalkingSms(at.username, at.api_key.get_secret_value(), at.sender, at.sms_url)
    pace = Pace(
        poll_s=settings.poll_s,
        settlers=settings.settlers,
        index_s=settings.index_every_s,
        follow_s=settings.follow_every_s,
    )
    if database.embedded:  # one writer, and the work of this process is announced: the poll is for retries only
        pace = replace(pace, settlers=1, poll_s=max(settings.poll_s, EMBEDDED_POLL_S))
    return Worker(
        database,
        clock,
        SettleEntries(database, parts.messages, clock, provider_codes(parts.settings)),
        RunEffects(database, client, parts.payments, sms, parts.messages, clock, _limits(parts.settings)),
        SweepBills(
            database,
            clock,
            SilencePolicy(timedelta(seconds=parts.settings.bills.patience_s), parts.settings.bills.asks),
            parts.messages,
        ),
        IndexPhones(database, clock),
        FollowPolicies(database, clock, parts.messages),
        tuple(_limits(parts.settings)),
        pace,
        [
            *_days(parts, client),
            *_bills(parts),
            *_screens(parts),
            _officers(parts),
            ("answers", _answers(parts), pace.poll_s),
            ("purge watch", WatchPurge(parts.database, parts.clock), PURGE_WATCH_EVERY_S),
        ],
    )


def _officers(parts: Core) -> tuple[str, Callable[[], Awaitable[int]], float]:
    return "officers", IndexOfficers(parts.database, parts.clock), parts.settings.worker.index_every_s


def _answers(parts: Core) -> AnswerPromises:
    """What tells phones by SMS what they could not be shown in time."""
    ussd, worker = parts.settings.ussd, parts.settings.worker
    window, timeout_s = worker.answers_window, min(worker.call_timeout_s, ANSWER_TIMEOUT_S)
    facts = UssdFacts(
        parts.database,
        parts.clock,
        ussd.wrong_numbers_an_hour,
        ussd.officer_wrong_numbers_an_hour,
        Bounded(window),
        timeout_s,
    )
    limits = ChannelLimits(
        batch=window * 4,
        window=window,
        per_s=10_000,  # the window is the bound: nobody's gateway is asked
        timeout_s=timeout_s,
        lease_s=worker.lease_s,
        first_wait_s=ANSWER_FIRST_WAIT_S,
        longest_wait_s=ANSWER_LONGEST_WAIT_S,
        deadline=timedelta(seconds=ussd.answer_within_s),
    )
    return AnswerPromises(parts.database, facts, _request_number(parts), parts.messages, parts.clock, limits)


def _bills(parts: Core) -> list[tuple[str, Callable[[], Awaitable[int]], float]]:
    """What a worker does about bills that nobody asks about."""
    expire = ExpireBills(parts.database, parts.clock)
    fill = FillPool(parts.database, parts.payments, parts.clock, _pool_policy(parts.settings))
    return [("expire", expire, EXPIRE_EVERY_S), ("pool", fill, parts.settings.pool.every_s)]


def _screens(parts: Core) -> list[tuple[str, Callable[[], Awaitable[int]], float]]:
    """What a worker does about counts of screens."""
    forget = ForgetScreenCounts(parts.database, parts.clock, parts.settings.ussd.counts_days)
    return [("screen counts", forget, FORGET_EVERY_S)]


def _pool_policy(settings: Settings) -> PoolPolicy:
    pool, bills = settings.pool, settings.bills
    return PoolPolicy(
        enabled=pool.enabled,
        marks=PoolMarks(pool.low, pool.high),
        by_product={code: PoolMarks(marks.low, marks.high) for code, marks in pool.products.items()},
        life=timedelta(days=pool.life_days),
        usable=timedelta(days=bills.life_days),
        batch=pool.batch,
        every=timedelta(seconds=pool.every_s),
        patience=timedelta(seconds=bills.patience_s),
        asks=bills.asks,
    )


def _days(parts: Core, client: AiohttpClient) -> list[tuple[str, Callable[[], Awaitable[int]], float]]:
    """What a worker does about days."""
    of = parts.settings.reconciliation
    watch = ("closed days", WatchClosedDays(parts.database, parts.clock), DAYS_EVERY_S)
    if not of.enabled:
        return [watch]
    tools = _reconciling(parts, client, settle=None)
    plan = DailyPlan(of.daily_at, of.wait_s, of.again_s, of.patience_s)
    daily = DailyReconciliation(
        parts.database, parts.clock, parts.payments.name, tools.ask, tools.reconcile, tools.expected, plan
    )
    return [watch, ("daily reconciliation", daily, DAYS_EVERY_S)]


def _statement_folder(settings: Settings) -> StatementFolder:
    return StatementFolder(settings.reconciliation.folder, settings.reconciliation.max_bytes)


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What reconciling a day takes. ``take``: bring a file, by whom, of which provider, for which day, its columns."""

    database: Database
    provider: StatementProvider
    ask: AskStatements
    reconcile: ReconcileDay
    expected: Callable[[], Awaitable[Expected]]
    take: Callable[[str, str, Path, date, Mapping[str, str] | None], Awaitable[Statement]]


@asynccontextmanager
async def reconciling(settings: Settings, progress: Progress) -> AsyncIterator[Reconciling]:
    """For the command: what is missing here is settled in this process too, by the code of the workers."""
    async with core(settings) as parts, AsyncExitStack() as stack:
        client = AiohttpClient()
        stack.push_async_callback(client.close)
        settle = SettleEntries(parts.database, parts.messages, parts.clock, provider_codes(settings))
        yield _reconciling(parts, client, settle.batch, progress)


def _reconciling(
    parts: Core,
    client: AiohttpClient,
    settle: Callable[[], Awaitable[int]] | None,
    progress: Progress = lambda *_: None,
) -> Reconciling:
    database, clock, provider, folder = parts.database, parts.clock, parts.payments, _statement_folder(parts.settings)
    banks = [BankStatements(_bank(parts.settings, name), clock) for name in parts.settings.bank]
    receivers: dict[str, StatementReceiver] = {receiver.name: receiver for receiver in banks}
    receivers[provider.name] = provider

    def lines_of(known: Statement) -> StatementLines:
        if known.how["by"] == _BY_COLUMNS:
            return CsvStatement.from_json(known.how)
        return receivers[known.provider].lines_of(reading_of(known))

    async def expected() -> Expected:
        default = parts.settings.gepg.sp_code
        async with database.reading() as tx:
            codes = {product.provider_code for product in await tx.registry.products()}
        return Expected(sorted({code for code in codes if code} | {default}), default)

    async def take(by: str, name: str, path: Path, day: date, columns: Mapping[str, str] | None) -> Statement:
        taking = TakeFile(database, clock, folder, by)
        if columns is None and name == provider.name:
            return await taking.signed(provider, path, day)
        how = {"by": _BY_COLUMNS, **CsvStatement.opened(path, columns or {}, day).as_json()}
        return await taking.unsigned(name, path, day, how)

    stage = StageStatement(database, folder, lines_of, parts.settings.reconciliation.readers, progress)
    return Reconciling(
        database,
        provider,
        AskStatements(database, clock, client, provider, progress),
        ReconcileDay(database, clock, folder, lines_of, stage, settle, progress),
        expected,
        take,
    )


def _limits(settings: Settings) -> dict[str, ChannelLimits]:
    worker = settings.worker
    channels = {"bills": (worker.bills_window, worker.bills_per_s), "sms": (worker.sms_window, worker.sms_per_s)}
    return {
        channel: ChannelLimits(
            batch=window * 4, window=window, per_s=per_s, timeout_s=worker.call_timeout_s, lease_s=worker.lease_s
        )
        for channel, (window, per_s) in channels.items()
    }


async def _listen(stack: AsyncExitStack, app: web.Application, name: str, at: ServingSettings) -> None:
    runner = listeners.runner(app, SHUTDOWN_S, at.idle_s)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        server = await listeners.listen(runner, name, at.connections, at.host, at.port)
    except OSError as failure:
        raise NotReadyError(f"cannot listen on {at.host}:{at.port}: {failure.strerror}") from failure
    stack.callback(server.close)


async def _until_told(on_ready: Callable[[], None], worker: Worker | None) -> None:
    """Run the worker, if any, until a signal says stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(worker.run()) if worker else None
    # what start-up made lives as long as the process: the collector need not walk it again and again
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    on_ready()
    log.info("ready")
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, *([running] if running else [])}, return_when=asyncio.FIRST_COMPLETED)
    if running:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    stopped.cancel()
    log.info("stopping")
    if running and not running.cancelled():
        raise RuntimeError("the worker ended by itself") from running.exception()
