"""Personal data past its time goes, as the role that may take it; nothing that somebody still waits for does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, PRICE, SOON, STRANGER, World
from sqlalchemy import Table, select

from adapters.registry.openimis import OpenImisRegistry
from adapters.registry.openimis import tables as t
from config.settings import RetentionSettings
from gateway.domain.cases import Act
from gateway.domain.effects import AnswerBySms, SendSms
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.retention import EXPIRING
from gateway.domain.ussd.effects import DisownFamily
from gateway.ports import Case, ControlNumberGiven, Evidence, Statement, Verdict
from gateway.service.metrics import PURGE_AGE
from gateway.service.purge import NoFolderError, Purge, WatchPurge
from gateway.service.report_phone import ReportPhone
from gateway.service.settle_case import Decision, SettleCase
from gateway.service.statement_files import StatementFolder
from gateway.store import schema
from gateway.store import tables as g
from gateway.store.database import Database

DAYS = RetentionSettings().model_dump()
ASKER, GUESSER, OLD_SPEAKER, WRONG_PHONE = "+255787111222", "+255787333444", "+255787555666", "+255787777888"
PAYER = "Kanari wa Mjini"
OLD_NUMBER, STRAY = "994120000011", "994120000099"
INDEXES = {"gw_phone", "gw_officer_phone"}  # of the registry's own phones
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
async def purger(database: Database, database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """The database as whoever purges: on PostgreSQL a role of its own, which ``db upgrade`` has granted."""
    if database.embedded:
        yield database
        return
    postgres = request.getfixturevalue("postgres")
    async with postgres.role(database.engine, "gw_purge") as role:
        await schema.upgrade(database.engine, None, role)
        opened = Database(postgres.as_role(database_url, role), OpenImisRegistry)
        yield opened
        await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> StatementFolder:
    found = StatementFolder(tmp_path / "statements", 10_000)
    found.folder.mkdir()
    return found


@dataclass
class Past:
    """What happened once: a payment that is long settled, and everything that was said around it."""

    report: PaymentReport
    bill_id: str
    canaries: tuple[str, ...]


async def purge(world: World, purger: Database, folder: StatementFolder, most: int = 10**6, batch: int = 500) -> Any:
    return await Purge(purger, world.clock, DAYS, folder, batch)(most)


async def everything(world: World) -> Rows:
    return {table.name: await all_of(world, table) for table in g.metadata.sorted_tables}


async def all_of(world: World, table: Table) -> list[dict[str, Any]]:
    async with world.database.engine.connect() as connection:
        found = (await connection.execute(select(table))).mappings()
        return sorted(map(dict, found), key=lambda row: [str(row[c.name]) for c in table.c if c.primary_key])


def holding(rows: Rows, canaries: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Where one of them is: table, column, and which."""
    return {
        (table, column, canary)
        for table, found in rows.items()
        if table not in INDEXES
        for row in found
        for column, value in row.items()
        for canary in canaries
        if canary in (value.decode() if isinstance(value, bytes) else str(value))
    }


async def sent(world: World) -> None:
    """Every effect has left."""
    done = {"state": "done", "done_at": world.clock.now(), "last_outcome": "Accepted"}
    await world.execute(g.outbox.update().where(g.outbox.c.state == "todo").values(**done))


def evidence(world: World, inbox_id: str, payer: str = PAYER, **values: Any) -> Evidence:
    fields: dict[str, Any] = {"verdict": Verdict.BAD_SIGNATURE, "why": "", "message_id": None, "reply_status": 200}
    body = f"<PyrName>{payer}</PyrName>".encode()
    of = {"received_at": world.clock.now(), "body": body, "size": len(body), "digest": "0" * 64, **fields, **values}
    return Evidence(id=inbox_id, provider="fakepay", route="payments", headers={"x-payer": payer}, **of)


