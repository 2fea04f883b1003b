"""What our tables' repositories say to MS SQL Server: word for word, in golden/mssql.sql. No server is asked.

Every method runs on a real SQLite through a connection that claims to be SQL Server's. Each statement is compiled by
SQLAlchemy's mssql dialect, which gives the text, and the same construct is then executed on SQLite, which shows that
it does what the method promises: table hints are all that SQLite is not shown. Locks, plans, the ODBC driver and SQL
Server's own opinion of the text are NOT shown by this.

After a change that is meant, record anew and read the difference:

    GOLDEN_RECORD=1 python -m pytest tests/store/test_store_mssql.py
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import io
import os
import pkgutil
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Select, UpdateBase, create_mock_engine, select, update
from sqlalchemy.dialects.mssql import aioodbc
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import visitors
from store_samples import NOW, after, bill, evidence, report

import gateway.store
from adapters.registry.openimis import OpenImisRegistry
from gateway.domain.bill import BillFact, BillState, PayOption
from gateway.domain.effects import SendSms
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState
from gateway.domain.phone_reports import PhoneReport, Says
from gateway.domain.pool import PoolKind, PoolNumber, PoolState
from gateway.domain.reconcile import Became, Judgement, Kind, Tally
from gateway.domain.retention import EXPIRING
from gateway.domain.upkeep import OURS, PolicyEvent, PolicyEventKind
from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import (
    BillChange,
    BillRefused,
    Case,
    ControlNumberGiven,
    CountBatch,
    DayOrder,
    Deed,
    EntryMark,
    JudgedLine,
    KnownEffect,
    LineFault,
    OtherRunError,
    PaymentClaim,
    PaymentMark,
    Place,
    Requester,
    ScreenCount,
    SentPayment,
    SettledCase,
    StagedPart,
    Statement,
    StatementRow,
    Verdict,
)
from gateway.store import schema
from gateway.store import tables as g
from gateway.store.copying import plain
from gateway.store.database import Database, SqlTransaction, UnsupportedDatabaseError, driver_url
from gateway.store.retention import STEPS
from gateway.store.types import UtcDateTime

GOLDEN = Path(__file__).parent / "golden" / "mssql.sql"
RECORD = bool(os.environ.get("GOLDEN_RECORD"))


def _like_a_server(dialect: Any) -> Any:
    """As the dialect is once it has met a SQL Server 2019: an unconnected one writes for 2005."""
    dialect.server_version_info = (15, 0, 2000, 5)
    dialect._setup_version_attributes()
    return dialect


MSSQL = _like_a_server(aioodbc.dialect(paramstyle="named"))


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip().replace("\t", "    ") for line in text.strip().splitlines())


class Recorder:
    """A connection that says it is SQL Server's: keeps each statement's text, and runs it on the one beneath."""

    dialect = MSSQL

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.method = ""
        self.texts: dict[str, list[str]] = defaultdict(list)
        self.locks: list[tuple[str, str, bool]] = []  # what was to be locked: method, text, whether others' are skipped

    def _keep(self, statement: Any, parameters: Any) -> None:
        rows = parameters if isinstance(parameters, list) else [parameters] if parameters else []
        is_write = isinstance(statement, UpdateBase)
        compiled = (statement.params(rows[0]) if rows and not is_write else statement).compile(
            dialect=self.dialect,
            column_keys=list(rows[0]) if rows and is_write else None,
            for_executemany=len(rows) > 1,
            compile_kwargs={"render_postcompile": True},
        )
        text = _tidy(str(compiled))
        if text not in self.texts[self.method]:
            self.texts[self.method].append(text)
        for part in visitors.iterate(statement):
            if isinstance(part, Select) and part._for_update_arg is not None:
                self.locks.append((self.method, text, bool(part._for_update_arg.skip_locked)))

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        self._keep(statement, parameters)
        return await self._connection.execute(statement, parameters)

    async def scalar(self, statement: Any, parameters: Any = None) -> Any:
        self._keep(statement, parameters)
        return await self._connection.scalar(statement, parameters)


class Watched:
    """A repository whose public methods tell the recorder their names."""

    def __init__(self, repository: Any, recorder: Recorder) -> None:
        self._repository, self._recorder = repository, recorder

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._repository, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._recorder.method = f"{type(self._repository).__name__}.{name}"
            return await method(*args, **kwargs)

        return call


def _repositories() -> list[type]:
    """Every repository there is, in the order of modules and of lines."""
    modules = [
        importlib.import_module(f"gateway.store.{module.name}")
        for module in pkgutil.iter_modules(gateway.store.__path__)
        if not module.ispkg
    ]
    return [
        cls
        for module in modules
        for name, cls in vars(module).items()
        if name.startswith("Sql") and inspect.isclass(cls) and cls.__module__ == module.__name__
        if cls is not SqlTransaction
    ]


def _methods() -> list[str]:
    return [
        f"{cls.__name__}.{name}"
        for cls in _repositories()
        for name, member in vars(cls).items()
        if inspect.isfunction(member) and not name.startswith("_")
    ]


# --------------------------------------------------------------------------------------------------- what is exercised


async def _bills(bills: Any) -> None:
    first = bill("B1", key="k", control_number=None)
    assert [await bills.add(first), await bills.add(replace(first, id="B9"))] == [True, False]
    assert await bills.add(replace(first, id="B2", generation=2, created_at=after(seconds=1)))
    assert await bills.by_id("B1") == first
    assert await bills.by_id("B1", lock=True) == first
    assert await bills.by_id("B9") is None
    assert await bills.by_ids(["B1", "B9"]) == await bills.by_ids(["B9", "B1"], lock=True) == {"B1": first}
    assert (await bills.latest("k")).id == "B2"
    assert (await bills.latest("k", lock=True)).id == "B2"
    assert (await bills.open_for(7, NOW)).id == "B2"
    assert await bills.open_for(7, after(days=31)) is None
    assert {known.id for known, _ in await bills.silent(after(seconds=2), 10)} == {"B1", "B2"}
    await bills.asked("B1", 2, after(seconds=3))
    assert [(known.id, times) for known, times in await bills.silent(after(seconds=4), 10)] == [("B2", 1), ("B1", 2)]
    assert [known.id for known in await bills.payable([7, 8], NOW)] == ["B1", "B2"]
    numbered = await bills.record(first, BillFact.NUMBERED, NOW, control_number="994120000011", issuer="gepg")
    assert (numbered.state, numbered.control_number) == (BillState.NUMBERED, "994120000011")
    part = await bills.record(numbered, BillFact.PART_PAID, NOW, amount_minor=1_00, payment_record_id=17)
    assert await bills.part_paid_records(7, 1) == [17]
    assert await bills.facts("B1") == [
        (BillFact.NUMBERED, {"control_number": "994120000011", "issuer": "gepg"}),
        (BillFact.PART_PAID, {"amount_minor": 1_00, "payment_record_id": 17}),
    ]
    assert await bills.ask_once_more("B2", NOW) is None  # it is being asked for
    await bills.given_up("B2", 1, NOW)
    assert await bills.silent(after(days=1), 10) == []
    assert await bills.ask_once_more("B2", after(seconds=2)) == 2
    assert [known.id for known in await bills.past_life(after(days=31), 10)] == ["B2"]
    assert await bills.part_paid_records_of([(7, 1), (8, 1), (7, 2)]) == {(7, 1): [17]}
    rest = {"amount_minor": part.amount.amount_minor - 1_00}
    [paid] = await bills.record_all([BillChange(part, BillFact.PAID, rest)], NOW)
    assert (paid.state, paid.paid) == (BillState.PAID, paid.amount)
    assert await bills.part_paid_records(7, 1) == []
    assert await bills.by_control_number("994120000011") == paid
    assert await bills.by_control_number("994120000011", lock=True) == paid
    assert await bills.by_control_number("1") is None
    assert await bills.by_control_numbers(["1", "994120000011", "2"]) == {"994120000011": paid}
    assert list(await bills.numbers(["B1", "B2", "B3"])) == ["B1"]
    for msisdn, language, at in (("+1", "sw", 0), ("+2", "en", 1), ("+1", "en", 2)):
        await bills.add_requester("B1", Requester(msisdn, language), after(seconds=at))
    assert await bills.requesters("B1") == [Requester("+1", "en"), Requester("+2", "en")]
    assert await bills.requesters_of(["B1", "B2", "B3"]) == {"B1": await bills.requesters("B1")}


async def _inbox(inbox: Any) -> None:
    notices = [report(), ControlNumberGiven("B1", "994120000011"), BillRefused("B1", "7242", "Batili — «é»")]
    assert not await inbox.due(NOW)
    await inbox.keep(evidence("I0"), [])
    await inbox.keep_all([(evidence("I1", why="haikusomeka — «é»"), notices)])
    assert await inbox.due(NOW)
    entries = await inbox.entries_of("I1")
    assert [kept.notice for kept in entries] == notices
    assert len(await inbox.claim_new(2, NOW)) == 2  # of three
    await inbox.postpone(entries[0], after(hours=1), NOW, "later")
    await inbox.mark(entries[1], EntryState.NEW, NOW)
    await inbox.mark_all([EntryMark(entries[1], EntryState.SETTLED, "B1", "done")], NOW)
    assert [(due.line, due.attempts) for due in await inbox.claim_new(2, NOW)] == [(2, 0)]
    assert [(due.line, due.attempts) for due in await inbox.claim_new(2, after(hours=1))] == [(2, 0), (0, 1)]
    assert [await inbox.claim("I1", line) is not None for line in (0, 1, 9)] == [True, False, False]
    refused = evidence("I2", verdict=Verdict.BAD_SIGNATURE)
    await inbox.keep(refused, [])
    assert await inbox.evidence("I2") == refused
    assert await inbox.evidence("I9") is None
    assert await inbox.refused(NOW, None, 9) == await inbox.refused(NOW, (NOW, "I1"), 9) == [refused]
    assert [await inbox.add_entries(refused, notices[:2], NOW) for _ in range(2)] == [2, 0]
    assert await inbox.refused(NOW, None, 9) == []


async def _payments(payments: Any) -> None:
    first, twin = report(), report(amount=Money(1_00))
    assert await payments.first_report("gepg", first, "I1", NOW) is None
    known = await payments.first_report("gepg", twin, "I2", after(seconds=1))
    assert (known.digest, known.state) == (first.digest, EntryState.NEW)
    assert await payments.first_report("gepg", report(number="994120000012"), "I3", NOW) is None
    assert await payments.sent_by("gepg", first.reference) == SentPayment(
        EntryState.NEW, first.control_number, first.amount, first.paid_at
    )
    assert await payments.sent_by("bank-a", first.reference) is None
    await payments.mark(first, EntryState.SETTLED, "B1", 17, NOW)
    assert [await payments.receipt_is_held(report(reference=r, receipt="S1")) for r in ("R8", "R9")] == [False, False]
    assert [await payments.came_elsewhere("B1", provider) for provider in ("gepg", "bank-a")] == [False, True]
    assert await payments.held_for(7, 3) == []
    assert (await payments.first_report("gepg", first, "I4", NOW)).state == EntryState.SETTLED
    other, third = report(number="994120000013"), report(number="994120000012")
    claims = [PaymentClaim("gepg", each, "I5") for each in (other, first, third)]
    known = await payments.first_reports(claims, NOW)
    assert [each and each.state for each in known] == [None, EntryState.SETTLED, EntryState.NEW]
    await payments.mark_all([PaymentMark(each, EntryState.CASE, None, None) for each in (other, third)], NOW)
    assert (await payments.first_report("gepg", third, "I6", NOW)).state == EntryState.CASE


async def _outbox(outbox: Any) -> None:
    texts = [SendSms("+255712000001", "Habari — «é»", "covered", about) for about in "abcde"]
    assert not await outbox.due("sms", NOW)
    assert await outbox.put([*texts, texts[0]], NOW) == 5
    known = await outbox.known([texts[0].key, "sms:none", texts[1].key])
    assert known == {text.key: KnownEffect(text, open=True) for text in texts[:2]}
    assert await outbox.put(texts[:2], NOW) == 0
    assert await outbox.put_each([texts, [], texts[:1]], NOW) == [0, 0, 0]
    assert await outbox.due("sms", NOW)
    jobs = await outbox.lease("sms", 3, NOW, 60)
    assert [(job.effect, job.attempts, job.created_at) for job in jobs] == [(text, 1, NOW) for text in texts[:3]]
    assert len({job.lease_token for job in jobs}) == 1
    assert [await outbox.finish(jobs[0], "Accepted", NOW), await outbox.finish(jobs[0], "Accepted", NOW)] == [
        True,
        False,
    ]
    assert await outbox.again(jobs[1], "Busy", after(hours=2), NOW)
    assert await outbox.hold(jobs[2], "Unknown", NOW)
    assert await outbox.counts() == {"todo": 3, "held": 1}
    assert not (await outbox.known([texts[0].key]))[texts[0].key].open
    assert len(await outbox.lease("sms", 3, NOW, 60)) == 2
    assert [await outbox.due("sms", now) for now in (after(seconds=60), after(seconds=61))] == [False, True]
    assert [job.attempts for job in await outbox.lease("sms", 3, after(seconds=61), 60)] == [2, 2]
    new = [SendSms("+255712000002", "Habari", "covered", about) for about in "ab"]
    groups = [[new[0], texts[0]], [new[0], new[1]]]
    assert await outbox.put_each(groups, NOW) == [1, 1]  # a twin is the first group's


async def _cases(cases: Any) -> None:
    paid = Case(CaseKind.UNKNOWN_CONTROL_NUMBER, "payment:1/2", amount=Money(5_00), details={"why": "«é»"})
    unpaid = Case(CaseKind.UNKNOWN_CONTROL_NUMBER, "payment:1/3")
    assert [await cases.open(new, NOW) for new in (paid, paid, unpaid)] == [True, False, True]
    assert [case["subject"] for case in await cases.listed()] == ["payment:1/2", "payment:1/3"]
    held = Case(CaseKind.EFFECT_HELD, "outbox:1")
    assert [await cases.open(held, NOW) for _ in range(2)] == [True, False]
    number = (await cases.listed())[-1]["id"]
    assert [case["id"] for case in await cases.about(["outbox:1", "outbox:9"])] == [number]
    assert (await cases.by_id(number, lock=True))["kind"] == CaseKind.EFFECT_HELD
    await cases.settle(number, SettledCase("closed", "close", "Ester «é»", "again", {}), NOW)
    assert [case["id"] for case in await cases.listed(9, ("closed", "held"))] == [number]
    assert (await cases.by_id(number))["closed_by"] == "Ester «é»"
    assert await cases.open(held, after(hours=1))  # it happened again
    assert await cases.by_id(10**6) is None


async def _audit(audit: Any) -> None:
    assert await audit.seal(NOW, 2) == 0
    for number in range(3):
        if number:
            await audit.add_all([Deed("someone", "did", f"bill:B{number}", {"amount": number})], NOW)
        else:
            await audit.add("someone", "did", "bill:B0", NOW, amount=0)
    assert [await audit.seal(NOW, 2) for _ in range(3)] == [2, 1, 0]
    assert await audit.verify() == []
    assert [row["subject"] for row in await audit.about(["bill:B1", "bill:B9"])] == ["bill:B1"]


async def _callers(callers: Any) -> None:
    one, two = "+255620000001", "+255620000002"
    for language in ("sw", "en"):
        await callers.set_language(one, language, NOW)
    await callers.set_language(two, "sw", NOW)
    assert await callers.languages([one, two]) == {one: "en", two: "sw"}
    await callers.index_phones([(1, 1, one), (2, 1, one), (3, 1, two), (4, 2, two)])
    await callers.index_phones([(2, 1, two), (3, 1, None), (5, 1, None)])
    assert await callers.known([one, two]) == ({one: [1], two: [2, 4]}, {one: "en", two: "sw"}, {}, {})
    assert await callers.known([]) == ({}, {}, {}, {})
    await callers.index_range(1, 3, [(2, 1, one)])
    await callers.index_range(3, None, [])
    assert await callers.index_officers(0, 8, [(7, one), (8, two), (9, None)]) == 2
    assert await callers.index_officers(0, None, [(7, two)]) == 2
    assert await callers.known([one, two]) == ({one: [1, 2]}, {one: "en", two: "sw"}, {two: [7]}, {})
    assert await callers.watermark("here") is None
    for at in (NOW, after(hours=1)):
        await callers.set_watermark("here", at)
    assert await callers.watermark("here") == after(hours=1)
    assert [await callers.count_miss(one, now) for now in (NOW, NOW, after(hours=1))] == [1, 2, 1]
    assert [await callers.misses(msisdn, NOW) for msisdn in (one, two)] == [2, 0]
    disowned, claimed = PhoneReport("P1", one, 1, Says.NOT_OURS), PhoneReport("P2", one, 2, Says.OURS)
    assert [await callers.report(said, NOW) for said in (disowned, disowned, claimed)] == [True, False, True]
    assert [await callers.claims(msisdn) for msisdn in (one, two)] == [1, 0]
    asked = [(one, 1), (one, 2), (two, 1)]  # what is claimed is not disowned
    assert (await callers.known([one, two])).disowned == {one: {1}}
    assert [await callers.disowned(pairs) for pairs in (asked, [])] == [{(one, 1)}, set()]
    await callers.lift_report("P1")
    assert (await callers.known([one, two])).disowned == {}
    assert await callers.disowned(asked) == set()


async def _follow(follow: Any) -> None:
    assert await follow.place("insurees") is None
    for followed in (1, 2):
        await follow.set_place("insurees", Place(followed, 9, NOW))
    assert await follow.place("insurees") == Place(2, 9, NOW)
    born = PolicyEvent(5, PolicyEventKind.ENROLLED, 7, NOW.date(), origin=OURS)
    assert [await follow.notice([born, born], NOW), await follow.notice([born], NOW)] == [1, 0]
    assert await follow.notice_each([[born], [replace(born, policy_id=6)], []], after(seconds=-1)) == [0, 1, 0]
    assert await follow.noticed([4, 5]) == {(5, PolicyEventKind.ENROLLED)}
    assert [await follow.born_here([4, 5], since) for since in (NOW, after(seconds=1))] == [{5}, set()]


async def _reconciliations(days: Any) -> None:
    day, fault = NOW.date(), LineFault(2, 10, 5, "haisomeki — «é»")
    between = (after(days=-1), after(days=1))
    await days.add_order("gepg", DayOrder(day, "SP1", "77"), NOW)
    assert await days.order("gepg", "78") is None
    assert (await days.order("gepg", "77", lock=True)).provider_code == "SP1"
    new = Statement(0, "gepg", day, "SP1", "77", "I9", "d" * 64, "file", 15, True, {"by": "provider"})
    assert [await days.add_statement(new, NOW), await days.add_statement(new, NOW)] == [True, False]
    assert await days.statement_of("gepg", "d" * 64, None) is None
    known = await days.statement_of("gepg", "d" * 64, day)
    assert (await days.answers_to("gepg", "77"), await days.statements("gepg", day)) == ([known], [known])
    rows = [StatementRow(1, "R-«é»", "994120000011", 3_000_000, "TZS", 0, 10)]
    await days.stage(known, StagedPart(plain(known.id, rows), [fault], Tally(2, {"TZS": 3_000_000}), 0, 15))
    with pytest.raises(OtherRunError):
        await days.stage(known, StagedPart([], [], Tally(), 0, 15))
    await days.finish_staging(known.id)
    day_id = await days.begin("gepg", day, "run")
    await days.hold(day_id, "run")
    with pytest.raises(OtherRunError):
        await days.hold(day_id, "other")
    await days.find_suspects(day_id, "gepg", between, [known.id])
    [suspect] = await days.suspects(day_id, 0, 10)
    assert (suspect.row, suspect.repeats, suspect.held, suspect.booked) == (rows[0], False, None, False)
    assert await days.same_number([suspect.id], [known.id]) == {}
    await days.judged([JudgedLine(suspect, Judgement(Kind.MISSING_HERE, Became.PENDING), None)])
    assert await days.book(known, [(1, report())], NOW) == 1
    assert await days.waiting(["I9"]) == 1
    for codes in (None, ["SP1", None]):
        await days.find_missing_there(day_id, "gepg", between, [known.id], codes)
        await days.ours("gepg", between, codes)
    await days.find_faults(day_id, [known.id])
    assert {kind: tally.count for kind, tally in (await days.tallies(day_id)).items()}["unreadable"] == 1
    assert "missing_here" in {found.kind for _, found in await days.differences(day_id, 0, 10)}
    [suspect] = await days.suspects(day_id, 0, 10)
    assert suspect.booked
    await days.judged([JudgedLine(suspect, Judgement(Kind.MATCHED, Became.NOTHING), None)])
    await days.finish(day_id, {"good": True}, NOW)
    assert await days.last_good_day("gepg") == day
    assert (await days.day("gepg", day, lock=True)).report == {"good": True}
    await days.close(day_id, "Ester «é»", NOW)
    assert [closed.closed_by for closed in await days.closed_days(9)] == ["Ester «é»"]
    await days.late_payments(0, after(days=9), 10)
    yesterday = day - timedelta(days=1)
    assert [await days.claim("gepg", yesterday, NOW, after(hours=1)) for _ in range(2)] == [True, False]
    await days.release("gepg", yesterday, NOW)
    assert await days.claim("gepg", yesterday, NOW, after(hours=1))
    await days.unstage([known.id])


async def _pool(pool: Any) -> None:
    kind = PoolKind(1, None, Money(30_000_00), PayOption.EXACT)
    numbers = [
        PoolNumber(
            f"P{n}", 1, "CHFDOM", None, kind.amount, kind.pay_option, PoolState.ASKED, None, NOW, after(days=365)
        )
        for n in range(3)
    ]
    await pool.add(numbers, NOW)
    assert await pool.by_id("P0", lock=True) == numbers[0]
    assert await pool.by_id("P9") is None
    assert await pool.several(["P2", "P0", "P9"]) == [numbers[0], numbers[2]]
    assert await pool.supply(kind, after(days=30), NOW) == (0, 3)
    assert await pool.silent(after(hours=9), 9, 5) == []  # still being sent
    await pool.accepted(["P0", "P1", "P2"], NOW)
    assert [(n.bill_id, times) for n, times in await pool.silent(after(seconds=1), 2, 5)] == [("P0", 1), ("P1", 1)]
    await pool.asked(["P0"], after(hours=1))
    assert [n.bill_id for n, _ in await pool.silent(after(hours=2), 9, 2)] == ["P1", "P2"]
    await pool.change("P0", PoolState.READY, NOW, "994120000011")
    await pool.change("P1", PoolState.REFUSED, NOW)
    assert await pool.by_control_number("994120000011", lock=True) == await pool.by_control_number("994120000011")
    assert list(await pool.by_control_numbers(["994120000011", "994120000019"])) == ["994120000011"]
    assert await pool.supply(kind, after(days=30), NOW) == (1, 2)
    assert await pool.supply(kind, after(days=366), after(seconds=1)) == (0, 1)
    other = replace(kind, provider_code="SP19960")
    assert await pool.take(other, after(days=30), NOW) is None
    assert [n.bill_id for n in await pool.stale(1, kind, after(days=30), after(seconds=1), 9)] == ["P2"]
    assert {n.bill_id for n in await pool.stale(1, other, after(days=30), NOW, 9)} == {"P0", "P2"}
    assert [n.bill_id for n in await pool.stale(1, None, after(days=30), NOW, 9)] == []
    taken = await pool.take(kind, after(days=30), NOW)
    assert (taken.bill_id, taken.control_number) == ("P0", "994120000011")
    assert await pool.take(kind, after(days=30), NOW) is None
    assert await pool.counts() == {("CHFDOM", "bound"): 1, ("CHFDOM", "refused"): 1, ("CHFDOM", "asked"): 1}
    assert await pool.counts(waiting_only=True) == {("CHFDOM", "asked"): 1}


async def _screens(screens: Any) -> None:
    day, after_ = NOW.date(), after(days=1).date()
    home = ScreenCount(day, "beem", "family", "home", "", ScreenEvent.SHOWN, 3)
    late = ScreenCount(after_, "hub", "number", "try_later", "bill", ScreenEvent.FINAL, 1)
    assert await screens.add(CountBatch("one", 1, day), [late, home])
    assert await screens.add(CountBatch("one", 2, day), [home])
    assert not await screens.add(CountBatch("one", 2, day), [home])
    assert await screens.between(day, day) == [replace(home, count=6)]
    assert await screens.between(day, after_) == [replace(home, count=6), replace(late, day=day)]
    assert await screens.between(day, after_, menu="number") == [replace(late, day=day)]
    assert await screens.between(day, after_, channel="beem") == [replace(home, count=6)]
    assert [await screens.forget(after_) for _ in range(2)] == [1, 0]


async def _retention(retention: Any) -> None:
    """Each rule's look and each rule's taking; what they find is tried with the services."""
    for rule in EXPIRING:
        assert await retention.due(rule.name, after(days=-9)) == 0
        assert await retention.keys(rule.name, after(days=-9), None, 10) == []
        assert await retention.keys(rule.name, after(days=-9), STEPS[rule.name].key.type.python_type(1), 10) == []
        assert await retention.take(rule.name, after(days=-9), []) == 0
    assert await retention.files([1], after(days=-9)) == []
    assert await retention.due("guesses", after(days=9)) == 2
    assert await retention.take("guesses", after(days=9), await retention.keys("guesses", after(days=9), None, 10)) == 2


EXERCISES: dict[str, Callable[[Any], Awaitable[None]]] = {
    "SqlAudit": _audit,
    "SqlBills": _bills,
    "SqlCallers": _callers,
    "SqlCases": _cases,
    "SqlFollow": _follow,
    "SqlInbox": _inbox,
    "SqlOutbox": _outbox,
    "SqlPayments": _payments,
    "SqlReconciliations": _reconciliations,
    "SqlPool": _pool,
    "SqlRetention": _retention,
    "SqlScreens": _screens,
}


@pytest.fixture
async def said(tmp_path: Path) -> AsyncIterator[Recorder]:
    """What SQL Server would have been told."""
    database = Database(f"sqlite:///{tmp_path}/empty.db", OpenImisRegistry)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(g.metadata.create_all)
            recorder = Recorder(connection)
            for cls in _repositories():
                if cls.__name__ in EXERCISES:
                    await EXERCISES[cls.__name__](Watched(cls(recorder), recorder))
        yield recorder
    finally:
        await database.close()


# ------------------------------------------------------------------------------------------------------------- tables


def _migrated() -> list[str]:
    """Every statement of every migration, as SQL Server would be told."""
    out = io.StringIO()
    context = MigrationContext.configure(dialect=MSSQL, opts={"as_sql": True, "output_buffer": out})
    with Operations.context(context):
        for path in sorted((Path(schema.__file__).parent / "migrations" / "versions").glob("[0-9]*_*.py")):
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            migration = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(migration)
            migration.upgrade()
    return [_tidy(part).removesuffix(";") for part in re.split(r"(?m)^GO$", out.getvalue()) if part.strip()]


def _meant() -> list[str]:
    """The same of the code's own tables."""
    statements: list[str] = []
    engine = create_mock_engine(
        "mssql+aioodbc://", lambda ddl, *_, **__: statements.append(_tidy(str(ddl.compile(dialect=MSSQL))))
    )
    _like_a_server(engine.dialect)
    g.metadata.create_all(engine, checkfirst=False)
    return statements


