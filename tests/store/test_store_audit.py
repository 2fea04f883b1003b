"""The audit's chain: sealed beside the work, and every tampering found."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import event, text
from store_samples import NOW, after, only_postgresql, rows, sql

from gateway.store import tables as g
from gateway.store.audit import SqlAudit
from gateway.store.database import Database


async def note(database: Database, count: int, action: str = "case.settled") -> None:
    async with database.writing() as tx:
        for number in range(count):
            await tx.audit.add("asha", action, f"case:{number}", NOW, amount_minor=number, words="namba — sawa")


async def seal(database: Database, limit: int = 1000) -> int:
    async with database.writing() as tx:
        return await tx.audit.seal(after(seconds=1), limit)


async def breaks(database: Database) -> list[str]:
    async with database.reading() as tx:
        return list(await tx.audit.verify())


async def test_sealed_in_batches_until_nothing_is_left(database: Database) -> None:
    await note(database, 7)
    assert [await seal(database, 3) for _ in range(4)] == [3, 3, 1, 0]
    seals = await rows(database, g.audit_seal)
    assert [s["seq"] for s in seals] == [1, 2, 3, 4, 5, 6, 7]
    assert [s["audit_id"] for s in seals] == [a["id"] for a in await rows(database, g.audit)]
    assert seals[0]["previous"] == "0" * 64
    assert [s["previous"] for s in seals[1:]] == [s["digest"] for s in seals[:-1]]
    assert len({s["digest"] for s in seals}) == 7
    assert await breaks(database) == []


async def test_sealing_touches_no_audit_row(database: Database) -> None:
    await note(database, 3)
    before = await rows(database, g.audit)
    await seal(database)
    assert await rows(database, g.audit) == before


async def test_a_chain_longer_than_a_page_holds(database: Database) -> None:
    await note(database, 1_005)
    assert [await seal(database), await seal(database)] == [1000, 5]
    assert await breaks(database) == []
    await sql(database, "UPDATE gw_audit SET actor = 'juma' WHERE id = 1004")
    assert await breaks(database) == ["audit row 1004 was changed"]


@only_postgresql
async def test_a_lower_id_that_commits_late_is_sealed_too(database: Database) -> None:
    async with database.writing() as slow:
        await slow.audit.add("asha", "first.by.id", "case:1", NOW)
        await note(database, 2)
        assert await seal(database) == 2
    assert await seal(database) == 1
    assert [s["audit_id"] for s in await rows(database, g.audit_seal)] == [2, 3, 1]
    assert await breaks(database) == []


async def test_two_sealers_at_once_make_one_chain(database: Database) -> None:
    await note(database, 40)
    done: list[int] = []

    async def sealer() -> None:
        while sum(done) < 40:
            done.append(await seal(database, 3))

    await asyncio.wait_for(asyncio.gather(*(sealer() for _ in range(4))), 20)
    assert sum(done) == 40
    assert await breaks(database) == []


@only_postgresql
async def test_a_second_sealer_does_not_wait(database: Database) -> None:
    await note(database, 2)
    async with database.writing() as first:
        assert await first.audit.seal(NOW, 10) == 2
        assert await asyncio.wait_for(seal(database), 5) == 0
    assert len(await rows(database, g.audit_seal)) == 2


TAMPERINGS = [
    ("UPDATE gw_audit SET actor = 'juma' WHERE id = 2", ["audit row 2 was changed"]),
    ("UPDATE gw_audit SET action = 'nothing' WHERE id = 2", ["audit row 2 was changed"]),
    ("UPDATE gw_audit SET subject = 'case:9' WHERE id = 3", ["audit row 3 was changed"]),
    ("UPDATE gw_audit SET details = '{\"amount_minor\": 99}' WHERE id = 2", ["audit row 2 was changed"]),
    ("UPDATE gw_audit SET at = '2026-11-22 08:15:30.123457' WHERE id = 2", ["audit row 2 was changed"]),
    ("DELETE FROM gw_audit WHERE id = 2", ["audit row 2 was removed"]),
    (
        "DELETE FROM gw_audit_seal WHERE seq = 2",
        ["seals 2 to 2 are missing", "seal 3 does not continue the one before it"],
    ),
    (
        "DELETE FROM gw_audit_seal WHERE seq <= 2",
        ["seals 1 to 2 are missing", "seal 3 does not continue the one before it"],
    ),
    (
        "UPDATE gw_audit_seal SET digest = previous WHERE seq = 2",
        ["audit row 2 was changed", "seal 3 does not continue the one before it"],
    ),
]


async def test_every_tampering_is_found(database: Database) -> None:
    await note(database, 4)
    await seal(database)
    assert await breaks(database) == []
    for tampering, found in TAMPERINGS:
        async with database.engine.connect() as connection:
            await connection.execute(text(tampering))
            assert await SqlAudit(connection).verify() == found, tampering
            await connection.rollback()
    assert await breaks(database) == []


@only_postgresql
async def test_sealing_looks_back_a_little_and_never_over_all_history(database: Database) -> None:
    """With 50,000 sealed rows and one new, the seal reads by index."""
    await sql(
        database,
        "INSERT INTO gw_audit (at, actor, action, subject, details)"
        " SELECT now(), 'a', 'b', 'c', '{}' FROM generate_series(1, 50000)",
        "INSERT INTO gw_audit_seal SELECT n, n, repeat('0', 64), repeat('0', 64), now()"
        " FROM generate_series(1, 50000) n",
        "ANALYZE gw_audit, gw_audit_seal",
    )
    await note(database, 1)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "NOT (EXISTS" in statement:
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))

    event.listen(database.engine.sync_engine, "before_cursor_execute", explain)
    assert await seal(database) == 1
    assert "Seq Scan on gw_audit " not in plans[0]
    assert "pk_gw_audit" in plans[0]
