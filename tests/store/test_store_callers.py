"""What is kept about phones, and the list of what needs a person."""

from __future__ import annotations

import asyncio
from datetime import timedelta, timezone

import pytest
from store_samples import NOW, after, rows

from gateway.domain.money import Money
from gateway.domain.payments import CaseKind
from gateway.ports import Case
from gateway.store import tables as g
from gateway.store.database import Database

A, B, C = "+255620000001", "+255620000002", "+255620000003"


async def test_the_last_language_chosen(database: Database) -> None:
    async with database.writing() as tx:
        for msisdn, language in ((A, "sw"), (B, "en"), (A, "en"), (B, "en")):
            await tx.callers.set_language(msisdn, language, NOW)
        assert await tx.callers.languages([A, C, B]) == {A: "en", B: "en"}
        assert await tx.callers.languages([]) == {}


async def test_a_language_chosen_by_many_at_once(database: Database) -> None:
    async def choose(language: str) -> None:
        async with database.writing() as tx:
            await tx.callers.set_language(A, language, NOW)

    await asyncio.gather(*(choose("en") for _ in range(10)))
    assert len(await rows(database, g.caller)) == 1


async def index(database: Database, *changes: tuple[int, int, str | None]) -> dict[str, list[int]]:
    async with database.writing() as tx:
        await tx.callers.index_phones(changes)
        return {msisdn: list(ids) for msisdn, ids in (await tx.callers.known([A, B, C]))[0].items()}


async def test_the_index_follows(database: Database) -> None:
    assert await index(database, (901, 9, A), (902, 9, A), (903, 10, B), (904, 10, None)) == {A: [901, 902], B: [903]}
    assert await index(database) == {A: [901, 902], B: [903]}
    assert await index(database, (902, 9, B), (903, 11, B)) == {A: [901], B: [902, 903]}
    assert (await rows(database, g.phone, insuree_id=903))[0]["family_id"] == 11
    assert await index(database, (901, 9, None), (999, 9, None), (905, 12, C)) == {B: [902, 903], C: [905]}


async def test_a_phone_of_more_insurees_than_a_menu_holds(database: Database) -> None:
    known = await index(database, *((900 + n, n, A) for n in range(30)), (990, 1, B))
    assert (known[A], known[B]) == ([900 + n for n in range(20)], [990])


async def test_no_phone_no_query_of_everything(database: Database) -> None:
    await index(database, (901, 9, A))
    async with database.reading() as tx:
        assert await tx.callers.known([]) == ({}, {}, {}, {})


Numbers = list[tuple[int, str | None]]


@pytest.mark.parametrize(
    ("after_id", "upto", "found", "different", "expected"),
    [
        (0, None, [(1, A), (2, A), (3, B)], 0, {A: [1, 2], B: [3]}),  # nothing changed: nothing is written
        (0, None, [(1, B), (2, A), (3, B)], 1, {A: [2], B: [1, 3]}),
        (0, None, [(1, A), (2, None), (3, B)], 1, {A: [1], B: [3]}),  # no phone that can be read
        (0, None, [(1, A), (2, A), (3, B), (4, C)], 1, {A: [1, 2], B: [3], C: [4]}),
        (0, None, [], 3, {}),
        (0, 2, [(1, A), (2, C)], 1, {A: [1], B: [3], C: [2]}),  # one page of several
        (2, None, [], 1, {A: [1, 2]}),
    ],
)
async def test_the_officers_index_is_what_was_read(
    database: Database, after_id: int, upto: int | None, found: Numbers, different: int, expected: dict[str, list[int]]
) -> None:
    async with database.writing() as tx:
        await tx.callers.index_officers(0, None, [(1, A), (2, A), (3, B)])
        assert await tx.callers.index_officers(after_id, upto, found) == different
        known = await tx.callers.known([A, B, C])
    assert ({msisdn: list(ids) for msisdn, ids in known.officers.items()}, known.insurees) == (expected, {})


async def test_a_phone_may_be_a_familys_and_an_officers(database: Database) -> None:
    async with database.writing() as tx:
        await tx.callers.index_phones([(901, 9, A)])
        await tx.callers.set_language(A, "en", NOW)
        await tx.callers.index_officers(0, None, [(number, A) for number in range(1, 9)])
        assert await tx.callers.known([A, B]) == ({A: [901]}, {A: "en"}, {A: [1, 2, 3, 4, 5]}, {})


