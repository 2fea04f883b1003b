"""``imis-gateway reconcile`` beside running processes: asked, answered at whichever serves, matched, settled once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from processes_harness import Child, Family, Sql, World, gateway_command, new_families, run_gateway, until
from sqlalchemy import insert, select

from adapters.registry.openimis.tables import premiums
from bench import statement_data
from gateway.domain.clock import EAT, eat_day
from gateway.store.tables import case, inbox, payment, statement, statement_line

LINES = 120_000  # a file that other processes read, in several commits
_days = iter(range(2, 200))  # each test has a day of its own


@pytest.fixture
def day() -> date:
    return eat_day(datetime.now(UTC)) - timedelta(days=next(_days))


async def reconcile(world: World, day: date, *more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, report, and what was said beside it."""
    done = await asyncio.to_thread(
        run_gateway,
        *("reconcile", day.isoformat(), "--format", "json", "--wait", "20", *more),
        environment=world.stack.environment,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def kinds(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(d["kind"], d["became"]) for d in report["differences"]]


async def paid(world: World, day: date, count: int) -> list[tuple[Family, dict[str, Any]]]:
    """Families that paid on that day; the callbacks are settled."""
    made = []
    for family in await new_families(world.sql, count, members=1):
        number = await world.number_for(family)
        made.append((family, await world.pay(number, family.phones[0], day=day.isoformat())))
    await world.quiet()
    return made


async def test_a_lost_callback_is_found_and_settled_once(world: World, day: date) -> None:
    await paid(world, day, 1)
    await world.fault("payment_notification", "drop", forever=True)
    [(_, lost)] = await paid(world, day, 1)
    await world.no_faults()
    code, report, said = await reconcile(world, day)
    assert code == 1, said
    assert kinds(report) == [("missing_here", "settled")]
    assert report["differences"][0]["reference"] == lost["pay_ref_id"]
    assert report["totals"]["provider"] == {"count": 2, "minor": {"TZS": 6_000_000}} == report["totals"]["ours"]
    assert await world.sql.count(premiums, premiums.c.Receipt == lost["pay_ref_id"]) == 1
    asked = await world.sql.count(inbox, inbox.c.route == "reconciliations")
    assert (await reconcile(world, day))[:2] == (code, report), "the same, whenever it is made"
    assert await world.sql.count(inbox, inbox.c.route == "reconciliations") == asked, "it was not asked for again"
    assert (await reconcile(world, day, "--show"))[1] == report
    assert await world.sql.count(premiums, premiums.c.Receipt == lost["pay_ref_id"]) == 1


async def test_a_day_that_matches_is_closed(world: World, day: date) -> None:
    await paid(world, day, 2)
    assert (await reconcile(world, day, "--close", "--by", "Asha"))[0] == 1, "not reconciled yet"
    code, report, said = await reconcile(world, day)
    assert (code, kinds(report)) == (0, []), said
    assert report["kinds"]["matched"] == {"count": 2, "minor": {"TZS": 6_000_000}}
    assert (await reconcile(world, day, "--close", "--by", "Asha"))[0] == 0
    _, _, said = await reconcile(world, day, "--close", "--by", "Juma")
    assert "closed already, by Asha" in said


@pytest.mark.parametrize(
    ("fault", "differs"),
    [
        ("missing_line", [("missing_there", "ask")]),
        ("extra_line", [("unknown_bill", "person")]),
        ("other_amount", [("different_amount", "person")]),
        ("double_line", [("twice", "ask")]),
    ],
)
async def test_an_account_that_disagrees(world: World, day: date, fault: str, differs: list[tuple[str, str]]) -> None:
    made = await paid(world, day, 2)
    await world.fault("reconciliation", fault)
    code, report, said = await reconcile(world, day)
    assert (code, kinds(report)) == (1, differs), said
    references = [payment["pay_ref_id"] for _, payment in made]
    assert await world.sql.count(premiums, premiums.c.Receipt.in_(references)) == 2
    code, report, said = await reconcile(world, day, "--again")
    others = [("missing_there", "ask")] if fault == "extra_line" else []
    assert (code, kinds(report)) == (bool(others), others), said


async def test_an_account_that_does_not_come(world: World, day: date) -> None:
    await world.fault("reconciliation", "drop", forever=True)
    code, report, said = await reconcile(world, day, "--wait", "2")
    assert (code, report) == (1, {})
    assert "REC-NO-STATEMENT: SP19960: no answer in time" in said


async def test_a_forged_account_is_never_believed(world: World, day: date, tmp_path: Path) -> None:
    from sandbox.keys import ensure_keys

    ensure_keys(tmp_path / "others")
    path = tmp_path / "forged.xml"
    statement_data.write_statement(path, "v5", 10, tmp_path / "others/gepg.key.pem", day)
    before = await world.sql.count(statement)
    code, report, said = await reconcile(world, day, "--file", str(path))
    assert (code, report) == (1, {})
    assert "bad_signature" in said
    status, ack = await world.post(path.read_bytes(), "reconciliations")
    assert (status, ack) == (200, "7303")
    assert await world.sql.count(statement) == before
    assert await world.sql.count(inbox, inbox.c.route == "reconciliations", inbox.c.verdict == "bad_signature") >= 1


@pytest.mark.parametrize("version", ["v5", "v4"])
async def test_a_signed_file_of_either_generation(world: World, day: date, tmp_path: Path, version: str) -> None:
    path = tmp_path / "statement.xml"
    first = 1_000 if version == "v4" else 2_000
    numbers = range(first, first + 5)
    statement_data.write_statement(path, version, numbers, world.stack.keys / "gepg.key.pem", day)
    code, report, said = await reconcile(world, day, "--file", str(path), "--by", "Asha")
    assert (code, kinds(report)) == (1, [("unknown_bill", "person")] * 5), said
    rows = await world.sql.rows(
        select(payment.c.reference).where(
            payment.c.inbox_id.in_(select(statement.c.inbox_id).where(statement.c.day == day))
        )
    )
    assert sorted(row.reference for row in rows) == [statement_data.reference_of(n) for n in numbers]


async def test_a_banks_csv(world: World, day: date, tmp_path: Path) -> None:
    path, output = tmp_path / "bank.csv", tmp_path / "report.csv"
    path.write_text('Ref;Account;Paid\nCSV1;990000000001;30000.00\nCSV2;990000000002;"30,000"\n')
    columns = "reference=Ref,control_number=Account,amount=Paid"
    code, report, said = await reconcile(world, day, "--file", str(path), "--provider", "nmb", "--columns", columns)
    assert (code, kinds(report)) == (1, [("unknown_bill", "person"), ("unreadable", "ask")]), said
    done = await asyncio.to_thread(
        run_gateway,
        *("reconcile", day.isoformat(), "--provider", "nmb", "--show", "--format", "csv", "--output", str(output)),
        environment=world.stack.environment,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert output.read_text().splitlines()[1].startswith("unknown_bill,1,990000000001,CSV1,TZS,30000.00,30000.00,")
    assert await world.sql.count(case, case.c.subject == "payment:CSV1/990000000001") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["2026-13-01"],
        ["yesterday"],
        ["2999-01-01"],
        ["{today}"],
        ["2026-01-01", "--columns", "amount=A"],
        ["2026-01-01", "--file", "/nowhere"],
        ["2026-01-01", "--again", "--close"],
        ["2026-01-01", "--format", "xml"],
    ],
    ids=" ".join,
)
def test_wrong_use(environment: dict[str, str], words: list[str]) -> None:
    today = eat_day(datetime.now(UTC)).isoformat()
    done = run_gateway("reconcile", *(word.format(today=today) for word in words), environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


@pytest.fixture
async def alone(
    settings: dict[str, str], fresh_database: Any, tmp_path: Path
) -> AsyncIterator[tuple[dict[str, str], Sql]]:
    """A database and a folder without any process beside."""
    url = fresh_database()
    sql = Sql(url)
    yield {**settings, "GATEWAY_DATABASE__URL": url, "GATEWAY_RECONCILIATION__FOLDER": str(tmp_path / "folder")}, sql
    await sql.close()


async def test_a_killed_run_goes_on_where_it_was(
    alone: tuple[dict[str, str], Sql], day: date, tmp_path: Path, keys: Path
) -> None:
    """Large enough for processes of its own; none of them outlives it."""
    environment, sql = alone
    await _held(sql, day)
    path, report = tmp_path / "statement.xml", tmp_path / "report.json"
    statement_data.write_statement(path, "v5", LINES, keys / "gepg.key.pem", day)
    words = ["reconcile", day.isoformat(), "--file", str(path), "--format", "json", "--output", str(report)]
    child = Child("reconcile", gateway_command(*words), environment, tmp_path / "log", "")
    child.start()
    assert child.process is not None

    async def begun() -> bool:
        return bool(await sql.count(statement, statement.c.position > 0))

    await until(begun, "the first lines are staged", every_s=0.005)
    readers = children_of(child.process.pid)
    child.kill()
    assert readers, "it read by itself"
    [found] = await sql.rows(select(statement))
    assert 0 < found.lines < LINES, "it was not killed half way"
    assert found.lines == await sql.count(statement_line)

    async def gone() -> bool:
        return not any(is_alive(pid) for pid in readers)

    await until(gone, "the end of the readers")
    again = Child("again", gateway_command(*words), environment, tmp_path / "log", "")
    again.start()
    assert again.process is not None
    assert await asyncio.to_thread(again.process.wait, 120) == 0, again.tail()
    [after] = await sql.rows(select(statement))
    assert after.id == found.id, "the same statement"
    told = json.loads(report.read_text())
    total = sum(statement_data.amount_minor_of(number) for number in range(1, LINES + 1))
    assert told["totals"]["provider"] == {"count": LINES, "minor": {"TZS": total}} == told["kinds"]["matched"]


async def _held(sql: Sql, day: date) -> None:
    """Each line's payment."""
    at = datetime.combine(day, time(12), EAT)
    always = {"digest": "", "provider": "gepg", "currency": "TZS", "paid_at": at, "state": "settled"}
    always |= {"inbox_id": "callback", "first_seen_at": at, "updated_at": at}
    async with sql.writing() as connection:
        for start in range(1, LINES + 1, 10_000):
            rows = [
                {
                    "reference": statement_data.reference_of(number),
                    "control_number": statement_data.control_number_of(number),
                    "amount_minor": statement_data.amount_minor_of(number),
                    **always,
                }
                for number in range(start, min(start + 10_000, LINES + 1))
            ]
            await connection.execute(insert(payment), rows)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