async def statement(world: World, folder: StatementFolder, name: str, day: date, inbox_id: str) -> None:
    """A day's account that was taken in now."""
    (folder.folder / name).write_text(f"{PAYER};{STRANGER}")
    new = Statement(0, "fakepay", day, "SP1", None, inbox_id, name.rjust(64, "0"), name, 9, True, {"by": "provider"})
    async with world.database.writing() as tx:
        await tx.reconciliations.add_statement(new, world.clock.now())
        await tx.inbox.keep(evidence(world, inbox_id, verdict=Verdict.GENUINE), [])


async def a_past(world: World, folder: StatementFolder) -> Past:
    bill = await world.numbered(EXPIRED, OLD_NUMBER, ASKER)
    report = world.payment(bill, payer_msisdn=STRANGER, payer_name=PAYER)
    assert await world.told(report) == ["settled"]
    now = world.clock.now()
    async with world.database.writing() as tx:
        await tx.inbox.keep(evidence(world, "forged"), [])
        await tx.callers.set_language(OLD_SPEAKER, "en", now)
        await tx.callers.count_miss(GUESSER, now)
        await tx.outbox.put(
            [
                AnswerBySms("own_cover", {"phone": GUESSER}, GUESSER, "sw", "2026-11-26T09", 0),
                SendSms(GUESSER, "Bima ya familia yako ni hai", "answer_cover", "answer:2026-11-26T09/0"),
            ],
            now,
        )
    await ReportPhone(world.database, 10).disown(DisownFamily(SOON, WRONG_PHONE), now)
    (case,) = await world.rows(g.case)
    await SettleCase(world.database, world.messages, world.clock)(case["id"], Decision(Act.CLOSE, "ester", PAYER))
    await statement(world, folder, "day", world.today, "day's message")
    await sent(world)
    who = (ASKER, STRANGER, GUESSER, OLD_SPEAKER, WRONG_PHONE, PAYER, bill.payer_name, bill.chfid)
    return Past(report, bill.id, who)


async def what_waits(world: World) -> None:
    """As old, and not over: money that nobody placed, a text that has not left, a report that nobody has seen to."""
    stray = PaymentReport("R7", STRAY, PRICE, world.clock.now(), payer_name="Anasubiri")
    assert await world.told(stray) == ["unmatched"]
    await world.receive(PaymentReport("R8", STRAY, PRICE, world.clock.now(), payer_name="Hajasuluhishwa"))
    async with world.database.writing() as tx:
        now = world.clock.now()
        await tx.outbox.put([SendSms("+255787000001", "Subiri", "held", "payment:waits")], now)
        await tx.inbox.keep(evidence(world, "unread", "Hajasomwa", verdict=Verdict.UNREADABLE), [])
        await tx.cases.open(Case(CaseKind.UNREADABLE, "inbox:unread", "fakepay", "unread"), now)
    await ReportPhone(world.database, 10).disown(DisownFamily(COVERED, "+255787000002"), world.clock.now())


async def what_is_new(world: World) -> None:
    """Of today: what the same people do."""
    async with world.database.writing() as tx:
        now = world.clock.now()
        await tx.callers.set_language("+255787000003", "en", now)
        await tx.callers.count_miss("+255787000003", now)
        await tx.inbox.keep(evidence(world, "forged today", "Wa Leo"), [])
        await tx.outbox.put([SendSms("+255787000003", "Leo", "held", "payment:today")], now)
    await world.execute(
        g.outbox.update().where(g.outbox.c.aggregate == "payment:today").values(state="done", done_at=world.clock.now())
    )


# --------------------------------------------------------------------------------------------------------------- when


BILL_LIFE = 30
SPANS = [
    ("texts", DAYS["texts_days"]),  # but for those about the bill
    ("askers", BILL_LIFE + DAYS["askers_days"]),
    ("guesses", DAYS["guesses_days"]),
    ("languages", DAYS["languages_days"]),
    ("reports", DAYS["reports_days"]),
    ("refused messages", DAYS["refused_days"]),
    ("evidence", DAYS["evidence_days"]),
    ("bills", BILL_LIFE + DAYS["evidence_days"]),
    ("statements", DAYS["evidence_days"]),
]


