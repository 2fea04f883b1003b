"""A kept message taken up again: what was refused by mistake is applied, what stands is left, nothing happens twice."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from service_world import COVERED, NUMBER, STRANGER, World
from sqlalchemy import update

from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.ports import ControlNumberGiven, Evidence, HttpReply, Notice, Reading, Verdict
from gateway.service import settle_entries
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.service.replay import CannotReplayError, Replay, Replayed
from gateway.service.settle_entries import SettleEntries
from gateway.store import tables as g
from gateway.store.database import Database


@dataclass
class Peer:
    """A provider that believes the messages of some keys: a message is ``key:name``."""

    said: dict[bytes, tuple[Notice, ...]] = field(default_factory=dict)
    keys: tuple[bytes, ...] = (b"old",)
    name: str = "fakepay"
    routes: tuple[str, ...] = ("payments",)

    def read(self, route: str, body: bytes, headers: object) -> Reading:
        key, _, name = body.partition(b":")
        if key not in self.keys:
            return Reading(route, Verdict.BAD_SIGNATURE, why="no accepted key")
        if name not in self.said:
            return Reading(route, Verdict.UNREADABLE, why="what is this", is_signed=True)
        return Reading(route, Verdict.GENUINE, None, self.said[name], is_signed=True)

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        return HttpReply(200, "text/plain", reply_id.encode())


@dataclass
class Stage:
    """A world, its provider, and the messages that it got."""

    world: World
    peer: Peer

    async def got(self, body: bytes, size: int | None = None) -> str:
        """A message as it comes in; its inbox id."""
        accept = AcceptCallback(self.world.database, self.world.clock, ForgeryQuota())
        reply = await accept(self.peer, "payments", body, size or len(body), {})  # type: ignore[arg-type]
        return reply.body.decode()

    def replay(self, by: str = "Ester") -> Replay:
        peers: dict[str, Any] = {"fakepay": self.peer}
        return Replay(self.world.database, peers, self.world.settle, self.world.clock, by)

    async def states(self, inbox_id: str) -> list[str]:
        return [row["state"] for row in await self.world.rows(g.entry, inbox_id=inbox_id)]


@pytest.fixture
async def stage(world: World) -> Stage:
    return Stage(world, Peer())


def told(replayed: Replayed) -> tuple[str, int, list[str], bool]:
    return replayed.verdict, replayed.added, [str(e.entry.state) for e in replayed.entries], replayed.is_at_rest


async def test_what_an_old_certificate_refused_is_applied_once_the_new_one_is_known(stage: Stage) -> None:
    bill = await stage.world.numbered(COVERED)
    stage.peer.said[b"paid"] = (stage.world.payment(bill),)
    inbox_id = await stage.got(b"new:paid")
    assert await stage.states(inbox_id) == []
    (evidence,) = await stage.world.rows(g.inbox, id=inbox_id)
    assert told(await stage.replay()(inbox_id)) == ("bad_signature", 0, [], False), "we still do not know the key"
    assert await stage.states(inbox_id) == []

    stage.peer.keys += (b"new",)
    stage.world.clock.pass_(hours=5)
    assert told(await stage.replay()(inbox_id)) == ("genuine", 1, ["settled"], True)
    assert (await stage.world.bill(bill.id)).state == "paid"
    assert await stage.world.count(t.premiums, Receipt="R1") == 1
    assert await stage.world.rows(g.inbox, id=inbox_id) == [evidence], "evidence never changes"
    acts = [row for row in await stage.world.rows(g.audit) if row["action"] == "message.replayed"]
    assert [(row["actor"], row["subject"], row["details"]) for row in acts] == [
        ("Ester", f"inbox:{inbox_id}", {"kept_as": "bad_signature", "added": 1})
    ]
    for _ in range(2):
        assert told(await stage.replay()(inbox_id)) == ("genuine", 0, ["settled"], True)
    assert await stage.world.count(t.premiums, Receipt="R1") == 1
    assert [message for message, _ in await stage.world.sms()].count("covered") == 1
    assert len([row for row in await stage.world.rows(g.audit) if row["action"] == "message.replayed"]) == 1


async def test_what_an_older_release_could_not_read(stage: Stage) -> None:
    bill = await stage.world.numbered(COVERED)
    inbox_id = await stage.got(b"old:paid")
    assert told(await stage.replay()(inbox_id)) == ("unreadable", 0, [], False)
    stage.peer.said[b"paid"] = (stage.world.payment(bill),)
    assert told(await stage.replay()(inbox_id)) == ("genuine", 1, ["settled"], True)


async def test_each_entry_says_what_it_is(stage: Stage) -> None:
    """One message: applied, said again, another amount under its reference, nobody's number, a bill nobody knows."""
    bill = await stage.world.numbered(COVERED)
    paid = stage.world.payment(bill, payer_msisdn=STRANGER)
    stage.peer.said[b"all"] = (
        paid,
        paid,
        replace(paid, amount=Money(100)),
        replace(paid, reference="R9", control_number="990000000000"),
        ControlNumberGiven("NOBODYS", NUMBER),
    )
    inbox_id = await stage.got(b"new:all")
    stage.peer.keys = (b"new",)
    replayed = await stage.replay()(inbox_id)
    assert told(replayed) == ("genuine", 5, ["settled", "duplicate", "conflicting", "unmatched", "unmatched"], False)
    cases = [[(case.kind, case.subject) for case in entry.cases] for entry in replayed.entries]
    conflict, unknown = ("conflict", f"payment:R1/{NUMBER}"), ("unknown_control_number", "payment:R9/990000000000")
    assert cases == [[conflict], [conflict], [conflict], [unknown], []]
    assert [entry.is_at_rest for entry in replayed.entries] == [True, True, False, False, False]
    again = await stage.replay()(inbox_id)
    assert (told(again)[1:], await stage.world.count(t.premiums, Receipt="R1")) == ((0, *told(replayed)[2:]), 1)