async def test_watermarks(database: Database) -> None:
    async with database.writing() as tx:
        assert await tx.callers.watermark("renewals") is None
        for moment in (NOW, after(microseconds=1), after(days=-1)):
            await tx.callers.set_watermark("renewals", moment)
            assert await tx.callers.watermark("renewals") == moment
        assert await tx.callers.watermark("other") is None


async def test_wrong_numbers_are_counted_by_the_hour(database: Database) -> None:
    eight = NOW.replace(minute=0, second=0, microsecond=0)
    last = eight + timedelta(minutes=59, seconds=59, microseconds=999_999)
    elsewhere = last.astimezone(timezone(timedelta(hours=3)))
    async with database.writing() as tx:
        assert await tx.callers.misses(A, NOW) == 0
        assert [await tx.callers.count_miss(A, at) for at in (eight, NOW, last, elsewhere)] == [1, 2, 3, 4]
        assert await tx.callers.count_miss(B, NOW) == 1
        assert await tx.callers.count_miss(A, eight + timedelta(hours=1)) == 1
        assert [await tx.callers.misses(m, at) for m, at in ((A, NOW), (B, last), (A, after(hours=1)), (C, NOW))] == [
            4,
            1,
            1,
            0,
        ]


async def test_wrong_numbers_at_once_are_all_counted(database: Database) -> None:
    async def miss() -> int:
        async with database.writing() as tx:
            return await tx.callers.count_miss(A, NOW)

    assert sorted(await asyncio.gather(*(miss() for _ in range(10)))) == list(range(1, 11))


# -------------------------------------------------------------------------------------------------------------- cases


def case(kind: CaseKind = CaseKind.CONFLICT, subject: str = "payment:R1/99", **values: object) -> Case:
    return Case(kind, subject, **values)  # type: ignore[arg-type]


async def test_a_case_is_opened_once(database: Database) -> None:
    async with database.writing() as tx:
        assert await tx.cases.open(case(amount=Money(1)), NOW)
        assert not await tx.cases.open(case(amount=Money(2)), after(hours=1))
        assert await tx.cases.open(case(CaseKind.PAID_TWICE), after(hours=2))
        assert await tx.cases.open(case(subject="payment:R2/99"), after(hours=3))
        listed = await tx.cases.listed()
        assert [c["opened_at"] for c in listed] == [NOW, after(hours=2), after(hours=3)]
        assert len(await tx.cases.listed(limit=2)) == 2
    assert listed[0]["amount_minor"] == 1


async def test_a_case_of_many_at_once(database: Database) -> None:
    async def open_it() -> bool:
        async with database.writing() as tx:
            return await tx.cases.open(case(), NOW)

    assert sorted(await asyncio.gather(*(open_it() for _ in range(10)))) == [False] * 9 + [True]


@pytest.mark.parametrize("amount", [None, Money(10**17, "TZS"), Money(1, "USD")])
async def test_a_case_shows_all_that_is_known(database: Database, amount: Money | None) -> None:
    told = case(
        provider="gepg", inbox_id="I1", bill_id="B1", amount=amount, details={"paid_at": NOW.isoformat(), "n": 10**17}
    )
    async with database.writing() as tx:
        await tx.cases.open(told, NOW)
        (shown,) = await tx.cases.listed()
    del shown["id"]
    assert shown == {
        "kind": "conflict",
        "subject": "payment:R1/99",
        "provider": "gepg",
        "inbox_id": "I1",
        "bill_id": "B1",
        "amount_minor": amount.amount_minor if amount else None,
        "currency": amount.currency if amount else None,
        "details": told.details,
        "state": "open",
        "opened_at": NOW,
        "closed_at": None,
    }


async def test_closed_cases_are_not_listed(database: Database) -> None:
    async with database.writing() as tx:
        await tx.cases.open(case(), NOW)
    async with database.engine.begin() as connection:
        await connection.execute(g.case.update().values(state="closed"))
    async with database.reading() as tx:
        assert await tx.cases.listed() == []
