"""Accepting a callback: committed before it is answered, whatever it holds, and nothing believed too early."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from service_world import COVERED, NUMBER, Provider, World

from gateway.ports import ControlNumberGiven, HttpReply
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.store import tables as g

HEADERS = {
    "content-type": "application/xml",
    "authorization": "Basic c2VjcmV0",
    "cookie": "session=secret",
    "x-api-key": "secret",
    "gepg-com": "secret",
    "user-agent": "GePG/5",
    "x-forwarded-for": "10.0.0.1",
    "date": "d" * 1_000,
}


def unreadable_cases() -> float:
    return REGISTRY.get_sample_value("gateway_cases_total", {"kind": "unreadable"}) or 0


def accepting(world: World, per_hour: int = 100) -> AcceptCallback:
    return AcceptCallback(world.database, world.clock, ForgeryQuota(per_hour))


async def test_a_genuine_message_is_kept_with_its_entries(world: World) -> None:
    bill = await world.ask(COVERED)
    notices = (ControlNumberGiven(bill.id, NUMBER), world.payment(bill, control_number=NUMBER))
    body = b"ok \x00\xff " + bytes(range(256))
    reply = await accepting(world)(Provider(notices), "payments", body, len(body), HEADERS)
    (kept,) = await world.rows(g.inbox)
    assert reply == HttpReply(200, "text/plain", f"genuine {kept['id']}".encode())
    assert (bytes(kept["body"]), kept["size"], kept["digest"]) == (body, len(body), hashlib.sha256(body).hexdigest())
    assert (kept["provider"], kept["route"], kept["verdict"], kept["message_id"]) == (
        "fakepay",
        "payments",
        "genuine",
        "M1",
    )
    assert (kept["received_at"], kept["reply_status"]) == (world.clock.now(), 200)
    async with world.database.reading() as tx:
        entries = await tx.inbox.entries_of(kept["id"])
    assert tuple(e.notice for e in entries) == notices
    assert {e.state for e in entries} == {"new"}
    assert (await world.bill(bill.id)).state == "created"  # nothing is settled here
    await world.settle_all()
    assert (await world.bill(bill.id)).state == "paid"


async def test_secrets_of_the_headers_are_not_kept(world: World) -> None:
    await accepting(world)(Provider(), "payments", b"ok", 2, HEADERS)
    (kept,) = await world.rows(g.inbox)
    assert kept["headers"] == {
        "content-type": "application/xml",
        "user-agent": "GePG/5",
        "x-forwarded-for": "10.0.0.1",
        "date": "d" * 200,
    }


@pytest.mark.parametrize(
    ("body", "size", "verdict", "why"),
    [
        (b"forged", 6, "bad_signature", ("because " * 200)[:500]),
        (b"junk", 4, "unreadable", ("because " * 200)[:500]),
        (b"ok, but cut", 5_000_000, "too_large", "5000000 bytes"),
        (b"", 0, "unreadable", ("because " * 200)[:500]),
    ],
)
async def test_each_other_verdict_is_kept_as_evidence_and_not_believed(
    world: World, body: bytes, size: int, verdict: str, why: str
) -> None:
    provider = Provider((ControlNumberGiven("B1", NUMBER),))
    reply = await accepting(world)(provider, "payments", body, size, {})
    (kept,) = await world.rows(g.inbox)
    assert reply.body == f"{verdict} {kept['id']}".encode()
    assert (bytes(kept["body"]), kept["size"], kept["verdict"], kept["why"]) == (body, size, verdict, why)
    assert await world.count(g.entry) == 0


async def test_forgeries_are_kept_up_to_a_quota_and_all_are_answered(world: World) -> None:
    accept = accepting(world, per_hour=3)
    for n in range(5):
        assert (await accept(Provider(), "payments", b"forged", 6, {})).body.startswith(b"bad_signature ")
        assert await world.count(g.inbox) == min(n + 1, 3)
    assert (await accept(Provider(), "payments", b"ok", 2, {})).body.startswith(b"genuine")
    assert await world.count(g.inbox) == 4
    world.clock.pass_(minutes=59, seconds=59)
    await accept(Provider(), "payments", b"junk", 4, {})
    assert await world.count(g.inbox) == 4
    world.clock.pass_(seconds=1)
    await accept(Provider(), "payments", b"junk", 4, {})
    assert await world.count(g.inbox) == 5


def test_the_quota_begins_anew_each_hour() -> None:
    quota, noon = ForgeryQuota(2), datetime(2026, 11, 22, 12, tzinfo=UTC)
    for hour in range(3):
        spent = [(quota.room(noon + timedelta(hours=hour), 7), quota.is_just_spent) for _ in range(4)]
        assert spent == [(7, False), (7, False), (None, True), (None, False)]


def test_the_quota_counts_bytes_too() -> None:
    """Two thousand forgeries of a megabyte each would be fifty gigabytes a day."""
    quota, noon = ForgeryQuota(1_000, bytes_per_hour=10_000), datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert [quota.room(noon, size) for size in (6_000, 4_000, 1, 900, 6_000)] == [6_000, 4_000, 1, 900, 1_024]
    kept = [quota.room(noon, 1_000_000) for _ in range(994 + 5)]
    assert kept == [1_024] * 995 + [None] * 4
    assert quota.room(noon + timedelta(hours=1), 6_000) == 6_000


async def test_a_flood_of_large_forgeries_keeps_their_beginnings(world: World) -> None:
    accept = AcceptCallback(world.database, world.clock, ForgeryQuota(100, bytes_per_hour=50_000))
    forged, genuine = b"forged" + b"x" * 19_994, b"ok" + b"x" * 99_998
    for _ in range(6):
        assert (await accept(Provider(), "payments", forged, len(forged), {})).body.startswith(b"bad_signature ")
        assert (await accept(Provider(), "payments", genuine, len(genuine), {})).body.startswith(b"genuine ")
    rows = await world.rows(g.inbox)
    kept = sorted(len(row["body"]) for row in rows if row["verdict"] == "bad_signature")
    assert kept == [1_024] * 4 + [20_000] * 2
    assert {row["size"] for row in rows if row["verdict"] == "bad_signature"} == {20_000}
    assert {row["digest"] for row in rows if row["verdict"] == "bad_signature"} == {hashlib.sha256(forged).hexdigest()}
    assert [len(row["body"]) for row in rows if row["verdict"] == "genuine"] == [100_000] * 6, "however much it is"


async def test_what_the_provider_signed_is_kept_beyond_the_quota(world: World, logged: list[Any]) -> None:
    """It cannot be read yet, and it is about money all the same."""
    accept = accepting(world, per_hour=1)
    for body in (b"forged", b"forged", b"junk", b"signed junk", b"signed junk", b"forged"):
        await accept(Provider(), "payments", body, len(body), {})
    kept = sorted(bytes(row["body"]) for row in await world.rows(g.inbox))
    assert kept == [b"forged", b"signed junk"], "the same bytes once"
    assert [e["event"] for e in logged] == ["callback_refused", "forgeries_not_kept", *["callback_refused"] * 2]


async def test_what_the_provider_signed_and_we_cannot_read_is_before_a_person_once(world: World) -> None:
    accept = accepting(world)
    for body in (b"junk", b"forged", b"signed junk", b"signed junk", b"signed other junk"):
        await accept(Provider(), "payments", body, len(body), {})
    cases = await world.rows(g.case)
    assert [row["kind"] for row in cases] == ["unreadable"] * 2
    kept = [(await world.rows(g.inbox, id=row["inbox_id"]))[0]["body"] for row in cases]
    assert kept == [b"signed junk", b"signed other junk"]
    assert cases[0]["details"] == {"why": ("because " * 200)[:500]}


async def test_the_same_unreadable_bytes_for_ever_add_nothing(world: World) -> None:
    """Its sender is told "unreadable" each time, in the same words, and may try again as long as it likes."""
    accept, opened = accepting(world), unreadable_cases()
    answers = await asyncio.gather(*(accept(Provider(), "payments", b"signed junk", 11, {}) for _ in range(5)))
    for _ in range(10):
        world.clock.pass_(hours=3)
        answers.append(await accept(Provider(), "payments", b"signed junk", 11, {}))
    [kept] = await world.rows(g.inbox)
    assert answers == [HttpReply(200, "text/plain", f"unreadable {kept['id']}".encode())] * 15
    [case] = await world.rows(g.case)
    assert (case["inbox_id"], case["state"]) == (kept["id"], "open")
    assert unreadable_cases() - opened == 1


async def test_it_comes_again_after_its_case_was_closed(world: World) -> None:
    """The case is open again, and names the evidence that there is."""
    accept = accepting(world)
    await accept(Provider(), "payments", b"signed junk", 11, {})
    await world.execute(g.case.update().values(state="closed", closed_by="Asha"))
    await accept(Provider(), "payments", b"signed junk", 11, {})
    [kept], [case] = await world.rows(g.inbox), await world.rows(g.case)
    assert (case["state"], case["closed_by"], case["inbox_id"]) == ("open", None, kept["id"])


async def test_headers_that_are_no_text_keep_nothing_out(world: World) -> None:
    headers = {"user-agent": "a\udcff\udcfe", "content-type": "\U0001f600", "date": "\x7f\x01"}
    assert (await accepting(world)(Provider(), "payments", b"ok", 2, headers)).body.startswith(b"genuine ")
    (kept,) = await world.rows(g.inbox)
    assert kept["headers"] == {"user-agent": "a??", "content-type": "\U0001f600", "date": "\x7f\x01"}


class Broken:
    """A unit of work whose database is gone, at the beginning or at the commit."""

    def __init__(self, world: World, at: str) -> None:
        self._world, self._at = world, at

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        if self._at == "begin":
            raise ConnectionRefusedError
        async with self._world.database.writing() as tx:
            yield tx
            raise ConnectionResetError

    reading = writing


@pytest.mark.parametrize("at", ["begin", "commit"])
async def test_what_was_not_committed_is_not_acknowledged(world: World, at: str, logged: list[Any]) -> None:
    accept = AcceptCallback(Broken(world, at), world.clock, ForgeryQuota())
    assert await accept(Provider(), "payments", b"ok", 2, {}) == HttpReply(503, "text/plain", b"again")
    assert await accept(Provider(), "payments", b"forged", 6, {}) == HttpReply(503, "text/plain", b"again")
    assert await accept(Provider(), "payments", b"signed junk", 11, {}) == HttpReply(503, "text/plain", b"again")
    assert await world.count(g.inbox) == await world.count(g.case) == 0
    assert [e["event"] for e in logged if e["log_level"] == "error"] == ["callback_not_kept"] * 3


async def test_the_same_message_twice_is_evidence_twice(world: World) -> None:
    for _ in range(2):
        await accepting(world)(Provider((ControlNumberGiven("B1", NUMBER),)), "payments", b"ok", 2, {})
    assert await world.count(g.inbox) == await world.count(g.entry) == 2
