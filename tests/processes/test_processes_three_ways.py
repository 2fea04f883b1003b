"""One payment as a callback, as a redelivery and as a line of its day's account, to real processes: it counts once."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import aiohttp
import pytest
from processes_harness import Family, World, new_reference, run_gateway
from sqlalchemy import select

from adapters.registry.openimis.tables import premiums
from gateway.domain.clock import EAT, eat_day
from gateway.store.tables import bill, case, entry, payment
from sandbox.envelope import seal
from sandbox.generation import BY_NAME
from sandbox.gepg_book import Payment
from sandbox.gepg_day_messages import DayRequest, account
from sandbox.gepg_parcels import Parcels
from sandbox.keys import load_keys


class Told:
    """A payment of a past day, and how GePG tells of it."""

    def __init__(self, world: World, family: Family, number: str, bill_id: str, version: str, days_ago: int) -> None:
        self.world, self.version, self.keys = world, version, load_keys(world.stack.keys)
        self.day: date = eat_day(datetime.now(UTC)) - timedelta(days=days_ago)
        at = datetime.combine(self.day, time(0, 0, 1), EAT)  # the day before in UTC
        self.payment = Payment(
            trx_id="000000000001", pay_ref_id=new_reference(), receipt="R7", channel="MOBILE", msisdn=family.phones[0],
            payer="Asha Juma", sp_code="SP19960", bill_id=bill_id, control_number=number, bill_minor=3_000_000,
            paid_minor=3_000_000, pay_opt=3, currency="TZS", at=at, version=version,
        )  # fmt: skip
        self.parcels = Parcels(self.keys)
        first = self.parcels.payment(self.payment, at)
        self.payment.req_id, self.payment.raw = first.id_value, first.raw

    async def callbacks(self, count: int, fresh: bool) -> None:
        """To all serving processes in turn."""
        now = datetime.now(UTC)
        raws = [
            self.parcels.payment(self.payment, now, fresh=True).raw if fresh else self.payment.raw for _ in range(count)
        ]
        assert len(set(raws)) == (count if fresh else 1)
        bases = self.world.stack.bases

        async def post(number: int, raw: bytes) -> bytes:
            url = f"{bases[number % len(bases)]}/payments/gepg/payments"
            async with self.world.client.post(url, data=raw, timeout=aiohttp.ClientTimeout(total=20)) as response:
                return await response.read()

        answers = await asyncio.gather(*(post(number, raw) for number, raw in enumerate(raws)))
        assert all(b"7101" in answer for answer in answers)

    async def line(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """The day's account in a file, reconciled by the command; what is missing here is settled by the workers."""
        asked = DayRequest(self.version, "77", "SP19960", "T1", self.day)
        lines = [(self.payment, self.payment.paid_minor)]
        path = folder / "account.xml"
        path.write_bytes(seal(account(asked, "RES-1", lines), self.keys, BY_NAME[self.version]))
        environment = {**self.world.stack.environment, "GATEWAY_RECONCILIATION__FOLDER": str(folder / "statements")}
        arguments = ("reconcile", self.day.isoformat(), "--file", str(path), "--wait", "20", "--format", "json")
        return await asyncio.to_thread(run_gateway, *arguments, environment=environment)

    async def counts_once(self, family: Family) -> None:
        world, reference = self.world, self.payment.pay_ref_id
        await world.quiet()
        assert await world.sql.count(premiums, premiums.c.Receipt == reference) == 1
        told = await world.sql.rows(select(payment).where(payment.c.reference == reference))
        assert [(row.state, row.amount_minor) for row in told] == [("settled", 3_000_000)]
        assert len(await world.sms_like(family.phones[0], reference)) == 1
        number = self.payment.control_number
        assert await world.sql.count(case, case.c.subject == f"payment:{reference}/{number}") == 0
        assert await world.sql.scalar(select(bill.c.state).where(bill.c.family_id == family.id)) == "paid"

    async def states(self) -> Counter[str]:
        rows = await self.world.sql.rows(select(entry.c.state, entry.c.notice).where(entry.c.kind == "payment"))
        return Counter(row.state for row in rows if row.notice["reference"] == self.payment.pay_ref_id)


async def a_payment(world: World, version: str, days_ago: int) -> tuple[Family, Told]:
    family = await world.family()
    number = await world.number_for(family)
    await world.quiet()
    bill_id = str(await world.sql.scalar(select(bill.c.id).where(bill.c.family_id == family.id)))
    return family, Told(world, family, number, bill_id, version, days_ago)


@pytest.mark.parametrize("version", ["v4", "v5"])
@pytest.mark.parametrize(("order", "days_ago"), [("line first", 2), ("line between", 4)])
async def test_one_after_the_other(world: World, tmp_path: Path, version: str, order: str, days_ago: int) -> None:
    family, told = await a_payment(world, version, days_ago + (version == "v4"))
    if order == "line between":
        await told.callbacks(1, fresh=False)
        await world.quiet()
    done = await told.line(tmp_path)
    assert "Traceback" not in done.stderr, done.stderr
    assert await world.sql.count(premiums, premiums.c.Receipt == told.payment.pay_ref_id) == 1, "reconciling settles"
    await told.callbacks(3, fresh=True)
    await told.callbacks(1, fresh=False)
    await told.counts_once(family)
    assert (await told.states())["settled"] == 1


@pytest.mark.parametrize("version", ["v4", "v5"])
async def test_all_at_once(world: World, tmp_path: Path, version: str) -> None:
    """Twenty callbacks, twenty redeliveries and the account, over all serving processes and workers."""
    family, told = await a_payment(world, version, 6 + (version == "v4"))
    done, *_ = await asyncio.gather(
        told.line(tmp_path), told.callbacks(20, fresh=False), told.callbacks(20, fresh=True)
    )
    assert "Traceback" not in done.stderr, done.stderr
    await told.counts_once(family)
    states = await told.states()
    assert states["settled"] == 1
    assert states["duplicate"] in (39, 40), "the line is an entry of its own where it came before the first callback"
