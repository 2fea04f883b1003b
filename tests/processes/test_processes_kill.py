"""``kill -9`` of serving processes and of workers: nothing that was acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
from processes_harness import RECEIPT, Family, World, new_families, new_reference, notification, until
from sqlalchemy import select

from adapters.registry.openimis.tables import policies, premiums
from gateway.domain.policy import PolicyStatus
from gateway.store.tables import bill, case, entry, inbox, outbox, payment
from sandbox.keys import load_keys

GATE = 40  # callers at once, so that the sandbox and we share two cores decently


async def numbered(world: World, count: int) -> list[tuple[Family, str, str]]:
    """Families with their control number and bill id, by way of the menu."""
    families = await new_families(world.sql, count, members=1)
    gate = asyncio.Semaphore(GATE)

    async def ask(family: Family) -> str:
        async with gate:
            return await world.number_for(family)

    numbers = await asyncio.gather(*(ask(family) for family in families))
    rows = await world.sql.rows(
        select(bill.c.family_id, bill.c.id).where(bill.c.family_id.in_([f.id for f in families]))
    )
    ids = {row.family_id: row.id for row in rows}
    assert len(ids) == count, "one bill a family"
    await world.quiet()
    return [(family, number, ids[family.id]) for family, number in zip(families, numbers, strict=True)]


async def receipts(world: World, references: list[str]) -> Counter[str]:
    """How many premiums carry each reference."""
    rows = await world.sql.rows(select(premiums.c.Receipt).where(premiums.c.Receipt.in_(references)))
    return Counter(row.Receipt for row in rows)


async def covered_texts(world: World, references: list[str]) -> Counter[str]:
    """How often each payment's confirmation reached a phone."""
    wanted = set(references)
    texts = [message["text"] for message in await world.sandbox("GET", "/sandbox/sms")]
    found = (RECEIPT.search(text) for text in texts)
    return Counter(match[1] for match in found if match and match[1] in wanted)


async def test_serving_process_killed_between_its_ack_and_the_sms(world: World) -> None:
    """No SMS gets through until the process is dead, so the one that arrives was sent by its successor."""
    [(family, number, bill_id)] = await numbered(world, 1)
    reference = new_reference()
    raw = notification(
        load_keys(world.stack.keys),
        reference=reference,
        number=number,
        bill_id=bill_id,
        msisdn=family.phones[0],
        paid_minor=3_000_000,
    )
    await world.fault("sms", "drop", times=1_000)
    for victim, base in zip(world.stack.serving, world.stack.bases, strict=True):
        assert await world.post(raw, base=base) == (200, "7101")
        victim.kill()
    assert await covered_texts(world, [reference]) == {}
    for victim in world.stack.serving:
        victim.start()
    for victim in world.stack.serving:
        victim.wait_ready()
    await world.no_faults()
    await world.quiet()
    assert await receipts(world, [reference]) == {reference: 1}
    assert await covered_texts(world, [reference]) == {reference: 1}
    assert await world.sql.count(inbox, inbox.c.message_id.is_not(None), inbox.c.body == raw) == len(
        world.stack.serving
    )


async def test_worker_killed_in_the_middle_of_sixty_payments(world: World) -> None:
    """Premiums exactly once, every SMS at least once. Twice only what was in flight: an SMS has no idempotency key."""
    stack = world.stack
    bills = await numbered(world, 60)
    keys = load_keys(stack.keys)
    references = [new_reference() for _ in bills]
    calls = [
        notification(
            keys, reference=reference, number=number, bill_id=bill_id, msisdn=family.phones[0], paid_minor=3_000_000
        )
        for reference, (family, number, bill_id) in zip(references, bills, strict=True)
    ]
    victim = stack.working[0]
    for worker in stack.workers:  # so that all sixty wait, and one worker meets them as a batch
        assert worker.stop() == 0
    await world.fault("sms", "delay", times=10_000, seconds=0.4)
    answered = asyncio.create_task(_post_all(world, calls))
    if stack.workers:
        assert await answered == [(200, "7101")] * 60
        victim.start()

    async def some_settled() -> int:
        return sum((await receipts(world, references)).values())

    settled = await until(some_settled, "the first premium", every_s=0.002)
    victim.kill()
    acks = await answered  # on SQLite the worker is the serving process: some callers had no answer, they call again
    settled = await some_settled()
    victim.restart()
    again = [call for call, ack in zip(calls, acks, strict=True) if ack != (200, "7101")]
    assert await _post_all(world, again) == [(200, "7101")] * len(again)

    async def amid_a_batch() -> int:
        out = len(await covered_texts(world, references))
        return await world.sql.count(outbox, outbox.c.state == "leased") if out >= 12 else 0

    leased = await until(amid_a_batch, "a batch of SMS half-way")
    victim.kill()
    sent = sum((await covered_texts(world, references)).values())
    for worker in stack.working:
        if worker.process is None or worker.process.poll() is not None:
            worker.start()
    for worker in stack.working:
        worker.wait_ready()
    await world.quiet()

    assert await receipts(world, references) == dict.fromkeys(references, 1)
    texts = await covered_texts(world, references)
    assert set(texts) == set(references), "no confirmation is lost"
    twice = sum(count - 1 for count in texts.values())
    print(
        f"\n[{stack.backend}] killed with {settled} of 60 settled and again with {sent} of 60 SMS out,"
        f" {leased} leased; {len(again)} callbacks had to be sent again; SMS delivered twice: {twice}"
    )
    assert 0 < sent < 60
    assert twice <= 2 * stack.sms_window, "at most what was in flight at each kill"
    rows = await world.sql.rows(select(payment.c.state).where(payment.c.reference.in_(references)))
    assert [row.state for row in rows] == ["settled"] * 60
    families = [family.id for family, _, _ in bills]
    active = await world.sql.count(
        policies,
        policies.c.FamilyID.in_(families),
        policies.c.ValidityTo.is_(None),
        policies.c.PolicyStatus == PolicyStatus.ACTIVE,
    )
    assert active == 60
    assert await world.sql.count(case, case.c.bill_id.in_([bill_id for _, _, bill_id in bills])) == 0