def _shape(statements: list[str]) -> dict[str, Any]:
    """Lines of tables and, word for word, indexes; the order of neither."""
    tables: dict[str, set[str]] = {}
    indexes = set()
    for statement in statements:
        head, *lines = statement.splitlines()
        if made := re.match(r"CREATE TABLE (\w+) \(", head):
            tables[made[1]] = {line.strip().rstrip(",") for line in lines if line.strip() not in ("", ")")}
        elif added := re.match(r"ALTER TABLE (\w+) ADD (.*)", statement):
            tables[added[1]].add(added[2])
        elif not statement.startswith("UPDATE "):  # what it makes of rows that are there
            assert re.match(r"CREATE (UNIQUE )?INDEX ", statement), statement
            indexes.add(statement)
    return {"tables": tables, "indexes": indexes}


def test_migrations_make_what_the_code_means() -> None:
    assert _shape(_migrated()) == _shape(_meant())


def test_twins_without_a_number_are_no_twins() -> None:
    """A unique constraint of SQL Server's takes one NULL only."""
    nullable = {
        (table.name, column.name) for table in g.metadata.tables.values() for column in table.c if column.nullable
    }
    constrained = [
        (name, column.strip(" []"))
        for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", "\n".join(_migrated()), re.DOTALL)
        for columns in re.findall(r"UNIQUE \(([^)]*)\)", body)
        for column in columns.split(",")
    ]
    assert ("gw_bill", "key") in constrained
    assert not nullable & set(constrained)


