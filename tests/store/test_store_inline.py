"""Reads of SQLite on the event loop: whatever others do with the file, every caller waits for such a read."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from adapters.registry.openimis import OpenImisRegistry
from gateway.store import tables as g
from gateway.store.database import Database


async def test_a_file_that_somebody_keeps_to_himself_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    database = Database(f"sqlite:///{path}", OpenImisRegistry)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(g.metadata.create_all)
        await database.engine.dispose()
        keeper = sqlite3.connect(path, isolation_level=None)
        keeper.execute("PRAGMA locking_mode=EXCLUSIVE")
        keeper.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(OperationalError):
            async with database.reading() as tx:
                await tx.outbox.due("sms", datetime.now(UTC))
        assert time.monotonic() - began < 9, "a writer waits ten seconds, a read on the event loop must not"
        keeper.close()
        async with database.reading() as tx:
            assert not await tx.outbox.due("sms", datetime.now(UTC))
    finally:
        await database.close()
