"""Whatever is said of one bill, in any order, however often and by however many settlers: one premium at most."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_world import COVERED, NUMBER, World, opened

from adapters.registry.openimis import tables as t
from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.domain.money import Money
from gateway.ports import BillRefused, ControlNumberGiven, Notice
from gateway.service.messages import Messages
from gateway.store import tables as g

WHAT = ("number", "other number", "refusal", "payment", "payment without bill", "less", "more", "other reference")


@asynccontextmanager
async def a_world(backend: str, request: pytest.FixtureRequest, messages: Messages) -> AsyncIterator[World]:
    """Fresh for each example."""
    if backend == "sqlite":
        with TemporaryDirectory(prefix="gw-any-") as folder:
            path = Path(folder) / "gateway.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            async with _opened(f"sqlite:///{path}", messages) as world:
                yield world
        return
    server, name = request.getfixturevalue("postgres"), f"gw_any_{uuid4().hex[:12]}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
    async with _opened(server.url(name), messages) as world:
        yield world
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _opened(url: str, messages: Messages) -> AsyncIterator[World]:
    database = app.open_database(Settings(database=DatabaseSettings(url=url)))
    try:
        yield await opened(database, messages)
    finally:
        await database.close()


@given(
    said=st.lists(st.tuples(st.sampled_from(WHAT), st.booleans()), min_size=1, max_size=10),
    settlers=st.sampled_from([1, 4]),
    most=st.sampled_from([1, 3, 64]),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_at_most_one_premium_and_nothing_left_over(
    backend: str,
    request: pytest.FixtureRequest,
    messages: Messages,
    said: list[tuple[str, bool]],
    settlers: int,
    most: int,
) -> None:
    """``said``: what the provider says, and whether it is settled at once; ``most`` in a transaction."""

    async def play() -> None:
        async with a_world(backend, request, messages) as world:
            await _play(world, said, settlers, most)

    asyncio.run(play())


async def _play(world: World, said: list[tuple[str, bool]], settlers: int, most: int) -> None:
    bill = await world.ask(COVERED)
    policies = await world.count(t.policies, FamilyID=COVERED, ValidityTo=None)
    exact = world.payment(bill, control_number=NUMBER)
    vocabulary: dict[str, Notice] = {
        "number": ControlNumberGiven(bill.id, NUMBER),
        "other number": ControlNumberGiven(bill.id, "994129999999"),
        "refusal": BillRefused(bill.id, "7204", "no"),
        "payment": exact,
        "payment without bill": replace(exact, bill_id=None),
        "less": replace(exact, amount=Money.parse("29999.99")),
        "more": replace(exact, amount=Money.parse("60000")),
        "other reference": replace(exact, reference="R2"),
    }
    for word, settle_now in said:
        await world.receive(vocabulary[word])
        if settle_now:
            await world.settle_all(settlers, most)
    await world.settle_all(settlers, most)
    world.clock.pass_(minutes=20)  # what lost a race on a unique key is tried again
    await world.settle_all(settlers, most)

    entries = await world.rows(g.entry)
    assert "new" not in [entry["state"] for entry in entries]
    new = [p for p in await world.rows(t.premiums) if p["Receipt"] in ("R1", "R2")]
    settled = [entry for entry in entries if entry["kind"] == "payment" and entry["state"] == "settled"]
    after = await world.bill(bill.id)
    assert len(new) == len(settled) <= 1
    assert await world.count(t.policies, FamilyID=COVERED, ValidityTo=None) == policies + len(new)
    assert (after.state == "paid") == (len(new) == 1)
    assert after.paid == (bill.amount if new else Money(0))
    assert [message for message, _ in await world.sms()].count("covered") == len(new)
    # a reference and number have one row, and every report that was not applied is a twin or stands in the list
    assert await world.count(g.payment) == len({e["notice"]["reference"] for e in entries if e["kind"] == "payment"})
    subjects = {case["subject"] for case in await world.rows(g.case)}
    for entry in entries:
        if entry["state"] in ("conflicting", "case") or (entry["kind"], entry["state"]) == ("payment", "unmatched"):
            notice = entry["notice"]
            payment = f"payment:{notice.get('reference')}/{notice['control_number']}"
            assert {payment, f"number:{notice['control_number']}/{bill.id}"} & subjects
