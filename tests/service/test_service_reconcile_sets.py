"""What the database matches as sets is what the rules say of every line, for any small day."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from service_world import Clock
from sqlalchemy import delete, insert
from statement_world import NAME, Books, body

from adapters.registry.openimis import OpenImisRegistry
from gateway.domain.clock import EAT
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState
from gateway.domain.reconcile import Difference, Held, Kind, Line, Unreadable, reconcile
from gateway.service.reconcile_day import Expected, tally_json
from gateway.store import tables as g
from gateway.store.database import Database

DAY = date(2026, 11, 24)
NOON = datetime.combine(DAY, time(12), EAT)
TABLES = (g.difference, g.reconciliation, g.statement_line, g.statement_fault, g.statement, g.entry, g.case, g.payment)
AMOUNTS = st.builds(Money, st.sampled_from([1, 3_000_000, 10**17]), st.sampled_from(["TZS", "USD"]))
RECEIPTS = st.sampled_from([None, "S1", "S2"])
# (payment, day it was paid counted from the statement's, whether another provider told of it)
HELD = st.lists(
    st.tuples(
        st.builds(
            lambda r, n, a, state, receipt, told, case: Held(0, f"R{r}", f"N{n}", a, state, receipt, told, case),
            st.integers(0, 3),
            st.integers(0, 2),
            AMOUNTS,
            st.sampled_from([s for s in EntryState if s not in (EntryState.DUPLICATE, EntryState.CONFLICTING)]),
            RECEIPTS,
            st.booleans(),
            st.sampled_from([None, CaseKind.PAID_TWICE, CaseKind.BILL_CANCELLED, CaseKind.WRONG_AMOUNT]),
        ),
        st.sampled_from([0, 0, 0, -1, 1, 30]),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one[0].key,
)


@st.composite
def _days(draw: st.DrawFn) -> tuple[list[Line | None], list[tuple[Held, int, bool]]]:
    """Lines that mostly tell of what is held, exactly or nearly."""
    held = draw(HELD)
    lines: list[Line | None] = []
    for _ in range(draw(st.integers(1, 8))):
        way = draw(
            st.sampled_from(["same", "same", "same", "other reference", "other reference", "amount", "new", "bad"])
        )
        if way == "bad":
            lines.append(None)
        elif way == "new" or not held:
            lines.append(Line(0, f"R{draw(st.integers(0, 3))}", "N0", draw(AMOUNTS), draw(RECEIPTS)))
        else:
            known = draw(st.sampled_from(held))[0]
            line = Line(0, known.reference, known.control_number, known.amount, known.receipt)
            if way == "other reference":
                line = replace(line, reference=f"B{draw(st.integers(0, 1))}")
            lines.append(replace(line, amount=draw(AMOUNTS)) if way == "amount" else line)
    return lines, held


@pytest.fixture
def statements(tmp_path: Path) -> Path:
    return tmp_path / "statements"


@given(day=_days(), pages=st.sampled_from([1, 2, 1_000]))
@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_sets_and_lines_agree(
    database_url: str, statements: Path, day: tuple[list[Line | None], list[tuple[Held, int, bool]]], pages: int
) -> None:
    asyncio.run(asyncio.wait_for(_both(database_url, statements, *day, pages), 30))


async def _both(
    url: str, folder: Path, lines: list[Line | None], told: list[tuple[Held, int, bool]], page: int
) -> None:
    numbered = [replace(line, line=n) if line else None for n, line in enumerate(lines, 1)]
    # the case is of those that wait for a person
    held = [
        (replace(h, id=n, case=h.case if h.state == EntryState.CASE else None), day, other)
        for n, (h, day, other) in enumerate(told, 1)
    ]
    mine = {h.id for h, day, other in held if day == 0 and not other}
    meant = reconcile(
        [line for line in numbered if line],
        [Unreadable(n, "it begins with a question mark") for n, line in enumerate(numbered, 1) if line is None],
        [h for h, *_ in held],
        lambda h: h.id in mine,
    )
    database = Database(url, OpenImisRegistry)
    patch = pytest.MonkeyPatch()
    patch.setattr("gateway.service.reconcile_day._PAGE", page)
    try:
        await _put(database, held)
        books = Books(_World(database), folder, settle=False)  # type: ignore[arg-type]
        said = [_said(line) for line in numbered]
        path = folder.parent / "brought"
        path.write_bytes(body(*said))
        await books.taking.signed(books.peer, path, DAY)
        report = await books.reconcile(NAME, DAY, Expected(None), 0)
        books.day = DAY
        found = await books.differences()
    finally:
        patch.undo()
        await database.close()
    assert sorted(map(_comparable, found)) == sorted(map(_comparable, meant.differences))
    assert report["kinds"] == {kind.value: tally_json(meant.totals.kinds[kind]) for kind in Kind}
    assert report["totals"]["ours"] == tally_json(meant.totals.ours)
    assert report["totals"]["provider"] == tally_json(meant.totals.provider)


class _World:
    """As much of a gateway as a day needs."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock(NOON + timedelta(days=1))
        self.today = DAY + timedelta(days=1)


def _said(line: Line | None) -> str:
    if line is None:
        return "?"
    money = line.amount
    return f"{line.reference}|{line.control_number}|{money.amount_minor}|{money.currency}|{line.receipt or ''}"


def _comparable(d: Difference) -> tuple[str, ...]:
    return tuple(map(str, (d.line, d.kind, d.became, d.code, d.reference, d.control_number, d.amount, d.held, d.why)))


async def _put(database: Database, held: list[tuple[Held, int, bool]]) -> None:
    async with database.engine.begin() as connection:
        for table in TABLES:
            await connection.execute(delete(table))
        await connection.execute(
            insert(g.statement),
            {"provider": "x", "about": "", "inbox_id": "told", "digest": "", "file": "", "size": 0, "usable": 0}
            | {"how": {}, "taken_at": NOON, "staged": 0, "position": 0, "lines": 0, "totals": {}},
        )
        for h, day, other in held:
            await connection.execute(
                insert(g.payment),
                {
                    "id": h.id,
                    "reference": h.reference,
                    "control_number": h.control_number,
                    "digest": "",
                    "provider": "bank" if other else NAME,
                    "amount_minor": h.amount.amount_minor,
                    "currency": h.amount.currency,
                    "paid_at": NOON + timedelta(days=day),
                    "receipt": h.receipt,
                    "state": h.state.value,
                    "inbox_id": "told" if h.from_statement else "callback",
                    "first_seen_at": NOON,
                    "updated_at": NOON,
                },
            )
            if h.case is not None:
                subject = f"payment:{h.reference}/{h.control_number}"
                for kind in (h.case, CaseKind.CONFLICT):
                    await connection.execute(
                        insert(g.case),
                        {"kind": kind, "subject": subject, "details": {}, "state": "open", "opened_at": NOON},
                    )
