"""What a line and what we hold make together: a table, and what must hold of any day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import ERRORS
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState
from gateway.domain.reconcile import (
    BECAME,
    GOOD,
    SENTENCES,
    Became,
    Held,
    Judgement,
    Kind,
    Line,
    Tally,
    Unreadable,
    judge,
    must_be_settled,
    reconcile,
)

PAID = Money(3_000_000)
HELD = Held(1, "R1", "N1", PAID, EntryState.SETTLED)
OTHER = Held(2, "B1", "N1", PAID, EntryState.SETTLED, "S1")
NOTHING, PERSON, SETTLED, DECIDED = Became.NOTHING, Became.PERSON, Became.SETTLED, Became.DECIDED


def waiting(case: CaseKind | None, **more: object) -> Held:
    return replace(HELD, state=EntryState.CASE, case=case, **more)  # type: ignore[arg-type]


CASES = [
    # what we hold, of the line R1 N1 over 30,000; what the line is, what became of it, under which code
    ("the same", HELD, None, (Kind.MATCHED, NOTHING, None)),
    ("held for the next cover", replace(HELD, state=EntryState.HELD), None, (Kind.MATCHED, NOTHING, None)),
    ("given back", replace(HELD, state=EntryState.REFUNDED), None, (Kind.MATCHED, NOTHING, None)),
    ("rejected, yet listed", replace(HELD, state=EntryState.REJECTED), None, (Kind.WAITS, DECIDED, None)),
    ("nothing", None, None, (Kind.MISSING_HERE, Became.PENDING, None)),
    ("its receipt", None, OTHER, (Kind.OTHER_REFERENCE, NOTHING, None)),
    ("settled from it", replace(HELD, from_statement=True), None, (Kind.MISSING_HERE, SETTLED, None)),
    (
        "from it, and decided by a person",
        replace(HELD, from_statement=True, state=EntryState.REFUNDED),
        None,
        (Kind.MISSING_HERE, DECIDED, None),
    ),
    ("less", replace(HELD, amount=Money(2_999_999)), None, (Kind.DIFFERENT_AMOUNT, PERSON, "PAY-CONFLICT")),
    ("dollars", replace(HELD, amount=Money(3_000_000, "USD")), None, (Kind.DIFFERENT_AMOUNT, PERSON, "PAY-CONFLICT")),
    (
        "no bill",
        replace(HELD, state=EntryState.UNMATCHED),
        None,
        (Kind.UNKNOWN_BILL, PERSON, "PAY-UNKNOWN-NUMBER"),
    ),
    ("cancelled", waiting(CaseKind.BILL_CANCELLED), None, (Kind.CANCELLED_BUT_PAID, PERSON, "PAY-CANCELLED")),
    ("paid already", waiting(CaseKind.PAID_TWICE), None, (Kind.TWICE, PERSON, "PAY-TWICE")),
    ("its receipt is booked", waiting(CaseKind.SAME_RECEIPT), None, (Kind.TWICE, PERSON, "PAY-SAME-RECEIPT")),
    ("another reason", waiting(CaseKind.POLICY_SUSPENDED), None, (Kind.WAITS, PERSON, "PAY-SUSPENDED")),
    (
        "another reason, from it",
        waiting(CaseKind.POLICY_SUSPENDED, from_statement=True),
        None,
        (Kind.MISSING_HERE, PERSON, "PAY-SUSPENDED"),
    ),
    ("another payee's", waiting(CaseKind.OTHER_PAYEE), None, (Kind.WAITS, PERSON, "PAY-PAYEE")),
    ("being settled", replace(HELD, state=EntryState.NEW), None, (Kind.WAITS, Became.PENDING, None)),
]


@pytest.mark.parametrize(("held", "other", "means"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_line(held: Held | None, other: Held | None, means: tuple[Kind, Became, str | None]) -> None:
    assert judge(PAID, False, held, other) == Judgement(*means)


@pytest.mark.parametrize("held", [HELD, None])
def test_a_line_said_before_is_twice_whatever_we_hold(held: Held | None) -> None:
    assert judge(PAID, True, held, None) == Judgement(Kind.TWICE, Became.ASK)


@pytest.mark.parametrize(
    ("kind", "held", "settles"),
    [
        (Kind.MISSING_HERE, None, True),
        (Kind.MISSING_HERE, HELD, False),
        (Kind.DIFFERENT_AMOUNT, HELD, True),
        (Kind.OTHER_REFERENCE, None, False),
        (Kind.TWICE, None, False),
        (Kind.MATCHED, HELD, False),
    ],
)
def test_what_is_given_to_settlement(kind: Kind, held: Held | None, settles: bool) -> None:
    assert must_be_settled(Judgement(kind, NOTHING), held) is settles


def test_every_kind_has_its_sentence_and_every_code_is_known() -> None:
    assert set(SENTENCES) == set(Kind)
    assert set(BECAME) == set(Became)
    codes = {means[2] for *_, means in CASES}
    assert codes - {None} <= set(ERRORS)


def ours(held: Held) -> bool:
    return held.id < 100


def names(lines: list[Line], held: list[Held]) -> list[tuple[Kind, str]]:
    return [(d.kind, d.reference) for d in reconcile(lines, [], held, ours).differences]


LINE = Line(1, "R1", "N1", PAID, "S1")


def test_a_receipt_counts_once() -> None:
    """Two lines with one receipt are two payments for the provider; only one of them is what we hold."""
    lines = [LINE, replace(LINE, line=2, reference="R2")]
    assert names(lines, [OTHER]) == [(Kind.OTHER_REFERENCE, "R1"), (Kind.MISSING_HERE, "R2")]


def test_a_receipt_of_a_payment_that_is_listed_itself_is_another_payment() -> None:
    lines = [LINE, Line(2, "B1", "N1", PAID, "S1")]
    assert names(lines, [OTHER]) == [(Kind.MISSING_HERE, "R1")]


@pytest.mark.parametrize(
    "differs",
    [{"receipt": "S2"}, {"receipt": None}, {"receipt": ""}, {"control_number": "N2"}, {"amount": Money(1)}],
    ids=str,
)
def test_without_the_same_receipt_number_and_amount_it_is_missing_here(differs: dict[str, object]) -> None:
    other = replace(OTHER, **differs)  # type: ignore[arg-type]
    assert names([LINE], [other]) == [(Kind.MISSING_HERE, "R1"), (Kind.MISSING_THERE, "B1")]


def test_no_receipt_at_all_is_no_evidence() -> None:
    assert names([replace(LINE, receipt=None)], [replace(OTHER, receipt=None)])[0][0] == Kind.MISSING_HERE


def test_missing_there_is_of_this_day_and_owed() -> None:
    held = [HELD, replace(HELD, id=100, reference="R2"), replace(HELD, id=3, reference="R3", state=EntryState.REJECTED)]
    assert names([], held) == [(Kind.MISSING_THERE, "R1")]


def test_the_days_figures() -> None:
    lines = [LINE, replace(LINE, line=2), Line(3, "R9", "N9", Money(7, "USD"))]
    account = reconcile(lines, [Unreadable(4, "no amount")], [HELD], ours)
    assert account.totals.provider == Tally(4, {"TZS": 6_000_000, "USD": 7})
    assert account.totals.ours == Tally(1, {"TZS": 3_000_000})
    counts = {kind: tally.count for kind, tally in account.totals.kinds.items() if tally.count}
    assert counts == {Kind.MATCHED: 1, Kind.TWICE: 1, Kind.MISSING_HERE: 1, Kind.UNREADABLE: 1}
    assert account.totals.balanced
    assert not account.totals.good


def test_a_good_day() -> None:
    account = reconcile([LINE], [], [replace(HELD, reference="B1", receipt="S1")], ours)
    assert {d.kind for d in account.differences} <= GOOD
    assert account.totals.good


# ------------------------------------------------------------------------------------------------------------ any day

_few = st.integers(0, 3)
_amounts = st.builds(Money, st.sampled_from([1, 2_999_999, 3_000_000, 10**17]), st.sampled_from(["TZS", "USD"]))
_lines = st.lists(
    st.builds(
        lambda r, n, a, s: Line(0, f"R{r}", f"N{n}", a, s), _few, _few, _amounts, st.sampled_from([None, "S1", "S2"])
    ),
    max_size=8,
).map(lambda lines: [replace(line, line=number) for number, line in enumerate(lines, 1)])
_held = st.lists(
    st.builds(
        lambda r, n, a, s, receipt, told, case: Held(0, f"R{r}", f"N{n}", a, s, receipt, told, case),
        _few,
        _few,
        _amounts,
        st.sampled_from([s for s in EntryState if s not in (EntryState.DUPLICATE, EntryState.CONFLICTING)]),
        st.sampled_from([None, "S1", "S2"]),
        st.booleans(),
        st.sampled_from([None, CaseKind.PAID_TWICE, CaseKind.BILL_CANCELLED, CaseKind.WRONG_AMOUNT]),
    ),
    max_size=8,
    unique_by=lambda held: held.key,
).map(lambda held: [replace(payment, id=number * 30) for number, payment in enumerate(held, 1)])


@given(_lines, _held, st.integers(0, 3))
def test_every_senti_of_the_provider_is_in_one_kind(lines: list[Line], held: list[Held], bad: int) -> None:
    account = reconcile(lines, [Unreadable(n, "") for n in range(bad)], held, ours)
    assert account.totals.balanced
    assert account.totals.provider == Tally.of([*(line.amount for line in lines), *[None] * bad])
    named = [d for d in account.differences if d.kind != Kind.MISSING_THERE]
    assert len(named) + account.totals.kinds[Kind.MATCHED].count == len(lines) + bad


@given(_lines, _held)
def test_every_senti_of_ours_is_listed_or_named(lines: list[Line], held: list[Held]) -> None:
    account = reconcile(lines, [], held, ours)
    listed = {line.key for line in lines}
    spoken_for = {d.why.removeprefix("held as ") for d in account.differences if d.kind == Kind.OTHER_REFERENCE}
    mine = [p for p in held if ours(p) and p.state != EntryState.REJECTED]
    unlisted = [p for p in mine if p.key not in listed]
    missing = [d for d in account.differences if d.kind == Kind.MISSING_THERE]
    assert {(d.reference, d.control_number) for d in missing} <= {p.key for p in unlisted}
    assert all(
        p.reference in spoken_for for p in unlisted if p.key not in {(d.reference, d.control_number) for d in missing}
    )


@given(_lines, _held)
def test_the_order_of_what_we_hold_does_not_matter(lines: list[Line], held: list[Held]) -> None:
    assert reconcile(lines, [], held, ours) == reconcile(lines, [], held[::-1], ours)


@given(_lines, _held)
def test_no_payment_is_matched_by_two_lines(lines: list[Line], held: list[Held]) -> None:
    account = reconcile(lines, [], held, ours)
    others = [(d.why, d.control_number) for d in account.differences if d.kind == Kind.OTHER_REFERENCE]
    assert len(others) == len(set(others))
    settled = account.totals.kinds[Kind.MATCHED].count
    assert settled <= len({line.key for line in lines} & {p.key for p in held})