def test_no_type_of_tables_loses_anything() -> None:
    made = "\n".join(_migrated())
    # one code page only, no longer supported, or blind below 3 milliseconds
    assert not re.search(r"VARCHAR\(max\)(?<!NVARCHAR\(max\))|\b(N?TEXT|IMAGE|DATETIME|DATETIMEOFFSET|FLOAT)\b", made)


class _Granting:
    """A connection that keeps what it is told."""

    dialect = MSSQL

    def __init__(self) -> None:
        self.texts: list[str] = []

    def execute(self, statement: Any) -> None:
        self.texts.append(str(statement.compile(dialect=self.dialect)))


def _granted() -> list[str]:
    connection = _Granting()
    schema._grant(connection, "gw_app")  # type: ignore[arg-type]
    return connection.texts


def _granted_to_purge() -> list[str]:
    connection = _Granting()
    schema._grant_purge(connection, "gw_purge")  # type: ignore[arg-type]
    return connection.texts


def test_evidence_is_added_and_read_only() -> None:
    granted = {name: rights for rights, name in re.findall(r'GRANT ([A-Z, ]+) ON "(\w+)"', "\n".join(_granted()))}
    assert {name for name, rights in granted.items() if "UPDATE" not in rights} == {
        *(table.name for table in g.APPEND_ONLY),
        "gw_schema_version",
    }
    assert not [text for text in (*_granted(), *_granted_to_purge()) if "SEQUENCE" in text or "ALL" in text]


