"""Carrying out what the outbox holds: each outcome has its consequence, and no job is lost or run by two."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, Clock, Peer, Provider, Sms, World, eventually

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.effects import CancelBill, SendSms, SubmitBill
from gateway.domain.outcomes import Accepted, Busy, Done, Outcome, Refused, Unknown, Unreachable
from gateway.ports import BillRefused, HttpResponse
from gateway.service.run_effects import ChannelLimits, RunEffects
from gateway.store import tables as g

A = "+255712000001"


class Effects:
    """The service with its peers."""

    def __init__(self, world: World, **limits: Any) -> None:
        self.peer, self.provider, self.texts = Peer(), Provider(), Sms()
        self.limits = ChannelLimits(**limits)
        self.run = RunEffects(
            world.database,
            self.peer,
            self.provider,
            self.texts,
            world.messages,
            world.clock,
            {"bills": self.limits, "sms": self.limits},
        )


@pytest.fixture
def effects(world: World) -> Effects:
    return Effects(world)


async def put(world: World, *effects: SendSms | SubmitBill | CancelBill) -> None:
    async with world.database.writing() as tx:
        await tx.outbox.put(effects, world.clock.now())


def sms(about: str = "a", to: str = A) -> SendSms:
    return SendSms(to, f"Habari {about}", "covered", about)


async def job(world: World, **where: Any) -> dict[str, Any]:
    (row,) = await world.rows(g.outbox, **where)
    return row


async def legacy(world: World) -> int:
    (row,) = await world.rows(t.payments)
    status: int = row["PaymentStatus"]
    return status


def waited(clock: Clock, row: dict[str, Any]) -> float:
    wait: timedelta = row["not_before"] - clock.now()
    return wait.total_seconds()


OUTCOMES: list[tuple[Outcome, str, str, str, int, float]] = [
    # outcome, state of the job, what it says, state of the bill, tblPayment, wait in seconds before jitter
    (Accepted("7101"), "done", "Accepted 7101", "submitted", 2, 0),
    (Done(), "done", "Done", "submitted", 2, 0),
    (Refused("7204", "no such provider"), "done", "Refused 7204 no such provider", "refused", -3, 0),
    (Busy(7, "7201"), "todo", "Busy 7201", "created", 1, 7),
    (Busy(0.1), "todo", "Busy", "created", 1, 1),
    (Busy(9_999), "todo", "Busy", "created", 1, 300),
    (Unreachable("refused"), "todo", "Unreachable refused", "created", 1, 1),
    (Unknown("read timeout"), "todo", "Unknown read timeout", "created", 1, 1),
]


async def test_each_outcome_for_a_bill(world: World, effects: Effects) -> None:
    for family_id, (outcome, state, said, bill_state, legacy_status, wait) in enumerate(OUTCOMES, start=1):
        await world.gives(family_id, A)
        bill = await world.ask(family_id)
        before = len(await world.sms())
        effects.provider.outcome = outcome
        assert await effects.run.batch("bills") == 1
        row = await job(world, aggregate=f"bill:{bill.id}", kind="submit_bill")
        assert (row["state"], row["last_outcome"].strip(), row["attempts"]) == (state, said, 1)
        assert (row["lease_token"], row["lease_until"]) == (None, None)
        assert wait * 0.8 <= waited(world.clock, row) <= wait * 1.2
        (payment,) = await world.rows(t.payments, PaymentID=bill.payment_record_id)
        assert ((await world.bill(bill.id)).state, payment["PaymentStatus"]) == (bill_state, legacy_status)
        assert (await world.sms())[before:] == ([("number_refused", A)] if bill_state == "refused" else [])
        assert await effects.run.batch("bills") == 0
        order = effects.provider.orders[-1]
        assert (order.bill.id, order.payer_msisdn, order.request_id) == (bill.id, A, f"{bill.id}-1-1")
        await world.execute(g.outbox.update().values(state="done"))


async def test_each_outcome_for_an_sms(world: World, effects: Effects) -> None:
    for place, (outcome, state, said, _, _, wait) in enumerate(OUTCOMES):
        await put(world, sms(f"about {place}"))
        effects.texts.result = outcome
        assert await effects.run.batch("sms") == 1
        row = await job(world, aggregate=f"about {place}")
        assert (row["state"], row["last_outcome"].strip()) == (state, said)
        assert wait * 0.8 <= waited(world.clock, row) <= wait * 1.2
        message = effects.texts.messages[-1]
        assert (message.to, message.text) == (A, f"Habari about {place}")
    assert len({message.id for message in effects.texts.messages}) == len(OUTCOMES)


async def test_what_the_network_says_is_the_outcome(world: World, effects: Effects) -> None:
    await put(world, sms())
    await world.ask(COVERED)
    effects.texts.result = effects.provider.outcome = Refused("never", "asked")
    for answer in (Unreachable("no route"), Unknown("lost"), Busy(3)):
        world.clock.pass_(minutes=10)
        effects.peer.always = answer
        assert [await effects.run.batch("sms"), await effects.run.batch("bills")] == [1, 1]
        assert {row["state"] for row in await world.rows(g.outbox)} == {"todo"}
        assert {row["last_outcome"].split()[0] for row in await world.rows(g.outbox)} == {type(answer).__name__}


async def test_a_resend_is_known_by_the_same_message_id(world: World, effects: Effects) -> None:
    await put(world, sms())
    effects.texts.result = Unknown()
    for _ in range(3):
        await effects.run.batch("sms")
        world.clock.pass_(seconds=10)
    assert len({m.id for m in effects.texts.messages}) == 1
    assert len(effects.texts.messages) == 3


async def test_waits_double_up_to_the_longest(world: World, effects: Effects) -> None:
    await put(world, sms())
    effects.texts.result = Unknown()
    for attempt in range(14):
        assert await effects.run.batch("sms") == 1
        row = await job(world)
        expected = min(300.0, 2.0**attempt)
        assert 0.8 * expected <= waited(world.clock, row) <= 1.2 * expected
        world.clock.time = row["not_before"]


async def test_past_its_deadline_a_job_is_held_for_a_person(world: World, effects: Effects) -> None:
    await put(world, sms())
    effects.texts.result = Busy(1, "405")
    world.clock.pass_(hours=24)
    await effects.run.batch("sms")
    assert (await job(world))["state"] == "todo"
    world.clock.pass_(minutes=10)
    await effects.run.batch("sms")
    held = await job(world)
    assert (held["state"], held["last_outcome"]) == ("held", "Busy 405")
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["subject"]) == ("effect_held", f"outbox:{held['id']}")
    assert case["details"] == {"kind": "send_sms", "outcome": "Busy 405", "attempts": 2}
    world.clock.pass_(days=2)
    assert await effects.run.batch("sms") == 0


@pytest.mark.parametrize("result", [Done(), Refused("403", "no")])
async def test_late_success_and_refusal_are_no_case(world: World, effects: Effects, result: Outcome) -> None:
    await put(world, sms())
    effects.texts.result = result
    world.clock.pass_(days=3)
    await effects.run.batch("sms")
    assert (await job(world))["state"] == "done"
    assert await world.cases() == []


async def test_a_sender_that_raises_is_tried_again_and_harms_no_other(world: World, effects: Effects) -> None:
    await put(world, *(sms(str(n)) for n in range(3)))
    effects.peer.script = [HttpResponse(200, {}, b""), ValueError("a fault of ours"), HttpResponse(200, {}, b"")]
    assert await effects.run.batch("sms") == 3
    rows = await world.rows(g.outbox)
    assert [row["state"] for row in rows] == ["done", "todo", "done"]
    assert "+255" not in rows[1]["last_outcome"]
    world.clock.pass_(seconds=5)
    assert await effects.run.batch("sms") == 1
    assert (await world.rows(g.outbox))[1]["state"] == "done"


async def test_only_so_many_calls_in_flight(world: World) -> None:
    effects = Effects(world, batch=12, window=3)
    effects.peer.hold = asyncio.Event()
    await put(world, *(sms(str(n)) for n in range(15)))
    running = asyncio.create_task(effects.run.batch("sms"))
    await eventually(lambda: _is(effects.peer.in_flight == 3))
    effects.peer.hold.set()
    assert await running == 12
    assert effects.peer.most_in_flight == 3
    assert await effects.run.batch("sms") == 3


async def _is(value: bool) -> bool:
    return value


async def test_each_job_is_finished_by_itself(world: World) -> None:
    """A slow peer of one message keeps no other from being done."""
    effects = Effects(world)
    await put(world, sms("slow"), sms("fast"))
    slow = asyncio.Event()

    class OneSlow(Peer):
        async def send(self, request: Any, timeout_s: float) -> Any:
            if b"slow" in request.body:
                await slow.wait()
            return HttpResponse(200, {}, b"")

    effects.run._client = OneSlow()
    running = asyncio.create_task(effects.run.batch("sms"))
    await eventually(lambda: _states(world, {"leased", "done"}))
    slow.set()
    assert await running == 2
    assert await _states(world, {"done"})


async def _states(world: World, states: set[str]) -> bool:
    return {row["state"] for row in await world.rows(g.outbox)} == states


async def test_a_worker_that_lost_its_lease_changes_nothing(world: World, effects: Effects) -> None:
    bill = await world.ask(COVERED)
    effects.peer.hold = asyncio.Event()
    effects.provider.outcome = Refused("7204", "late word")
    slow = asyncio.create_task(effects.run.batch("bills"))
    await eventually(lambda: _is(effects.peer.in_flight == 1))
    world.clock.pass_(seconds=61)
    quick = Effects(world)
    assert await quick.run.batch("bills") == 1
    effects.peer.hold.set()
    assert await slow == 1
    assert ((await world.bill(bill.id)).state, await world.sms()) == ("submitted", [])
    assert (await job(world))["last_outcome"] == "Accepted"


async def test_jobs_of_a_dead_worker_are_run_by_another(world: World, effects: Effects) -> None:
    await put(world, sms())
    async with world.database.writing() as tx:
        assert len(await tx.outbox.lease("sms", 10, world.clock.now(), 60)) == 1
    assert await effects.run.batch("sms") == 0
    world.clock.pass_(seconds=61)
    assert await effects.run.batch("sms") == 1
    assert (await job(world))["attempts"] == 2


async def test_an_answer_that_the_number_overtook(world: World, effects: Effects) -> None:
    bill = await world.numbered(COVERED)
    await put(world, SubmitBill(bill.id, 2))
    await effects.run.batch("bills")
    assert effects.provider.orders == []
    assert {row["state"] for row in await world.rows(g.outbox, kind="submit_bill")} == {"done"}
    assert (await world.bill(bill.id), await legacy(world)) == (bill, 3)


async def test_a_refused_bill_is_not_revived_by_a_job_of_before(world: World, effects: Effects) -> None:
    """The refusal came as a callback while the asking was to be tried again."""
    bill = await world.ask(COVERED)
    await world.told(BillRefused(bill.id, "7204", "no"))
    await effects.run.batch("bills")
    assert effects.provider.orders == []
    assert ((await world.bill(bill.id)).state, await legacy(world)) == ("refused", -3)


async def test_a_refusal_that_overtook_the_acceptance_stands(world: World, effects: Effects) -> None:
    bill = await world.ask(COVERED)
    effects.peer.hold = asyncio.Event()
    running = asyncio.create_task(effects.run.batch("bills"))
    await eventually(lambda: _is(effects.peer.in_flight == 1))
    await world.told(BillRefused(bill.id, "7204", "no"))
    effects.peer.hold.set()
    await running
    assert ((await world.bill(bill.id)).state, await legacy(world)) == ("refused", -3)


async def test_a_bill_that_is_gone_ends_its_job(world: World, effects: Effects) -> None:
    await put(world, SubmitBill("nobody's"))
    await effects.run.batch("bills")
    assert (await job(world))["state"] == "done"


async def test_a_cancelled_bill_is_asked_for_no_more(world: World, effects: Effects) -> None:
    bill = await world.ask(EXPIRED)
    async with world.database.writing() as tx:
        await tx.bills.record(bill, BillFact.CANCELLED, world.clock.now())
    await effects.run.batch("bills")
    assert effects.provider.orders == []


@pytest.mark.parametrize(
    ("result", "state", "cases"),
    [
        (Done("7283"), "done", 0),
        (Refused("7301", "partly paid"), "held", 1),  # it can still be paid: a person must know
        (Busy(1.0), "todo", 0),
        (Unknown(), "todo", 0),
    ],
)
async def test_each_outcome_for_a_cancellation(
    world: World, effects: Effects, result: Outcome, state: str, cases: int
) -> None:
    bill = await world.numbered(COVERED)
    await effects.run.batch("bills")
    async with world.database.writing() as tx:
        known = await tx.bills.by_id(bill.id)
        assert known is not None
        await tx.bills.record(known, BillFact.CANCELLED, world.clock.now())
        await tx.outbox.put([CancelBill(bill.id), CancelBill(bill.id)], world.clock.now())
    effects.provider.cancelled = result
    assert await effects.run.batch("bills") == 1
    assert [order.bill.id for order in effects.provider.cancels] == [bill.id]
    assert (await job(world, kind="cancel_bill"))["state"] == state
    assert len(await world.rows(g.case)) == cases


async def test_a_bill_that_was_paid_meanwhile_is_not_cancelled(world: World, effects: Effects) -> None:
    bill = await world.numbered(COVERED)
    await put(world, CancelBill(bill.id))
    await effects.run.batch("bills")
    assert effects.provider.cancels == []
    assert (await job(world, kind="cancel_bill"))["state"] == "done"


async def test_channels_are_run_apart(world: World, effects: Effects) -> None:
    await put(world, sms())
    await world.ask(COVERED)
    assert [await effects.run.batch(c) for c in ("bills", "bills", "sms", "sms", "none")] == [1, 0, 1, 0, 0]


def test_a_lease_outlives_its_batch() -> None:
    with pytest.raises(AssertionError, match="shorter"):
        ChannelLimits(batch=100, window=1, timeout_s=10, lease_s=60)
