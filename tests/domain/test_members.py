"""Who in a family is covered: a policy alone covers nobody."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cover import Cover, CoverState, cover_on
from gateway.domain.members import Coverage, member_covers
from gateway.domain.money import Money
from gateway.domain.policy import Family, Member, Policy, PolicyStatus

TODAY = date(2026, 11, 22)
HEAD, CHILD, BABY = (
    Member(number, f"00000000{number}", "Mushi", name, date(1990, 1, 1))
    for number, name in ((2, "Asha"), (1, "Baraka"), (3, "Upendo"))
)
FAMILY = Family(7, HEAD, (CHILD, HEAD, BABY))
IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = PolicyStatus


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def policy(number: int, status: int, start: int, end: int | None, effective: int | None = None) -> Policy:
    first = None if effective is None else on(effective)
    return Policy(
        number, 7, 1, status, "N", on(start), on(start), first, None if end is None else on(end), Money(1), Money(0)
    )


def row(number: int, start: int | None, effective: int | None, end: int | None, who: Member = HEAD) -> Coverage:
    days = (None if day is None else on(day) for day in (start, effective, end))
    return Coverage(who.insuree_id, number, *days)


RUNS = policy(1, ACTIVE, -10, 10, effective=-10)
COVERED, NONE = Cover(CoverState.COVERED, until=on(10)), Cover(CoverState.NONE)


@pytest.mark.parametrize(
    ("policies", "rows", "cover"),
    [
        ([RUNS], [row(1, -10, -10, 10)], COVERED),
        # no row of the policy: beyond the number that the product takes
        ([RUNS], [], NONE),
        ([RUNS], [row(9, -10, -10, 10)], NONE),  # of a policy that is none of the family's live ones
        # joined late: no first day of cover while the rest is not paid
        ([RUNS], [row(1, 0, None, 10)], Cover(CoverState.UNPAID)),
        ([policy(1, READY, -10, 10, effective=-10)], [row(1, 0, None, 10)], Cover(CoverState.UNPAID)),
        # joined late and paid: from a later day, which has come or has not
        ([RUNS], [row(1, -3, -3, 10)], COVERED),
        ([RUNS], [row(1, 3, 3, 10)], Cover(CoverState.STARTS, until=on(10), start=on(3))),
        # left out sooner than the family, and a row that outlives its policy
        ([RUNS], [row(1, -10, -10, 4)], Cover(CoverState.COVERED, until=on(4))),
        ([RUNS], [row(1, -10, -10, -1)], Cover(CoverState.EXPIRED, until=on(-1))),
        ([RUNS], [row(1, -10, -10, 99)], COVERED),
        # old data: days that the row does not know are the policy's
        ([RUNS], [row(1, None, -10, None)], COVERED),
        ([policy(1, ACTIVE, -10, None, effective=-10)], [row(1, -10, -10, None)], Cover(CoverState.UNDATED)),
        # a policy that has no first day of cover itself tells nothing by a row without one
        ([policy(1, ACTIVE, -10, 10)], [row(1, -10, None, 10)], COVERED),
        # money that came late shortens everybody's cover, whatever the row says
        ([policy(1, ACTIVE, -10, 10, effective=2)], [row(1, -10, -10, 10)],
         Cover(CoverState.STARTS, until=on(10), start=on(2))),
        # the family's own states
        ([policy(1, IDLE, -10, 10)], [row(1, -10, None, 10)], Cover(CoverState.UNPAID)),
        ([policy(1, SUSPENDED, -10, 10, effective=-10)], [row(1, -10, -10, 10)], Cover(CoverState.SUSPENDED)),
        ([policy(1, EXPIRED, -99, -9, effective=-99)], [row(1, -99, -99, -9)],
         Cover(CoverState.EXPIRED, until=on(-9))),
        # two live policies: the best; one after the other, they count as one
        ([RUNS, policy(2, IDLE, 0, 99)], [row(2, 0, None, 99), row(1, -10, -10, 10)], COVERED),
        ([RUNS, policy(2, ACTIVE, 11, 99, effective=11)], [row(1, -10, -10, 10), row(2, 11, 11, 99)],
         Cover(CoverState.COVERED, until=on(99))),
        ([RUNS, policy(2, ACTIVE, 11, 99, effective=11)], [row(1, -10, -10, 10)], COVERED),
        # openIMIS doubles rows: the better one counts
        ([RUNS], [row(1, -10, None, 10), row(1, -10, -10, 10)], COVERED),
    ],
)  # fmt: skip
def test_a_member_has_what_its_rows_and_the_policies_give(
    policies: list[Policy], rows: list[Coverage], cover: Cover
) -> None:
    found = {each.member: each.cover for each in member_covers(FAMILY, policies, rows, TODAY)}
    assert found == {HEAD: cover, CHILD: NONE, BABY: NONE}


def test_the_head_comes_first_then_they_as_they_joined() -> None:
    assert [each.member for each in member_covers(FAMILY, [], [], TODAY)] == [HEAD, CHILD, BABY]


DAYS = st.one_of(st.none(), st.integers(-400, 400))


@given(
    policies=st.lists(
        st.builds(policy, st.integers(1, 3), st.sampled_from([*PolicyStatus]), st.integers(-400, 400), DAYS, DAYS),
        max_size=3,
        unique_by=lambda made: made.id,
    ),
    rows=st.lists(st.builds(row, st.integers(1, 3), DAYS, DAYS, DAYS), max_size=4),
)
def test_nobody_is_covered_when_the_family_is_not_nor_longer(policies: list[Policy], rows: list[Coverage]) -> None:
    """No row makes more of a policy than it is."""
    own, whole = member_covers(FAMILY, policies, rows, TODAY)[0].cover, cover_on(policies, TODAY)
    if own.state == CoverState.COVERED:
        assert whole.state == CoverState.COVERED
        assert whole.until is None or (own.until is not None and own.until <= whole.until)
