"""The day before, every morning, by one worker; and asking the provider until its account is there."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from service_world import COVERED, Peer, World
from statement_world import NAME, Books, body, line

from gateway.domain.clock import EAT
from gateway.domain.outcomes import Busy, Refused, Unreachable
from gateway.ports import HttpRequest, HttpResponse
from gateway.service.ask_statements import AskStatements
from gateway.service.daily_reconciliation import DailyPlan, DailyReconciliation
from gateway.service.reconcile_day import Expected

N1 = "994120000011"


@pytest.fixture
def books(world: World, tmp_path: Path) -> Books:
    return Books(world, tmp_path / "statements")


class Line(Peer):
    """The way to the provider: the account of an order comes as soon as it is asked for, while there is one."""

    def __init__(self, books: Books, *accounts: tuple[str, ...]) -> None:
        super().__init__()
        self.books, self.accounts = books, list(accounts)

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse:
        answer = await super().send(request, timeout_s)
        assert isinstance(answer, HttpResponse)
        if self.accounts:
            head, *lines = self.accounts.pop(0)
            code = self.books.peer.orders[-1].provider_code or ""
            await self.books.send(body(*lines, head=head, request_id=request.body.decode(), code=code))
        return answer


def asking(books: Books, way: Peer) -> AskStatements:
    return AskStatements(books.world.database, books.world.clock, way, books.peer)


def daily(books: Books, way: Peer) -> DailyReconciliation:
    async def expected() -> Expected:
        return Expected(["SP1"], "SP1")

    world = books.world
    plan = DailyPlan(wait_s=0.05)
    return DailyReconciliation(world.database, world.clock, NAME, asking(books, way), books.reconcile, expected, plan)


async def test_once_a_day_by_one_of_many(books: Books) -> None:
    bill = await books.world.numbered(COVERED, N1)
    await books.world.told(books.world.payment(bill, reference="R1", paid_at=books.paid_at))
    way = Line(books, ("ok", line("R1", N1)))
    worker = daily(books, way)
    books.world.clock.time = datetime.combine(books.world.today, time(3, 59), EAT)
    assert await worker() == 0, "too early"
    books.world.clock.pass_(minutes=1)
    done = await asyncio.gather(*(daily(books, way)() for _ in range(3)))
    assert sum(done) == 1
    books.world.clock.pass_(hours=5)
    assert await worker() == 0
    assert len(way.sent) == 1
    assert books.peer.orders[0].day == books.day
    assert await books.world.cases() == []


async def test_a_day_that_differs_is_put_before_a_person(books: Books) -> None:
    assert await daily(books, Line(books, ("ok", "?")))() == 1
    [case] = await books.world.cases()
    assert case == "day_differs"


async def test_no_account_is_asked_for_again_and_told_after_a_while(books: Books) -> None:
    way = Line(books)
    worker = daily(books, way)
    assert await worker() == 0
    assert await worker() == 0, "not at once"
    assert len(way.sent) == 1
    for _ in range(2):
        books.world.clock.pass_(minutes=16)
        assert await worker() == 0
    assert len(way.sent) == 3
    assert await books.world.cases() == []
    books.world.clock.pass_(hours=6)
    assert await worker() == 0
    assert await books.world.cases() == ["no_statement"]
    books.world.clock.pass_(minutes=16)
    way.accounts = [("ok",)]
    assert await worker() == 1, "late is not never"


async def test_what_is_here_is_not_asked_for(books: Books) -> None:
    await books.bring(line("R1", N1), code="SP1")
    way = Line(books, ("ok",), ("ok",))
    assert await asking(books, way)(books.day, ["SP1", "SP2"], 5) == {}
    assert [order.provider_code for order in books.peer.orders] == ["SP2"]
    assert await asking(books, way)(books.day, ["SP1"], 5, again=True) == {}
    assert [order.provider_code for order in books.peer.orders] == ["SP2", "SP1"]
    ids = {order.request_id for order in books.peer.orders}
    assert len(ids) == 2
    assert all(0 < int(request_id) < 2**31 for request_id in ids)


async def test_later_is_asked_again(books: Books) -> None:
    """Said at once, then said in the account itself."""
    books.peer.outcomes = [Busy(0.01)]
    way = Line(books, ("nothing",), ("later",), ("ok",))
    assert await asking(books, way)(books.day, ["SP1"], 10) == {}
    assert len(way.sent) == 3


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Refused("7319", "no such day"), "refused: 7319 no such day"),
        (Busy(60.0), "the provider says later"),
        (Unreachable(), "the provider cannot be reached"),
    ],
    ids=str,
)
async def test_why_it_did_not_come(books: Books, outcome: object, said: str) -> None:
    books.peer.outcomes = [outcome]  # type: ignore[list-item]
    assert await asking(books, Line(books))(books.day, ["SP1"], 0.05) == {"SP1": said}


async def test_an_account_that_says_there_is_none(books: Books) -> None:
    missing = await asking(books, Line(books, ("none",)))(books.day, ["SP1"], 5)
    assert missing["SP1"].startswith("refused")


async def test_the_order_is_kept_before_it_is_asked(books: Books) -> None:
    from gateway.store import tables as g

    class Broken(Peer):
        async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse:
            assert await books.world.count(g.statement_order) == 1
            raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        await asking(books, Broken())(books.day, ["SP1"], 5)
    assert timedelta(0) <= books.world.clock.now() - (await books.world.rows(g.statement_order))[0]["asked_at"]