async def test_an_entry_that_waits_for_its_next_try_is_settled_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
) -> None:
    bill = await stage.world.numbered(COVERED)
    stage.peer.said[b"paid"] = (stage.world.payment(bill),)
    inbox_id = await stage.got(b"old:paid")
    whole = settle_entries.settle_payment

    async def broken(*_: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(settle_entries, "settle_payment", broken)
    for _ in range(3):
        replayed = await stage.replay()(inbox_id)
        assert told(replayed) == ("genuine", 0, ["new"], False)
        assert replayed.entries[0].failed == "ArithmeticError"
    monkeypatch.setattr(settle_entries, "settle_payment", whole)
    (waiting,) = await stage.world.rows(g.entry, inbox_id=inbox_id)
    assert waiting["attempts"] == 3
    assert waiting["not_before"] > stage.world.clock.now()
    assert not await stage.world.settle.one()
    assert told(await stage.replay()(inbox_id)) == ("genuine", 0, ["settled"], True)
    logged.clear()


async def test_a_case_that_a_person_closed_is_at_rest(stage: Stage) -> None:
    bill = await stage.world.numbered(COVERED)
    stage.peer.said[b"paid"] = (stage.world.payment(bill, "29000"),)
    inbox_id = await stage.got(b"old:paid")
    assert told(await stage.replay()(inbox_id)) == ("genuine", 0, ["case"], False)
    await stage.world.execute(update(g.case).values(state="closed"))
    assert told(await stage.replay()(inbox_id)) == ("genuine", 0, ["case"], True)


async def test_what_cannot_be_verified_is_not_taken_up(stage: Stage) -> None:
    stage.peer.said[b"paid"] = (ControlNumberGiven("B1", NUMBER),)
    cut = await stage.got(b"old:paid", size=5_000_000)
    with pytest.raises(CannotReplayError, match="only 8 of its 5000000 bytes"):
        await stage.replay()(cut)
    with pytest.raises(CannotReplayError, match="there is no message nobodys"):
        await stage.replay()("nobodys")
    forged = await stage.got(b"forger:paid")
    assert told(await stage.replay()(forged)) == ("bad_signature", 0, [], False)
    changed = await stage.got(b"not:paid")
    await stage.world.execute(update(g.inbox).where(g.inbox.c.id == changed).values(body=b"old:paid"))
    with pytest.raises(CannotReplayError, match="somebody has changed the evidence"):
        await stage.replay()(changed)
    other = await stage.got(b"old:paid")
    await stage.world.execute(update(g.inbox).where(g.inbox.c.id == other).values(provider="elsewhere"))
    with pytest.raises(CannotReplayError, match="messages of elsewhere"):
        await stage.replay()(other)
    account = await stage.got(b"forger:day")
    await stage.world.execute(update(g.inbox).where(g.inbox.c.id == account).values(route="statements"))
    with pytest.raises(CannotReplayError, match="ask for its day again"):
        await stage.replay()(account)
    entries = await stage.world.rows(g.entry)
    assert [row["inbox_id"] for row in entries] == [other], "as it came, and still new"
    assert entries[0]["state"] == "new"


async def test_at_once_from_two_processes_beside_a_worker(stage: Stage, database_url: str) -> None:
    """Twenty refused messages of ten payments, taken up by two runs over all and one each, while a worker settles."""
    from config.settings import DatabaseSettings, Settings
    from gateway import app

    bill = await stage.world.numbered(COVERED)
    paid = stage.world.payment(bill)
    numbers = [replace(paid, reference=f"X{n}", control_number=f"99000000000{n}", bill_id=None) for n in range(9)]
    stage.peer.said |= {f"{n}".encode(): (each,) for n, each in enumerate([paid, *numbers])}
    ids = [await stage.got(b"new:%d" % (n % 10)) for n in range(20)]
    stage.peer.keys = (b"new",)
    other: Database = app.open_database(Settings(database=DatabaseSettings(url=database_url)))
    second = SettleEntries(other, stage.world.messages, stage.world.clock)
    peers: dict[str, Any] = {"fakepay": stage.peer}
    replays = (stage.replay("Ester"), Replay(other, peers, second, stage.world.clock, "Juma"))

    async def over_all(replay: Replay) -> None:
        async for _ in replay.refused_since(stage.world.clock.now() - timedelta(hours=1), 1_000):
            pass

    async def worker() -> None:
        for _ in range(40):
            await second.one()
            await asyncio.sleep(0)

    one_by_one = [replay(inbox_id) for inbox_id in ids for replay in replays]
    await asyncio.wait_for(asyncio.gather(*map(over_all, replays), worker(), *one_by_one), 60)
    await stage.world.settle_all()
    await other.close()
    states = [row["state"] for row in await stage.world.rows(g.entry) if row["inbox_id"] in ids]
    assert sorted(states) == ["duplicate"] * 10 + ["settled"] + ["unmatched"] * 9
    assert await stage.world.count(t.premiums, Receipt="R1") == 1
    assert [message for message, _ in await stage.world.sms()].count("covered") == 1
    assert await stage.world.count(g.case) == 9


async def test_all_that_was_refused_in_a_window(stage: Stage) -> None:
    """250 messages over pages of a hundred; forgeries among them stay refused, and a second run finds nothing new."""
    early = await stage.got(b"new:0")
    began = stage.world.clock.pass_(minutes=1)
    for n in range(250):
        stage.peer.said[b"%d" % n] = (ControlNumberGiven(f"B{n}", f"{n:012}"),)
    async with stage.world.database.writing() as tx:  # as AcceptCallback would, in one commit
        for n in range(250):
            body = b"%s:%d" % (b"forger" if n % 10 == 0 else b"new", n)
            digest = hashlib.sha256(body).hexdigest()
            at = began + timedelta(seconds=n // 7)  # several a second
            verdict = Verdict.UNREADABLE if n % 3 else Verdict.BAD_SIGNATURE
            message = Evidence(
                f"m{n:03}", "fakepay", "payments", at, body, len(body), {}, digest, verdict, "", None, 200
            )
            await tx.inbox.keep(message, ())
    large = await stage.got(b"new:1", size=9_999_999)
    stage.peer.keys = (b"new",)

    async def run(most: int = 1_000) -> tuple[int, int]:
        found = [message async for message in stage.replay().refused_since(began, most)]
        return len(found), sum(message.verdict is Verdict.GENUINE for message in found)

    assert await run(most=120) == (120, 108)
    assert await run() == (142, 117)
    assert await run() == (25, 0)
    taken_up = {row["inbox_id"] for row in await stage.world.rows(g.entry)}
    assert len(taken_up) == 225
    assert not {early, large} & taken_up
