"""A day reconciled on both databases: named to the shilling, settled once, the same however often it is run."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from service_world import COVERED, EXPIRED, INSTALMENTS, SOON, World
from statement_world import Books, body, line

from adapters.registry.openimis import tables as t
from gateway.domain.bill import BillFact
from gateway.domain.money import Money
from gateway.domain.payments import EntryState
from gateway.ports import DayOrder, OtherRunError
from gateway.service.accept_callback import ForgeryQuota
from gateway.service.accept_statement import AcceptStatement
from gateway.service.daily_reconciliation import WatchClosedDays
from gateway.service.reconcile_day import DayRefusedError, Expected
from gateway.store import tables as g

N1, N2, N3 = "994120000011", "994120000022", "994120000033"


@pytest.fixture
def books(world: World, tmp_path: Path) -> Books:
    return Books(world, tmp_path / "statements")


async def paid(books: Books, family: int, number: str, reference: str, **more: object) -> None:
    """A callback of yesterday, settled."""
    bill = await books.world.numbered(family, number)
    report = books.world.payment(bill, reference=reference, paid_at=books.paid_at, **more)
    assert await books.world.told(report) == ["settled"]


async def test_a_day_that_matches(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await books.bring(line("R1", N1))
    report = await books.run()
    assert report["good"]
    assert report["totals"] == {
        "provider": {"count": 1, "minor": {"TZS": 3_000_000}},
        "ours": {"count": 1, "minor": {"TZS": 3_000_000}},
    }
    assert await books.told() == []
    assert await books.world.count(g.statement_line) == 0, "nobody needs them any more"
    assert await books.run() == report


async def test_every_difference_has_its_name(books: Books) -> None:
    world = books.world
    await paid(books, COVERED, N1, "R1")
    await paid(books, SOON, N2, "R2", receipt="S2")
    cancelled = await world.numbered(EXPIRED, N3)
    async with world.database.writing() as tx:
        await tx.bills.record(cancelled, BillFact.CANCELLED, world.clock.now())
    await books.bring(
        line("R1", N1, 2_900_000),
        line("OTHER", N2, receipt="S2"),
        line("R3", N3),
        "?",
        line("R4", "990000000000"),
        line("R1", N1),
        line("R5", N1),
    )
    report = await books.run()
    assert await books.told() == [
        ("different_amount", "R1", "person"),
        ("other_reference", "OTHER", "nothing"),
        ("cancelled_but_paid", "R3", "person"),
        ("unknown_bill", "R4", "person"),
        ("twice", "R1", "ask"),
        ("twice", "R5", "person"),
        ("unreadable", "", "ask"),
    ]
    assert not report["good"]
    assert sorted(await world.cases()) == ["bill_cancelled", "conflict", "paid_twice", "unknown_control_number"]
    assert await world.count(t.premiums, Receipt="OTHER") == 0
    before = (report, await books.written("json"), await world.cases())
    again = (await books.run(), await books.written("json"), await world.cases())
    assert again == before


async def test_missing_here_is_settled_once_and_stays_a_difference(books: Books) -> None:
    await books.world.numbered(COVERED, N1)
    await books.bring(line("R1", N1))
    first = await books.run()
    assert await books.told() == [("missing_here", "R1", "settled")]
    assert await books.run() == first
    assert await books.told() == [("missing_here", "R1", "settled")]
    assert await books.world.count(t.premiums, Receipt="R1") == 1
    assert not first["good"]
    bill = (await books.world.rows(g.bill, control_number=N1))[0]
    late = books.world.payment(await books.world.bill(bill["id"]), "30000", reference="R1", paid_at=books.paid_at)
    assert await books.world.told(late) == ["duplicate"]
    assert await books.run() == first, "the callback came after the statement, whenever the report is made"
    assert await books.world.count(t.premiums, Receipt="R1") == 1


async def test_missing_there(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await paid(books, SOON, N2, "R2")
    await books.bring(line("R1", N1))
    report = await books.run()
    assert await books.told() == [("missing_there", "R2", "ask")]
    assert report["totals"]["ours"]["count"] == 2
    assert report["kinds"]["missing_there"] == {"count": 1, "minor": {"TZS": 3_000_000}}


async def test_what_a_person_rejected_is_not_missing_there(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await books.world.execute(g.payment.update().values(state=EntryState.REJECTED))
    await books.bring(line("R9", "990000000000"))
    await books.run()
    assert [kind for kind, *_ in await books.told()] == ["unknown_bill"]
    await books.bring(line("R1", N1), line("R9", "990000000000"), request_id="2")
    await books.run()
    assert await books.told() == [("waits", "R1", "decided"), ("unknown_bill", "R9", "person")]


async def test_callback_and_statement_at_once(books: Books) -> None:
    """Whichever is first: one premium."""
    bill = await books.world.numbered(COVERED, N1)
    await books.bring(line("R1", N1))
    report = books.world.payment(bill, reference="R1", paid_at=books.paid_at)
    await asyncio.gather(books.run(), books.world.receive(report), books.world.settle_all())
    await books.world.settle_all()
    assert await books.world.count(t.premiums, Receipt="R1") == 1
    assert await books.world.cases() == []
    assert {row["state"] for row in await books.world.rows(g.entry, kind="payment")} <= {"settled", "duplicate"}


async def test_a_receipt_makes_no_second_premium_whatever_comes_first(books: Books) -> None:
    """The bank's reference in its statement, then the provider's own callback of the same money."""
    bill = await books.world.numbered(COVERED, N1)
    await books.bring(line("BANK1", N1, receipt="S1"))
    await books.run()
    report = books.world.payment(bill, "30000", reference="R1", receipt="S1", paid_at=books.paid_at)
    assert await books.world.told(report) == ["case"]
    assert await books.world.count(t.premiums, Receipt="BANK1") == 1
    assert await books.world.count(t.premiums, Receipt="R1") == 0


async def test_a_receipt_under_two_references_of_the_same_statement_is_not_one_payment(books: Books) -> None:
    await paid(books, COVERED, N1, "R1", receipt="S1")
    await books.bring(line("R1", N1, receipt="S1"), line("R2", N1, receipt="S1"))
    await books.run()
    assert await books.told() == [("twice", "R2", "person")], "the held one is spoken for"


async def test_a_receipt_is_spoken_for_once_though_its_lines_are_judged_apart(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.service.reconcile_day._PAGE", 1)
    await paid(books, COVERED, N1, "R1", receipt="S1")
    await books.bring(line("A", N1, receipt="S1"), line("B", N1, receipt="S1"))
    await books.run()
    assert await books.told() == [("other_reference", "A", "nothing"), ("twice", "B", "person")]


async def test_an_instalment_with_the_receipt_of_another_waits_for_a_person(books: Books) -> None:
    """Exact bills need no such rule: a second payment of theirs is never booked."""
    bill = await books.world.numbered(INSTALMENTS, N1)
    half = Money(bill.amount.amount_minor // 3)
    first = books.world.payment(bill, half, reference="R1", receipt="S1", paid_at=books.paid_at)
    assert await books.world.told(first) == ["settled"]
    second = books.world.payment(bill, half, reference="R2", receipt="S1", paid_at=books.paid_at)
    third = books.world.payment(bill, half, reference="R3", receipt="S3", paid_at=books.paid_at)
    assert await books.world.told(second, third) == ["case", "settled"]
    assert await books.world.cases() == ["same_receipt"]
    await books.bring(
        *(line(r, N1, half.amount_minor, receipt=s) for r, s in (("R1", "S1"), ("R2", "S1"), ("R3", "S3")))
    )
    await books.run()
    assert await books.told() == [("twice", "R2", "person")]


async def test_accounts_of_some_service_providers_speak_of_their_own_money_only(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await paid(books, SOON, N2, "R2")
    await books.world.execute(g.bill.update().where(g.bill.c.control_number == N1).values(provider_code="SP1"))
    await books.world.execute(g.bill.update().where(g.bill.c.control_number == N2).values(provider_code=None))
    await books.bring(line("R1", N1), code="SP1")
    report = await books.run(Expected(["SP1", "SP2"], "SP2"))
    assert (report["unanswered"], report["good"]) == (["SP2"], False)
    assert await books.told() == []
    assert report["totals"]["ours"]["count"] == 1
    await books.bring(line("R2", N2), code="SP2", request_id="2")
    report = await books.run(Expected(["SP1", "SP2"], "SP2"))
    assert (report["unanswered"], report["good"]) == ([], True)


async def test_a_newer_account_takes_the_place_of_the_older(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await books.bring("?")
    assert not (await books.run())["good"]
    await books.bring(line("R1", N1), request_id="2")
    assert (await books.run())["good"]


async def test_the_same_file_again_adds_nothing(books: Books) -> None:
    one = await books.bring(line("R1", N1))
    again = await books.bring(line("R1", N1))
    assert one.id == again.id
    assert await books.world.count(g.statement) == 1
    assert await books.world.count(g.inbox, route="file") == 1


async def test_a_file_that_was_lost_can_be_brought_again(books: Books) -> None:
    one = await books.bring(line("R1", N1))
    books.folder.path_of(one.file).unlink()
    assert (await books.bring(line("R1", N1))).id == one.id
    await books.run()
    assert [kind for kind, *_ in await books.told()] == ["unknown_bill"]


async def test_a_file_that_is_not_the_providers_is_refused(books: Books) -> None:
    for head in ("forged", "junk", "none"):
        with pytest.raises(DayRefusedError):
            await books.bring(line("R1", N1), head=head)
    assert await books.world.count(g.statement) == 0
    assert list(books.folder.folder.glob("*-*")) == []


async def test_staging_goes_on_where_it_was(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.service.stage_statement._COMMIT_BYTES", 1)
    known = await books.bring(*(line(f"R{n}", f"9941200{n:05}") for n in range(10)))
    loads = 0
    load = books.stage._load

    async def dies(*arguments: object) -> object:
        nonlocal loads
        loads += 1
        if loads == 3:
            raise RuntimeError("killed")
        return await load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(books.stage, "_load", dies)
    with pytest.raises(RuntimeError, match="killed"):
        await books.stage(known)
    assert await books.world.count(g.statement_line) == 6
    report = await books.run(wait_s=0)
    assert report["totals"]["provider"] == {"count": 10, "minor": {"TZS": 30_000_000}}
    assert sorted(row["line"] for row in await books.world.rows(g.statement_line)) == list(range(1, 11))
    assert loads == 5, "what was loaded is not loaded again"


async def test_two_who_load_the_same_statement(books: Books) -> None:
    known = await books.bring(*(line(f"R{n}", f"9941200{n:05}") for n in range(10)))
    ended = await asyncio.gather(books.stage(known), books.stage(known), return_exceptions=True)
    assert [type(end) for end in ended if end is not None] in ([], [OtherRunError])
    assert await books.world.count(g.statement_line) == 10


async def test_a_line_that_no_column_can_hold_is_a_fault(books: Books) -> None:
    await books.bring(line("R" * 101, N1), line("R2", "9" * 51), line("R3", N1, 0), line("R4", N1, 10**18))
    await books.run()
    assert [d.kind.value for d in await books.differences()] == ["unreadable"] * 4
    assert [d.line for d in await books.differences()] == [1, 2, 3, 4]


async def test_letters_that_a_copy_could_trip_over(books: Books) -> None:
    await books.bring(line("R\\1\t2", "99\\N"), line("\\.", "\\."))
    await books.run()
    assert [d.reference for d in await books.differences()] == ["R\\1\t2", "\\."]


async def test_what_is_not_settled_in_time_is_said(books: Books) -> None:
    await books.world.numbered(COVERED, N1)
    await books.bring(line("R1", N1))
    books.reconcile._settle = None
    report = await books.run(wait_s=0)
    assert report["pending"] == 1
    assert await books.told() == [("missing_here", "R1", "pending")]
    with pytest.raises(DayRefusedError, match="being settled"):
        await books.reconcile.close("fakepay", books.day, "Asha")
    await books.world.settle_all()
    report = await books.run(wait_s=0)
    assert report["pending"] == 0
    assert await books.told() == [("missing_here", "R1", "settled")]


async def test_another_run_that_begins_ends_the_first(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    await books.bring(line("R1", N1))
    books.reconcile._settle = None
    await books.run(wait_s=0)
    until_settled = books.reconcile._until_settled

    async def meanwhile(*arguments: object) -> None:
        monkeypatch.setattr(books.reconcile, "_until_settled", until_settled)
        await books.run(wait_s=0)

    monkeypatch.setattr(books.reconcile, "_until_settled", meanwhile)
    with pytest.raises(OtherRunError):
        await books.run(wait_s=0)
    assert len(await books.told()) == 1


# ------------------------------------------------------------------------------------------------------ closed days


async def closed(books: Books) -> None:
    await paid(books, COVERED, N1, "R1")
    await books.bring(line("R1", N1))
    await books.run()
    await books.reconcile.close("fakepay", books.day, "Asha")


async def test_a_day_is_closed_once_by_a_person(books: Books) -> None:
    with pytest.raises(DayRefusedError, match="not reconciled"):
        await books.reconcile.close("fakepay", books.day, "Asha")
    await closed(books)
    with pytest.raises(DayRefusedError, match="closed already, by Asha"):
        await books.reconcile.close("fakepay", books.day, "Juma")
    [audited] = await books.world.rows(g.audit, action="day.closed")
    assert (audited["actor"], audited["details"]) == ("Asha", {"good": True, "differences": 0})


async def test_an_incomplete_day_is_not_closed(books: Books) -> None:
    await books.bring(line("R1", N1), code="SP1")
    await books.run(Expected(["SP1", "SP2"], "SP2"))
    with pytest.raises(DayRefusedError, match="SP2"):
        await books.reconcile.close("fakepay", books.day, "Asha")


async def test_a_closed_day_run_again_is_no_change(books: Books) -> None:
    await closed(books)
    await books.run()
    assert await books.world.cases() == []


async def test_another_statement_of_a_closed_day_is_a_case(books: Books) -> None:
    await closed(books)
    await books.bring(line("R1", N1), line("R9", "990000000000"), request_id="2")
    assert await books.world.cases() == ["day_changed"]
    async with books.world.database.reading() as tx:
        before = await tx.reconciliations.day("fakepay", books.day)
    await books.run()
    async with books.world.database.reading() as tx:
        after = await tx.reconciliations.day("fakepay", books.day)
    assert before is not None
    assert after is not None
    assert after.closed_report == before.closed_report
    assert after.report != after.closed_report


async def test_a_late_callback_of_a_closed_day_is_a_case(books: Books) -> None:
    watch = WatchClosedDays(books.world.database, books.world.clock)
    assert await watch() == 0
    await closed(books)
    assert await watch() == 0, "what was counted is no change"
    books.world.clock.pass_(hours=2)
    await paid(books, SOON, N2, "R2")
    assert await watch() == 1
    assert await watch() == 0, "told once"
    assert await books.world.cases() == ["day_changed"]
    books.world.clock.pass_(hours=1)
    await watch()
    books.world.clock.pass_(hours=1)
    bill = await books.world.numbered(EXPIRED, N3)
    today = books.world.payment(bill, reference="R3", paid_at=books.paid_at + timedelta(days=1))
    await books.world.told(today)
    await books.world.execute(g.case.delete())
    assert await watch() == 0, "another day's money"


# ---------------------------------------------------------------------------------------------- as the provider sends


async def test_a_statement_that_was_asked_for_is_the_days(books: Books) -> None:
    async with books.world.database.writing() as tx:
        await tx.reconciliations.add_order("fakepay", DayOrder(books.day, "SP1", "77"), books.world.clock.now())
    content = body(line("R1", N1), request_id="77", code="SP1")
    assert await books.send(content) == (200, b"genuine")
    [statement] = await books.world.rows(g.statement)
    assert (statement["day"], statement["provider_code"], statement["usable"]) == (books.day, "SP1", 1)
    assert books.folder.path_of(statement["file"]).read_bytes() == content
    [kept] = await books.world.rows(g.inbox, route="reconciliations")
    assert (kept["digest"], kept["size"]) == (statement["digest"], len(content))
    # the same bytes, and the same account with another envelope
    assert await books.send(content) == (200, b"genuine")
    assert await books.send(body(line("R1", N1), "", request_id="77", code="SP1")) == (200, b"genuine")
    assert await books.world.count(g.statement) == 1
    assert await books.world.count(g.inbox, route="reconciliations") == 1
    assert [path.name for path in books.folder.folder.iterdir() if path.is_file()] == [statement["file"]]


async def test_a_statement_that_nobody_asked_for_is_kept_and_used_by_no_day(books: Books) -> None:
    for _ in range(2):
        assert await books.send(body(line("R1", N1), request_id="78")) == (200, b"genuine")
    [statement] = await books.world.rows(g.statement)
    assert statement["day"] is None
    with pytest.raises(DayRefusedError, match="no statement"):
        await books.run()


@pytest.mark.parametrize(("content", "said"), [(b"forged|1|\n", b"bad_signature"), (b"\xff\xfe", b"unreadable")])
async def test_what_is_not_the_providers_leaves_no_file(books: Books, content: bytes, said: bytes) -> None:
    assert await books.send(content) == (200, said)
    [kept] = await books.world.rows(g.inbox)
    assert (kept["body"], kept["verdict"]) == (content, said.decode())
    assert [path for path in books.folder.folder.rglob("*") if path.is_file()] == []
    assert await books.world.count(g.statement) == 0


async def test_a_signed_account_that_cannot_be_read_is_before_a_person_once(books: Books) -> None:
    """It is answered "unreadable", so it may come for ever, and anew whenever the day is asked for again."""
    books.accept = AcceptStatement(books.world.database, books.world.clock, books.folder, ForgeryQuota(per_hour=0))
    for content in (b"junk", b"signed|1|\n", b"signed|1|\n", b"signed|2|\n", b"signed|1|\n"):
        assert await books.send(content) == (200, b"unreadable")
    kept = await books.world.rows(g.inbox)
    assert sorted(row["body"] for row in kept) == [b"signed|1|\n", b"signed|2|\n"], "beyond the quota, each once"
    first = next(row["id"] for row in kept if row["body"] == b"signed|1|\n")
    [case] = await books.world.rows(g.case)
    about = f"statement:fakepay/{books.world.today}"
    assert (case["kind"], case["subject"], case["inbox_id"]) == ("unreadable", about, first)
    assert case["details"] == {"why": "because"}
    assert [path for path in books.folder.folder.rglob("*") if path.is_file()] == []
    books.world.clock.pass_(days=1)
    assert await books.send(b"signed|1|\n") == (200, b"unreadable")
    assert (await books.world.count(g.inbox), await books.world.count(g.case)) == (2, 1), "nothing new"
    assert await books.send(b"signed|3|\n") == (200, b"unreadable")
    assert (await books.world.count(g.inbox), await books.world.count(g.case)) == (3, 2), "of another day"


async def test_too_large_a_statement(books: Books) -> None:
    books.folder._max_bytes = 100
    status, said = await books.send(b"ok|1|\n" + b"x" * 200)
    assert (status, said) == (200, b"too_large")
    assert [path for path in books.folder.folder.rglob("*") if path.is_file()] == []


async def test_what_cannot_be_committed_is_not_acknowledged(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(books.folder, "keep", full)
    assert await books.send(body(line("R1", N1))) == (503, b"again")
    assert await books.world.count(g.inbox) == 0


async def test_the_same_statement_delivered_side_by_side(books: Books) -> None:
    async with books.world.database.writing() as tx:
        await tx.reconciliations.add_order("fakepay", DayOrder(books.day, None, "77"), books.world.clock.now())
    same = [body(line("R1", N1), request_id="77") for _ in range(3)]
    others = [body(line("R1", N1), *[""] * n, request_id="77") for n in range(1, 3)]
    answers = await asyncio.gather(*(books.send(content) for content in (*same, *others)))
    assert answers == [(200, b"genuine")] * 5
    [statement] = await books.world.rows(g.statement)
    assert books.folder.path_of(statement["file"]).is_file()
    assert await books.world.count(g.inbox, route="reconciliations") == 1
