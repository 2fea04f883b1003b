"""``kill -9`` again and again, of whichever process chance names, while payments and a day's account come in."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from processes_harness import World, new_reference, notification, until
from sqlalchemy import select
from test_processes_kill import numbered, receipts

from gateway.domain.clock import EAT, eat_day
from gateway.store.tables import bill, case, entry, inbox, payment, statement
from sandbox.envelope import seal
from sandbox.gepg_book import Payment
from sandbox.gepg_day_messages import DayRequest, account
from sandbox.keys import load_keys

PAYMENTS, TOLD, KILLS, AT_ONCE = 60, 5, 7, 12  # 300 callbacks, each under an id of its own


async def test_three_hundred_callbacks(world: World) -> None:
    """GePG delivers again until it hears 7101. From then on the payment is safe, whatever dies."""
    stack, chance = world.stack, random.Random(20261126)
    bills = await numbered(world, PAYMENTS)
    keys = load_keys(stack.keys)
    references = [new_reference() for _ in bills]
    calls = [
        (reference, notification(
            keys, reference=reference, number=number, bill_id=bill_id, msisdn=family.phones[0], paid_minor=3_000_000
        ))
        for reference, (family, number, bill_id) in zip(references, bills, strict=True)
        for _ in range(TOLD)
    ]  # fmt: skip
    chance.shuffle(calls)
    answered: list[str] = []
    unanswered = 0
    room, turn = asyncio.Semaphore(AT_ONCE), asyncio.Condition()

    async def deliver(reference: str, raw: bytes) -> None:
        nonlocal unanswered
        async with room:
            for base in [chance.choice(stack.bases) for _ in range(200)]:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    status, code = await world.post(raw, base=base)
                    if (status, code) == (200, "7101"):
                        async with turn:
                            answered.append(reference)
                            turn.notify_all()
                        return
                    assert status == 503, (status, code)
                unanswered += 1
                await asyncio.sleep(0.1)  # as a peer waits before its next try
            raise AssertionError(f"{reference} was never acknowledged")

    async def kill() -> None:
        """At places of the stream that chance names, serving and working processes alike; the next kill may meet a
        process that is just starting."""
        for at in sorted(chance.sample(range(5, PAYMENTS * TOLD - 30), KILLS)):
            async with turn:
                await turn.wait_for(lambda: len(answered) >= at)  # noqa: B023 - waited for before the next
            victim = chance.choice([*stack.serving, *stack.workers])
            victim.kill()
            victim.start()

    await asyncio.wait_for(asyncio.gather(kill(), *(deliver(*call) for call in calls)), 120)
    for child in (*stack.serving, *stack.workers):
        child.wait_ready()
    await world.quiet()
    print(f"\n[{stack.backend}] {KILLS} kills; {unanswered} tries without an acknowledgement, {len(answered)} with one")
    assert len(answered) == PAYMENTS * TOLD
    assert await receipts(world, references) == dict.fromkeys(references, 1), "each is one premium"
    rows = await world.sql.rows(select(payment.c.state).where(payment.c.reference.in_(references)))
    assert [row.state for row in rows] == ["settled"] * PAYMENTS
    ids = [bill_id for _, _, bill_id in bills]
    assert {row.state for row in await world.sql.rows(select(bill.c.state).where(bill.c.id.in_(ids)))} == {"paid"}
    assert await world.sql.count(case, case.c.bill_id.in_(ids)) == 0
    kept = await world.sql.rows(select(entry.c.notice).where(entry.c.kind == "payment"))
    assert sum(row.notice["reference"] in set(references) for row in kept) >= len(answered), "all that was acknowledged"


async def test_an_account_that_is_cut_off_by_a_kill(world: World) -> None:
    """Half an account is nothing; the whole one, delivered again, is one; acknowledged, it outlives its process."""
    stack = world.stack
    victim, base = stack.serving[0], stack.bases[0]
    folder = Path(stack.environment["GATEWAY_RECONCILIATION__FOLDER"])
    raw = an_account(world, lines=6_000)
    digest = hashlib.sha256(raw).hexdigest()
    begun = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield raw[: len(raw) // 2]  # more than is gathered before it is written
        begun.set()
        await asyncio.sleep(60)

    sending = asyncio.create_task(send(base, half()))
    await begun.wait()

    async def arrives() -> bool:
        return any(path.stat().st_size > 0 for path in (folder / "incoming").glob("*.part"))

    await until(arrives, "half an account in a file")
    victim.kill()
    with suppress(aiohttp.ClientError, OSError):
        await sending
    victim.restart()
    assert await world.sql.count(statement, statement.c.digest == digest) == 0
    assert await world.sql.count(inbox, inbox.c.digest == digest) == 0

    assert "7101" in await send(base, io.BytesIO(raw))
    victim.kill()  # right after its word
    victim.restart()
    assert "7101" in await send(base, io.BytesIO(raw))
    rows = await world.sql.rows(select(statement.c.file, statement.c.size).where(statement.c.digest == digest))
    assert [row.size for row in rows] == [len(raw)], "twice is once"
    assert (folder / rows[0].file).read_bytes() == raw

    async def hangs_up() -> AsyncIterator[bytes]:
        yield raw[:100_000]
        raise ConnectionResetError

    with suppress(aiohttp.ClientError, OSError):
        await send(base, hangs_up())
    assert "7101" in await send(base, io.BytesIO(raw))
    assert "Traceback" not in victim.tail(1_000_000), "a peer that hangs up is no fault of ours"


async def send(base: str, body: object) -> str:
    """On a connection of its own: a kept one ends with its process."""
    url, timeout = f"{base}/payments/gepg/reconciliations", aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession() as client, client.post(url, data=body, timeout=timeout) as response:
        return await response.text()


def an_account(world: World, lines: int) -> bytes:
    """Of money for nobody's numbers, ten days ago."""
    day = eat_day(datetime.now(UTC)) - timedelta(days=10)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=EAT)
    paid = [
        Payment(
            trx_id=f"{n:012d}", pay_ref_id=new_reference(), receipt=f"R{n}", channel="MOBILE", msisdn="+255770999999",
            payer="A", sp_code="SP19960", bill_id="NONE", control_number=f"19960{n:07d}", bill_minor=100,
            paid_minor=100, pay_opt=3, currency="TZS", at=at,
        )
        for n in range(lines)
    ]  # fmt: skip
    asked = DayRequest("v5", "99", "SP19960", "T1", day)
    return seal(account(asked, "RES-9", [(each, each.paid_minor) for each in paid]), load_keys(world.stack.keys))