@pytest.mark.parametrize(("rule", "days"), SPANS)
async def test_each_has_its_time_and_not_a_second_less(
    world: World, folder: StatementFolder, rule: str, days: int
) -> None:
    begun = world.clock.time = world.clock.time.replace(hour=23, minute=0)  # a bill lives to the end of its last day
    await a_past(world, folder)
    ended, look = world.clock.time, Purge(world.database, world.clock, DAYS, folder)
    world.clock.time = begun + timedelta(days=days)
    assert (await look.due())[rule] == 0
    world.clock.time = ended + timedelta(days=days, hours=1)
    assert (await look.due())[rule] > 0


async def test_a_text_that_is_held_stays_until_its_case_is_closed(world: World, folder: StatementFolder) -> None:
    async with world.database.writing() as tx:
        await tx.outbox.put([SendSms(GUESSER, "Habari", "held", "payment:1/2")], world.clock.now())
    (text,) = await world.rows(g.outbox)
    await world.execute(g.outbox.update().values(state="held"))
    async with world.database.writing() as tx:
        await tx.cases.open(Case(CaseKind.EFFECT_HELD, f"outbox:{text['id']}"), world.clock.now())
    world.clock.pass_(days=400)
    await purge(world, world.database, folder)
    assert await world.count(g.outbox) == 1
    (case,) = await world.rows(g.case)
    await SettleCase(world.database, world.messages, world.clock)(case["id"], Decision(Act.CLOSE, "ester"))
    left = []
    for days in (DAYS["texts_days"] - 1, 2):
        world.clock.pass_(days=days)
        await purge(world, world.database, folder)
        left.append(await world.count(g.outbox))
    assert left == [1, 0]


async def test_a_message_about_no_money_waits_for_nobody(world: World, folder: StatementFolder) -> None:
    bill = await world.numbered(EXPIRED, OLD_NUMBER, ASKER)
    assert await world.told(ControlNumberGiven(bill.id, OLD_NUMBER, repeated=True)) == ["duplicate"]
    assert await world.told(ControlNumberGiven("nobody's", STRAY)) == ["unmatched"]
    assert await world.cases() == []
    world.clock.pass_(days=DAYS["evidence_days"] + 1)
    await purge(world, world.database, folder)
    assert (await world.count(g.inbox), await world.count(g.entry)) == (0, 0)


async def test_a_text_about_a_bill_stays_until_the_bills_life_is_over(world: World, folder: StatementFolder) -> None:
    """Asked again while it can be paid, the same bill gives the same text, which leaves once."""
    await world.numbered(EXPIRED, OLD_NUMBER, await world.phone(EXPIRED))
    await sent(world)
    left = []
    for days in (DAYS["texts_days"] + 1, DAYS["texts_days"] - 1 + BILL_LIFE, DAYS["texts_days"] + 1 + BILL_LIFE):
        now = world.clock.time
        world.clock.pass_(days=days)
        await purge(world, world.database, folder)
        left.append(await world.count(g.outbox, kind="send_sms"))
        world.clock.time = now
    assert left == [1, 1, 0]
    assert await world.count(g.outbox) == 1  # what was asked of the provider holds nobody's data


# -------------------------------------------------------------------------------------------------------- what is gone