# --------------------------------------------------------------------------------------------------------- statements


async def test_every_method_of_every_repository_is_exercised(said: Recorder) -> None:
    assert set(said.texts) == set(_methods())


NOT_SPOKEN_THERE = re.compile(
    r"\bLIMIT\b|ON CONFLICT|\bRETURNING\b|FOR UPDATE|SKIP LOCKED|\b(true|false)\b|\bILIKE\b|\|\||::|\bNULLS "
    r"|SELECT \(*EXISTS"  # a condition, never a value
    r"|\([\w.\[\]]+(, [\w.\[\]]+)+\) (NOT )?IN"  # no row values
    r"|\bOFFSET\b",  # a page is TOP: OFFSET in a CTE would lose its order
    re.IGNORECASE,
)


async def test_nothing_that_only_others_understand(said: Recorder) -> None:
    everything = {text for texts in said.texts.values() for text in texts} | {
        *_migrated(),
        *_granted(),
        *_granted_to_purge(),
    }
    assert [text for text in everything if NOT_SPOKEN_THERE.search(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t LIMIT 1",
        "SELECT EXISTS (SELECT 1)",
        "SELECT ((EXISTS (SELECT 1)))",
        "SELECT 1 WHERE (t.a, t.b) IN ((1, 2))",
        "UPDATE t SET a=1 RETURNING t.a",
        "SELECT a FROM t WHERE b = true",
    ],
)
def test_the_rule_sees(text: str) -> None:
    assert NOT_SPOKEN_THERE.search(text)


