"""One payment told of three ways, in both generations, in GePG's own words: it counts once, in any order and at once.

The ways: a callback; the same facts in a redelivery with other ids and another signature; a line of the day's account.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from service_world import COVERED, NUMBER, World

from adapters.payments.gepg import GepgProvider, GepgSettings, load_peer_key, load_private_key
from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill
from gateway.domain.clock import EAT
from gateway.ports import DayOrder, Statement, StatementLines
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.service.accept_statement import AcceptStatement, reading_of
from gateway.service.reconcile_day import Expected, ReconcileDay
from gateway.service.stage_statement import StageStatement
from gateway.service.statement_files import StatementFolder
from gateway.store import tables as g
from sandbox.envelope import seal
from sandbox.generation import BY_NAME
from sandbox.gepg_book import Payment
from sandbox.gepg_day_messages import DayRequest, account
from sandbox.gepg_parcels import Parcels
from sandbox.keys import load_keys

WAYS = ("callback", "redelivery", "line")


class ThreeWays:
    """What GePG says of one payment of yesterday, and how it comes to us."""

    def __init__(self, world: World, bill: Bill, version: str, keys: Path, folder: Path) -> None:
        self.world, self.bill, self.version, self._ring = world, bill, version, load_keys(keys)
        self.day = world.today - timedelta(days=1)
        at = datetime.combine(self.day, time(23, 59, 59), EAT)  # the last second of that day in East Africa
        self.payment = Payment(
            trx_id="000000000001", pay_ref_id="926330000000001", receipt="R7", channel="MOBILE", msisdn="+255712000001",
            payer="Asha Juma", sp_code=bill.provider_code or "SP19960", bill_id=bill.id, control_number=NUMBER,
            bill_minor=3_000_000, paid_minor=3_000_000, pay_opt=3, currency="TZS", at=at, version=version,
        )  # fmt: skip
        self.parcels = Parcels(self._ring)
        first = self.parcels.payment(self.payment, at)
        self.payment.req_id, self.payment.raw = first.id_value, first.raw
        self.provider = GepgProvider(
            GepgSettings(
                url="http://127.0.0.1:9/gepg", sp_code="SP19960", system_code="T1", sub_sp_code="1001", gfs_code="1",
                private_key=load_private_key(keys / "sp.key.pem"), coll_cent_code="HQ", generated_by="a",
                peer_certificates=(load_peer_key(keys / "gepg.crt.pem"),), approved_by="b", payer_email="a@b.example",
            )
        )  # fmt: skip
        self.accept = AcceptCallback(world.database, world.clock, ForgeryQuota())
        self.folder = StatementFolder(folder, 1_000_000)
        self.take_in = AcceptStatement(world.database, world.clock, self.folder, ForgeryQuota())
        stage = StageStatement(world.database, self.folder, self.lines_of)
        self.reconcile = ReconcileDay(world.database, world.clock, self.folder, self.lines_of, stage, world.settle.one)

    def lines_of(self, known: Statement) -> StatementLines:
        return self.provider.lines_of(reading_of(known))

    async def callback(self) -> None:
        await self._callback(self.payment.raw)

    async def redelivery(self) -> None:
        fresh = self.parcels.payment(self.payment, self.world.clock.now(), fresh=True)
        assert fresh.raw != self.payment.raw
        await self._callback(fresh.raw)

    async def _callback(self, raw: bytes) -> None:
        reply = await self.accept(self.provider, "payments", raw, len(raw), {})
        assert b"7101" in reply.body

    async def line(self) -> None:
        """The day is asked for, its account comes, and is reconciled."""
        asked = DayRequest(self.version, "77", self.payment.sp_code, "T1", self.day)
        async with self.world.database.writing() as tx:
            order = DayOrder(self.day, self.payment.sp_code, asked.request_id)
            await tx.reconciliations.add_order(self.provider.name, order, self.world.clock.now())
        raw = seal(
            account(asked, "RES-1", [(self.payment, self.payment.paid_minor)]), self._ring, BY_NAME[self.version]
        )
        incoming = self.folder.take_in()
        incoming.write(raw)
        incoming.end()
        reply = await self.take_in(self.provider, "reconciliations", incoming, {})
        assert b"7101" in reply.body
        await self.report()

    async def report(self) -> dict[str, Any]:
        return dict(await self.reconcile(self.provider.name, self.day, Expected(None), 10))


@pytest.fixture
async def told(request: pytest.FixtureRequest, world: World, keys: Path, tmp_path: Path) -> ThreeWays:
    bill = await world.numbered(COVERED)
    return ThreeWays(world, bill, request.param, keys, tmp_path)


BOTH = pytest.mark.parametrize("told", ["v4", "v5"], indirect=True)


async def counts_once(told: ThreeWays, ways: Sequence[str]) -> None:
    world, reference = told.world, told.payment.pay_ref_id
    await world.settle_all()
    assert await world.count(t.premiums, Receipt=reference) == 1, "one premium, one receipt"
    (known,) = await world.rows(g.payment)
    assert (known["reference"], known["control_number"], known["state"]) == (reference, NUMBER, "settled")
    assert [message for message, _ in await world.sms()].count("covered") == 1
    assert await world.cases() == []
    assert (await world.bill(told.bill.id)).paid == told.bill.amount
    states = sorted(row["state"] for row in await world.rows(g.entry, kind="payment"))
    assert states == ["duplicate"] * (len(states) - 1) + ["settled"]
    if "line" in ways:
        report = await told.report()
        assert report["pending"] == 0
        assert report["totals"]["provider"] == report["totals"]["ours"] == {"count": 1, "minor": {"TZS": 3_000_000}}
        counts = {kind: tally["count"] for kind, tally in report["kinds"].items() if tally["count"]}
        assert counts in ({"matched": 1}, {"missing_here": 1}), "met before the others, the line was what settled it"


@BOTH
@pytest.mark.parametrize("ways", list(itertools.permutations(WAYS)), ids=" ".join)
@pytest.mark.parametrize("settle_between", [False, True], ids=["settled at the end", "settled between"])
async def test_in_any_order(told: ThreeWays, ways: tuple[str, ...], settle_between: bool) -> None:
    for way in ways:
        await getattr(told, way)()
        if settle_between:
            await told.world.settle_all()
    await counts_once(told, ways)


@BOTH
@pytest.mark.parametrize("settlers", [1, 4])
async def test_all_at_once(told: ThreeWays, settlers: int) -> None:
    """Each way twice, while settlers run."""

    async def settling() -> None:
        for _ in range(60):
            await told.world.settle.one()
            await asyncio.sleep(0.002)

    ways = [told.callback, told.redelivery, told.line, told.redelivery, told.callback]
    await asyncio.gather(*(way() for way in ways), *(settling() for _ in range(settlers)))
    await told.world.settle_all(settlers)
    told.world.clock.pass_(minutes=20)  # what lost a race on a unique key is tried again
    await counts_once(told, WAYS)
    assert await told.world.count(g.inbox) >= 5
