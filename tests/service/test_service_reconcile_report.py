"""The report of a day, word for word, in its three formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from service_world import COVERED, SOON, World
from statement_world import Books, line

from gateway import reconcile_report
from gateway.domain.reconcile import Difference

N1, N2 = "994120000011", "994120000022"
WAITS = "  waits for a person (PAY-UNKNOWN-NUMBER)"

TABLE = """\
fakepay {day}                         lines                     money
the provider lists                       5    TZS 90,000 + USD 0.07
  matched                                1                TZS 30,000
  twice                                  1                TZS 30,000
  unknown bill                           2      TZS 30,000 + USD 0.07
  unreadable                             1                         -
we hold for the day                      4      TZS 90,000 + USD 0.07
  missing there                          1                TZS 30,000
statement 5 lines, SHA-256 {digest}…
"""


@pytest.fixture
async def books(world: World, tmp_path: Path) -> Books:
    books = Books(world, tmp_path / "statements")
    for family, number, reference in ((COVERED, N1, "R1"), (SOON, N2, "R2")):
        bill = await world.numbered(family, number)
        assert await world.told(world.payment(bill, reference=reference, paid_at=books.paid_at)) == ["settled"]
    await books.bring(line("R1", N1), line("R1", N1), line("R3", "99\u202e1"), "?", line("R4", "992", 7, "USD"))
    await books.run()
    return books


async def test_as_a_table(books: Books) -> None:
    said = await books.written("table")
    figures, _, named = said.partition("\n\n")
    [statement] = (await report_of(books))["statements"]
    expected = TABLE.format(day=books.day, digest=statement["digest"][:16]).rstrip("\n")
    assert [" ".join(row.split()) for row in figures.splitlines()] == [
        " ".join(row.split()) for row in expected.splitlines()
    ]
    assert "\u202e" not in said, "nothing of a stranger's steers the terminal"
    assert named.splitlines() == [
        "TWICE: Paid or listed twice: one of them is booked.",
        "  line 2        994120000011   R1                           TZS 30,000  ask the provider",
        "",
        "UNKNOWN BILL: No bill of ours has this control number.",
        "  line 3        99?1           R3                           TZS 30,000" + WAITS,
        "  line 5        992            R4                             USD 0.07" + WAITS,
        "",
        "MISSING THERE: We hold it for this day, and the provider does not list it.",
        "  -             994120000022   R2                      ours TZS 30,000  ask the provider",
        "",
        "UNREADABLE: A line of the statement that cannot be read.",
        "  line 4: it begins with a question mark",
        "",
        "not matched",
    ]


async def report_of(books: Books) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await books.written("json"))
    return found


async def test_as_json(books: Books) -> None:
    found = await report_of(books)
    assert (found["provider"], found["day"], found["good"]) == ("fakepay", books.day.isoformat(), False)
    assert found["totals"]["provider"] == {"count": 5, "minor": {"TZS": 9_000_000, "USD": 7}}
    assert [(d["kind"], d["line"], d["amount_minor"], d["held_minor"]) for d in found["differences"]] == [
        ("twice", 2, 3_000_000, 3_000_000),
        ("unknown_bill", 3, 3_000_000, 3_000_000),
        ("unknown_bill", 5, 7, 7),
        ("missing_there", None, None, 3_000_000),
        ("unreadable", 4, None, None),
    ]


async def test_as_csv(books: Books) -> None:
    rows = list(csv.DictReader(io.StringIO(await books.written("csv"))))
    assert [(r["kind"], r["line"], r["provider_amount"], r["our_amount"]) for r in rows[:5]] == [
        ("twice", "2", "30000.00", "30000.00"),
        ("unknown_bill", "3", "30000.00", "30000.00"),
        ("unknown_bill", "5", "0.07", "0.07"),
        ("missing_there", "", "", "30000.00"),
        ("unreadable", "4", "", ""),
    ]
    totals = {(r["kind"], r["currency"]): (r["line"], r["provider_amount"] or r["our_amount"]) for r in rows[5:]}
    assert totals["total provider", "TZS"] == ("5", "90000.00")
    assert totals["total provider", "USD"] == ("5", "0.07")
    assert totals["total missing_there", "TZS"] == ("1", "30000.00")


async def test_json_without_differences(books: Books) -> None:
    async def none() -> AsyncIterator[Difference]:
        return
        yield

    out = io.StringIO()
    await reconcile_report.write("json", await report_of(books) | {"pending": 0}, none(), out.write)
    assert json.loads(out.getvalue())["differences"] == []