async def test_what_is_locked_elsewhere_is_locked_there(said: Recorder) -> None:
    assert {(method, skips) for method, _, skips in said.locks} >= {
        ("SqlBills.by_id", False),
        ("SqlBills.by_control_number", False),
        ("SqlBills.latest", False),
        ("SqlBills.silent", True),
        ("SqlCases.by_id", False),
        ("SqlInbox.claim", False),
        ("SqlInbox.claim_new", True),
        ("SqlOutbox.lease", True),
        ("SqlBills.past_life", True),
        ("SqlPool.take", True),
        ("SqlPool.by_control_number", False),
    }
    for method, text, skips in said.locks:
        assert re.search(r"WITH \([^)]*\bUPDLOCK\b", text), method
        assert skips == ("READPAST" in text), method
        if "WITH due AS" in text:
            assert "READPAST" in text[: text.index("UPDATE gw_outbox")], "the rows are chosen inside"
    for texts in said.texts.values():
        for text in texts:
            if "NOT (EXISTS" in text and text.startswith("INSERT"):
                assert "WITH (UPDLOCK, HOLDLOCK)" in text, text


async def test_word_for_word(said: Recorder) -> None:
    sections = {method: said.texts[method] for method in _methods() if method in said.texts}
    sections |= {"migrations": _migrated(), "upgrade, for the role gw_app": _granted()}
    sections |= {"upgrade, for the role gw_purge": _granted_to_purge()}
    spoken = "\n".join(
        f"-- {name}\n" + "".join(f"{statement};\n" for statement in statements) for name, statements in sections.items()
    )
    if RECORD:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(spoken)
    assert spoken == GOLDEN.read_text()