async def test_what_is_due_is_gone_from_every_table_and_nothing_else_is(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    past = await a_past(world, folder)
    assert {canary for _, _, canary in holding(await everything(world), past.canaries)} == set(past.canaries)
    await what_waits(world)
    waiting = await everything(world)
    world.clock.pass_(days=11 * 366)
    await what_is_new(world)
    before = await everything(world)

    done = await purge(world, purger, folder)

    after = await everything(world)
    assert done.complete
    assert holding(after, past.canaries) == set()
    assert {row["id"] for row in after["gw_inbox"]} > {"unread", "forged today"}  # one case is open, one is of today
    assert not {row["id"] for row in after["gw_inbox"]} & {"forged", "day's message"}
    assert not any(folder.folder.iterdir())
    # what waits and what is new is as it was; what goes on besides is bookkeeping
    open_case = [row for row in after["gw_case"] if row["state"] == "open"]
    assert open_case == [row for row in waiting["gw_case"] if row["state"] == "open"]
    assert len(open_case) == 3
    assert after["gw_phone_report"] == waiting["gw_phone_report"] != []
    for table in ("gw_caller", "gw_miss"):
        assert after[table] == [row for row in before[table] if row["msisdn"] == "+255787000003"] != []
    texts = [row for row in after["gw_outbox"] if row["kind"] == "send_sms"]
    assert texts == [row for row in before["gw_outbox"] if row["aggregate"] in {"payment:waits", "payment:today"}]
    entries = {row["state"]: (row["notice"]["payer_name"], row["inbox_id"]) for row in after["gw_entry"]}
    assert {state: name for state, (name, _) in entries.items()} == {"unmatched": "Anasubiri", "new": "Hajasuluhishwa"}
    assert {inbox_id for _, inbox_id in entries.values()} < {row["id"] for row in after["gw_inbox"]}
    for table in set(before) - {rule.table for rule in EXPIRING} - {"gw_entry", "gw_audit", "gw_watermark"}:
        assert after[table] == before[table], table
    # money, numbers and states stay where the names went
    blanked = {"chfid": "", "payer_name": ""}
    assert after["gw_bill"] == [{**row, **blanked} for row in before["gw_bill"]]


async def test_an_old_payment_told_again_is_still_a_duplicate(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    past = await a_past(world, folder)
    world.clock.pass_(days=11 * 366)
    await purge(world, purger, folder)
    assert await world.rows(g.entry) == []
    premiums = await world.rows(t.premiums)
    assert await world.told(past.report) == ["duplicate"]
    assert await world.rows(t.premiums) == premiums
    assert await world.count(g.payment) == 1
    assert [sms for sms in await world.sms()] == []


async def test_the_audit_holds_with_counts_in_it_and_nobodys_data(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    past = await a_past(world, folder)
    async with world.database.writing() as tx:
        await tx.audit.seal(world.clock.now(), 1000)
    world.clock.pass_(days=11 * 366)
    done = await purge(world, purger, folder)
    async with world.database.writing() as tx:
        await tx.audit.seal(world.clock.now(), 1000)
        assert await tx.audit.verify() == []
    told = await world.rows(g.audit, action="data.purged")
    assert {row["subject"]: row["details"] for row in told} == {
        f"retention:{name}": {"rows": count} for name, count in done.rows.items() if count
    }
    assert holding({"gw_audit": told}, past.canaries) == set()


async def test_twice_is_once(world: World, purger: Database, folder: StatementFolder) -> None:
    await a_past(world, folder)
    world.clock.pass_(days=11 * 366)
    first = await purge(world, purger, folder)
    kept = await everything(world)
    again = await purge(world, purger, folder)
    assert sum(first.rows.values()) > 10
    assert (sum(again.rows.values()), again.complete) == (0, True)
    assert await everything(world) == kept


async def test_stopped_anywhere_it_goes_on(world: World, purger: Database, folder: StatementFolder) -> None:
    await a_past(world, folder)
    await what_waits(world)
    world.clock.pass_(days=11 * 366)
    due = await Purge(world.database, world.clock, DAYS, folder).due()
    runs = []
    for _ in range(sum(due.values()) + 2):  # a key may have several rows, never none
        runs.append(await purge(world, purger, folder, most=1, batch=1))
        if sum(runs[-1].rows.values()) == 0:
            break
    assert {name: sum(run.rows[name] for run in runs) for name in due} == due
    assert [run.complete for run in runs] == [False] * (len(runs) - 1) + [True]


async def test_a_row_on_which_work_begins_meanwhile_stays(world: World, folder: StatementFolder) -> None:
    await a_past(world, folder)
    now = world.clock.pass_(days=11 * 366)
    before = now - timedelta(days=DAYS["evidence_days"])
    async with world.database.reading() as tx:
        keys = list(await tx.retention.keys("evidence", before, None, 100))
    async with world.database.writing() as tx:
        await tx.cases.open(Case(CaseKind.SETTLE_FAILED, "entry:1", "fakepay", keys[0]), now)
        taken = await tx.retention.take("evidence", before, keys)
    assert taken == len(keys) - 1
    assert keys[0] in {row["id"] for row in await world.rows(g.inbox)}


# ------------------------------------------------------------------------------------------------------------ the rest


async def test_closed_cases_of_money_keep_what_was_decided(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    await what_waits(world)
    stray = next(row for row in await world.rows(g.case) if row["kind"] == "unknown_control_number")
    settle = SettleCase(world.database, world.messages, world.clock)
    await settle(stray["id"], Decision(Act.REJECT, "ester", "aliyelipa ni " + PAYER, why="not ours"))
    world.clock.pass_(days=DAYS["evidence_days"] + 1)
    await purge(world, purger, folder)
    (kept,) = await world.rows(g.case, id=stray["id"])
    assert kept == {**kept, "details": {}, "note": None, "state": "closed", "act": "reject", "amount_minor": 30_000_00}
    assert await world.told(PaymentReport("R7", STRAY, PRICE, world.clock.now())) == ["duplicate"]
    assert await world.rows(g.case, subject=stray["subject"]) == [kept]


async def test_whose_bill_it_was_is_known_until_its_money_is_seen_to(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    bill = await world.numbered(EXPIRED, OLD_NUMBER, ASKER)
    assert await world.told(world.payment(bill, "20000")) == ["case"]
    (case,) = await world.rows(g.case)
    settle, known = SettleCase(world.database, world.messages, world.clock), []
    await world.execute(g.bill.update().values(state="expired"))
    for decision in (None, Decision(Act.HOLD, "ester"), Decision(Act.REFUND, "ester", why="CHQ 1")):
        if decision is not None:
            await settle(case["id"], decision)
        world.clock.pass_(days=DAYS["evidence_days"] + BILL_LIFE + 1)
        await purge(world, purger, folder)
        found = await world.bill(bill.id)
        known.append((found.chfid == bill.chfid, found.payer_name == bill.payer_name, await world.count(g.inbox)))
    assert known == [(True, True, 1), (True, True, 1), (False, False, 0)]
    assert (await world.bill(bill.id)).control_number == OLD_NUMBER


async def test_one_file_of_two_days_goes_with_the_younger(
    world: World, purger: Database, folder: StatementFolder
) -> None:
    await statement(world, folder, "one file", world.today, "first")
    world.clock.pass_(days=30)
    await statement(world, folder, "one file", world.today, "second")
    left = []
    for days in (DAYS["evidence_days"] - 15, 30):
        world.clock.pass_(days=days)
        await purge(world, purger, folder)
        left.append((sorted(path.name for path in folder.folder.iterdir()), await world.count(g.statement, file="")))
    assert left == [(["one file"], 0), ([], 2)]


async def test_files_that_cannot_be_reached_are_not_called_gone(
    world: World, purger: Database, folder: StatementFolder, tmp_path: Path
) -> None:
    await statement(world, folder, "day", world.today, "message")
    world.clock.pass_(days=DAYS["evidence_days"] + 1)
    with pytest.raises(NoFolderError, match="is not here"):
        await purge(world, purger, StatementFolder(tmp_path / "not mounted", 10))
    assert await world.count(g.statement, file="day") == 1


async def test_a_purge_that_never_runs_is_noticed(world: World, purger: Database, folder: StatementFolder) -> None:
    watch, ages = WatchPurge(world.database, world.clock), []
    for days in (0, 1, 9):
        world.clock.pass_(days=days)
        await watch()
        ages.append(PURGE_AGE._value.get())
    await a_past(world, folder)
    world.clock.pass_(days=200)
    assert not (await purge(world, purger, folder, most=1)).complete  # something is left: the age goes on
    await watch()
    ages.append(PURGE_AGE._value.get())
    assert (await purge(world, purger, folder)).complete
    await watch()
    ages.append(PURGE_AGE._value.get())
    assert [round(age) for age in ages] == [0, 1, 10, 210, 0]