async def test_serving_process_killed_amid_a_hundred_callbacks(world: World) -> None:
    """Whatever was answered 7101 is settled afterwards; what was not may be sent again, and is one premium too."""
    stack = world.stack
    bills = await numbered(world, 50)
    keys = load_keys(stack.keys)
    references = [new_reference() for _ in bills]
    calls, told = [], []
    for reference, (family, number, bill_id) in zip(references, bills, strict=True):
        for _ in range(2):  # each payment twice, under ids of its own
            told.append(reference)
            calls.append(
                notification(
                    keys,
                    reference=reference,
                    number=number,
                    bill_id=bill_id,
                    msisdn=family.phones[0],
                    paid_minor=3_000_000,
                )
            )
    victim = stack.serving[0]
    done = asyncio.Event()
    acks = asyncio.create_task(_post_all(world, calls, stack.bases[0], (25, done), at_once=10))
    await asyncio.wait_for(done.wait(), 20)
    victim.kill()
    answers = await acks
    kept = {reference for reference, answer in zip(told, answers, strict=True) if answer == (200, "7101")}
    lost = [number for number, answer in enumerate(answers) if answer is None]
    print(
        f"\n[{stack.backend}] killed after {len(answers) - len(lost)} of 100 answers; {len(kept)} payments acknowledged"
    )
    assert 25 <= len(answers) - len(lost) < 100, "the kill was in the middle"
    assert all(answer in ((200, "7101"), None) for answer in answers)
    victim.restart()
    await world.quiet()
    found = await receipts(world, references)
    assert kept <= set(found), "nothing that was acknowledged is lost"
    assert set(found.values()) == {1}
    assert await _post_all(world, [calls[number] for number in lost]) == [(200, "7101")] * len(lost)
    await world.quiet()
    assert await receipts(world, references) == dict.fromkeys(references, 1)
    texts = await covered_texts(world, references)
    assert set(texts) == set(references)
    twice = sum(count - 1 for count in texts.values())
    print(f"[{stack.backend}] SMS delivered twice: {twice}")
    assert twice <= (0 if stack.workers else stack.sms_window), "only a process that sends leaves an SMS in doubt"
    states = Counter(
        row.state
        for row in await world.sql.rows(
            select(entry.c.state).where(entry.c.bill_id.in_([b for _, _, b in bills]), entry.c.kind == "payment")
        )
    )
    assert states["settled"] == 50, states


async def _post_all(
    world: World,
    calls: list[bytes],
    base: str = "",
    after: tuple[int, asyncio.Event] | None = None,
    at_once: int = 1_000,
) -> list[tuple[int, str] | None]:
    """``at_once`` under way; None where no answer came. ``after``: an event to set once so many were answered."""
    count, room = 0, asyncio.Semaphore(at_once)

    async def post(raw: bytes) -> tuple[int, str] | None:
        nonlocal count
        try:
            async with room:
                answer = await world.post(raw, base=base)
        except (aiohttp.ClientError, OSError):
            return None
        count += 1
        if after is not None and count >= after[0]:
            after[1].set()
        return answer

    return await asyncio.gather(*(post(raw) for raw in calls))