# ------------------------------------------------------------------------------------------------------------ the rest


def test_times_go_in_utc_and_come_back_with_it() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=3)))
    assert UtcDateTime().process_bind_param(there, MSSQL) == NOW.replace(tzinfo=None)
    assert UtcDateTime().process_result_value(NOW.replace(tzinfo=None), MSSQL) == NOW
    assert str(UtcDateTime().compile(dialect=MSSQL)) == "DATETIME2(6)"


def test_letters_of_any_script_are_sent_as_such() -> None:
    for statement in (
        select(g.bill.c.id).where(g.bill.c.payer_name == "é"),
        update(g.entry).values(note="é"),
        update(g.outbox).values(last_outcome="é", dedupe_key="é"),
    ):
        literal = str(statement.compile(dialect=MSSQL, compile_kwargs={"literal_binds": True}))
        assert "N'é'" in literal
        assert " 'é'" not in literal


@pytest.mark.parametrize("scheme", ["mssql", "mssql+pyodbc", "mssql+aioodbc"])
def test_an_address_of_sql_server(scheme: str) -> None:
    url = driver_url(f"{scheme}://gw:pw@host:1433/IMIS?driver=ODBC+Driver+18+for+SQL+Server")
    assert (url.drivername, url.host, url.database) == ("mssql+aioodbc", "host", "IMIS")
    assert url.query["driver"] == "ODBC Driver 18 for SQL Server"


@pytest.mark.skipif(importlib.util.find_spec("aioodbc") is not None, reason="the driver is installed")
def test_without_its_driver_a_sentence() -> None:
    with pytest.raises(UnsupportedDatabaseError, match=r"aioodbc and pyodbc.*ODBC Driver 18 for SQL Server"):
        Database("mssql://gw:pw@host/IMIS?driver=ODBC+Driver+18+for+SQL+Server", OpenImisRegistry)
