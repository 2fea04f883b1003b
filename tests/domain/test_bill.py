"""A bill's states: what each fact makes of each, stated pair by pair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest

from gateway.domain.bill import BILL_SENTENCES, BILL_TRANSITIONS, Bill, BillFact, BillState, PayOption, after, bill_key
from gateway.domain.money import Money

# One row a state, one column a fact: what the state becomes. A dot: nothing changes.
TABLE = """
             submitted  numbered  refused  part_paid  paid  expired  cancelled  not_reused  released
created      submitted  numbered  refused  part_paid  paid  expired  cancelled  .           .
submitted    .          numbered  refused  part_paid  paid  expired  cancelled  .           .
numbered     .          .         .        part_paid  paid  expired  cancelled  .           expired
refused      submitted  numbered  .        part_paid  paid  expired  cancelled  .           .
part_paid    .          .         .        .          paid  .        .          .           .
paid         .          .         .        .          .     .        .          .           .
expired      .          .         .        part_paid  paid  .        cancelled  .           .
cancelled    .          .         .        part_paid  paid  .        .          .           .
"""


def rows() -> list[tuple[BillState, BillFact, BillState]]:
    heading, *lines = [line.split() for line in TABLE.strip().split("\n")]
    facts = [BillFact(word) for word in heading]
    return [
        (BillState(state), fact, BillState(state if word == "." else word))
        for state, *words in lines
        for fact, word in zip(facts, words, strict=True)
    ]


def test_every_pair_is_stated() -> None:
    assert [(state, fact) for state, fact, _ in rows()] == [(s, f) for s in BillState for f in BillFact]


@pytest.mark.parametrize(("state", "fact", "becomes"), rows())
def test_a_fact_makes_of_a_state(state: BillState, fact: BillFact, becomes: BillState) -> None:
    assert after(state, fact) == becomes


def test_late_truth_wins_over_a_time_out() -> None:
    assert after(BillState.EXPIRED, BillFact.PAID) == BillState.PAID
    assert after(BillState.CANCELLED, BillFact.PAID) == BillState.PAID


@pytest.mark.parametrize("fact", [fact for fact in BillFact if fact != BillFact.PAID])
def test_nothing_undoes_money(fact: BillFact) -> None:
    assert after(BillState.PAID, fact) == BillState.PAID


def test_the_same_fact_twice_is_once() -> None:
    for state, fact, becomes in rows():
        assert after(becomes, fact) == becomes, (state, fact)


def test_money_counts_in_whatever_order_it_becomes_known() -> None:
    """Whatever else is said before, between and after: a bill that was paid ends paid."""
    for facts in permutations(fact for fact in BillFact if fact != BillFact.NOT_REUSED):  # which moves nothing
        state = BillState.CREATED
        seen = [state]
        for fact in facts:
            state = after(state, fact)
            seen.append(state)
        assert state == BillState.PAID, facts
        assert (BillState.PAID, BillState.PART_PAID) not in pairwise(seen)


def test_every_state_can_be_reached_and_has_a_sentence_in_both_languages() -> None:
    reached = {BillState.CREATED, *(target for _, target in BILL_TRANSITIONS.values())}
    assert reached == set(BillState) == set(BILL_SENTENCES)
    assert set(BILL_TRANSITIONS) == set(BillFact)
    for sentences in BILL_SENTENCES.values():
        assert all(sentence.endswith(".") and sentence.isascii() for sentence in sentences)
    assert len({sentence for pair in BILL_SENTENCES.values() for sentence in pair}) == 2 * len(BillState)


NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BILL = Bill(
    id="B1", key="k", generation=1, family_id=1, product_id=2, product_code="CHF1", preceding_policy_id=None, stage="N",
    chfid="100000014", payer_name="Asha Juma", amount=Money(3_000_000), policy_value=Money(3_000_000),
    pay_option=PayOption.EXACT, provider_code=None, state=BillState.CREATED, control_number=None, paid=Money(0),
    created_at=NOW - timedelta(days=29), expires_at=NOW + timedelta(days=1),
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "payable"),
    [("created", True), ("submitted", True), ("numbered", True), ("part_paid", True), ("refused", False),
     ("paid", False), ("expired", False), ("cancelled", False)],
)  # fmt: skip
def test_what_can_still_be_paid(state: str, payable: bool) -> None:
    bill = replace(BILL, state=BillState(state))
    assert bill.payable_at(NOW) is payable
    assert bill.payable_at(bill.expires_at - timedelta(microseconds=1)) is payable
    assert bill.payable_at(bill.expires_at) is False


@pytest.mark.parametrize(
    ("family", "product", "preceding", "key"),
    [
        (7, 3, 12, "family:7/product:3/after:12"),
        (7, 3, None, "family:7/product:3/after:0"),
        (73, 1, 2, "family:73/product:1/after:2"),
        (7, 31, 2, "family:7/product:31/after:2"),
    ],
)
def test_the_business_key_names_family_product_and_preceding_policy(
    family: int, product: int, preceding: int | None, key: str
) -> None:
    assert bill_key(family, product, preceding) == key


REVIVED = [
    # state, number, reuses, days since the end of its life, paid -> the number that the next bill asks for
    ("numbered", "99", None, 0, 0, "99"),
    ("numbered", "99", None, -1, 0, None),  # it can still be paid
    ("expired", "99", None, 0, 0, "99"),
    ("expired", "99", None, -1, 0, "99"),
    ("expired", None, None, 0, 0, None),  # never had one, or a later bill has it
    ("expired", None, "99", 0, 0, "99"),  # asked again and never answered
    ("submitted", None, "99", 0, 0, "99"),
    ("submitted", None, "99", -1, 0, None),
    ("expired", "99", None, 0, 1, None),
    ("part_paid", "99", None, 0, 1, None),  # the provider holds a bill with money on it
    ("paid", "99", None, 0, 1, None),
    ("cancelled", "99", None, 0, 0, None),  # its family was told not to pay it
    ("refused", None, None, 0, 0, None),
]


@pytest.mark.parametrize(("state", "number", "reuses", "days", "paid", "revived"), REVIVED)
def test_which_number_is_revived(
    state: str, number: str | None, reuses: str | None, days: int, paid: int, revived: str | None
) -> None:
    bill = replace(BILL, state=BillState(state), control_number=number, reuses=reuses, paid=Money(paid))
    assert bill.number_to_revive(BILL.expires_at + timedelta(days=days)) == revived
