"""Covered or not, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.cover import COVERS, Cover, CoverState, cover_on
from gateway.domain.money import Money
from gateway.domain.policy import Policy, PolicyStatus

TODAY = date(2026, 11, 22)
IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = (
    PolicyStatus.IDLE,
    PolicyStatus.ACTIVE,
    PolicyStatus.SUSPENDED,
    PolicyStatus.EXPIRED,
    PolicyStatus.READY,
)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def policy(status: int, start: int, end: int | None, effective: Any = "start", number: int = 1) -> Policy:
    """A policy whose days are counted from today."""
    first = None if status == IDLE or effective is None else on(start if effective == "start" else effective)
    return Policy(
        number, 1, 1, status, "N", on(start), on(start), first, None if end is None else on(end), Money(1), Money(0)
    )


@pytest.mark.parametrize(
    ("policies", "cover"),
    [
        ([], Cover(CoverState.NONE)),
        # covered: the first and the last day count
        ([policy(ACTIVE, -10, 10)], Cover(CoverState.COVERED, until=on(10))),
        ([policy(ACTIVE, 0, 364)], Cover(CoverState.COVERED, until=on(364))),
        ([policy(ACTIVE, -364, 0)], Cover(CoverState.COVERED, until=TODAY)),
        ([policy(ACTIVE, -10, 10, None)], Cover(CoverState.COVERED, until=on(10))),
        # the registry lost the last day; beside a policy that has one that counts
        ([policy(ACTIVE, -10, None)], Cover(CoverState.UNDATED)),
        ([policy(ACTIVE, -900, None), policy(ACTIVE, -10, 10)], Cover(CoverState.COVERED, until=on(10))),
        ([policy(ACTIVE, -900, None), policy(ACTIVE, 8, 372)], Cover(CoverState.UNDATED)),
        # paid in full, and an officer has yet to make it active
        ([policy(READY, -3, 361)], Cover(CoverState.READY)),
        ([policy(READY, 0, 364)], Cover(CoverState.READY)),
        ([policy(READY, -1, 372, 2)], Cover(CoverState.STARTS, until=on(372), start=on(2))),
        ([policy(READY, -3, None)], Cover(CoverState.READY)),
        ([policy(READY, -3, 361), policy(ACTIVE, 8, 372)], Cover(CoverState.READY)),
        ([policy(READY, -3, 361), policy(ACTIVE, -10, 10)], Cover(CoverState.COVERED, until=on(10))),
        ([policy(READY, -400, -36)], Cover(CoverState.EXPIRED, until=on(-36))),
        # the nightly job has not come by yet
        ([policy(ACTIVE, -365, -1)], Cover(CoverState.EXPIRED, until=on(-1))),
        # paid, not begun: openIMIS e02 makes it active at once with a future effective date
        ([policy(ACTIVE, 8, 372)], Cover(CoverState.STARTS, until=on(372), start=on(8))),
        ([policy(ACTIVE, -1, 372, 2)], Cover(CoverState.STARTS, until=on(372), start=on(2))),
        ([policy(READY, 3, 367)], Cover(CoverState.STARTS, until=on(367), start=on(3))),
        (
            [policy(ACTIVE, 9, 90, number=1), policy(ACTIVE, 5, 50, number=2)],
            Cover(CoverState.STARTS, until=on(50), start=on(5)),
        ),
        # covers that follow each other are one; a gap or money that came late ends the run
        ([policy(ACTIVE, -300, 20), policy(ACTIVE, 21, 385)], Cover(CoverState.COVERED, until=on(385))),
        ([policy(ACTIVE, 21, 385), policy(ACTIVE, -300, 20)], Cover(CoverState.COVERED, until=on(385))),
        ([policy(ACTIVE, -300, 20), policy(ACTIVE, 22, 385)], Cover(CoverState.COVERED, until=on(20))),
        ([policy(ACTIVE, -300, 20), policy(ACTIVE, 21, 385, 30)], Cover(CoverState.COVERED, until=on(20))),
        ([policy(ACTIVE, -300, 20), policy(IDLE, 21, 385)], Cover(CoverState.COVERED, until=on(20))),
        ([policy(ACTIVE, -300, 20), policy(ACTIVE, -10, 10)], Cover(CoverState.COVERED, until=on(20))),
        (
            [policy(ACTIVE, -1, 1), policy(ACTIVE, 2, 3), policy(ACTIVE, 4, 9)],
            Cover(CoverState.COVERED, until=on(9)),
        ),
        # money is awaited
        ([policy(IDLE, -2, 362)], Cover(CoverState.UNPAID)),
        ([policy(EXPIRED, -400, -36), policy(IDLE, -2, 362)], Cover(CoverState.UNPAID, until=on(-36))),
        ([policy(IDLE, -2, None)], Cover(CoverState.UNPAID)),
        ([policy(ACTIVE, -5, 5), policy(SUSPENDED, -5, 50)], Cover(CoverState.COVERED, until=on(5))),
        # an idle policy that ran out never was a cover
        ([policy(IDLE, -400, -36)], Cover(CoverState.NONE)),
        ([policy(IDLE, -400, -36), policy(EXPIRED, -800, -436)], Cover(CoverState.EXPIRED, until=on(-436))),
        # suspended
        ([policy(SUSPENDED, -5, 50)], Cover(CoverState.SUSPENDED)),
        ([policy(SUSPENDED, -5, 50), policy(IDLE, -5, 50)], Cover(CoverState.SUSPENDED)),
        ([policy(SUSPENDED, -400, -36)], Cover(CoverState.EXPIRED, until=on(-36))),
        # expired: the last that ended
        (
            [policy(EXPIRED, -800, -436), policy(EXPIRED, -400, -36)],
            Cover(CoverState.EXPIRED, until=on(-36)),
        ),
        # production's gaps: expired by status, the date is missing or not reached
        ([policy(EXPIRED, -400, None)], Cover(CoverState.ENDED)),
        ([policy(EXPIRED, -400, 1)], Cover(CoverState.ENDED)),
        ([policy(EXPIRED, -400, None), policy(EXPIRED, -900, -500)], Cover(CoverState.EXPIRED, until=on(-500))),
    ],
)
def test_cover(policies: list[Policy], cover: Cover) -> None:
    assert cover_on(policies, TODAY) == cover


policies = st.lists(
    st.builds(
        policy,
        st.sampled_from([IDLE, ACTIVE, SUSPENDED, EXPIRED, READY]),
        st.integers(-500, 100),
        st.none() | st.integers(-200, 500),
        st.sampled_from(["start", None]) | st.integers(-500, 100),
    ),
    max_size=5,
)


@given(policies, st.randoms())
def test_the_order_of_rows_does_not_matter(held: list[Policy], rng: Any) -> None:
    shuffled = list(held)
    rng.shuffle(shuffled)
    assert cover_on(shuffled, TODAY) == cover_on(held, TODAY)


@given(policies)
def test_one_more_cover_of_today_always_covers(held: list[Policy]) -> None:
    cover = cover_on([*held, policy(ACTIVE, -1, 1)], TODAY)
    assert cover.state == CoverState.COVERED
    assert cover.until is not None
    assert cover.until >= on(1)


@given(policies)
def test_a_state_has_the_days_that_its_text_tells(held: list[Policy]) -> None:
    cover = cover_on(held, TODAY)
    assert cover.until is not None or cover.state not in (CoverState.COVERED, CoverState.EXPIRED)
    assert (cover.start is not None) == (cover.state == CoverState.STARTS)


@given(policies)
def test_covered_means_covered_every_day_until(held: list[Policy]) -> None:
    cover = cover_on(held, TODAY)
    if cover.state == CoverState.COVERED and cover.until is not None:
        for days in range((cover.until - TODAY).days + 1):
            assert cover_on(held, on(days)).state == CoverState.COVERED
    if cover.state == CoverState.EXPIRED and cover.until is not None:
        assert cover.until < TODAY


@given(policies, policies)
def test_more_paid_cover_never_shortens(held: list[Policy], more: list[Policy]) -> None:
    active = [replace(p, status=ACTIVE) for p in more]
    before, after = cover_on(held, TODAY), cover_on([*held, *active], TODAY)
    if before.state == CoverState.UNDATED:
        assert after.state in COVERS
    if before.state == CoverState.COVERED:
        assert before.until is not None
        assert after.state == CoverState.COVERED
        assert after.until is not None
        assert after.until >= before.until


@given(policies)
def test_nobody_is_covered_by_idle_suspended_or_expired_policies(held: list[Policy]) -> None:
    assert cover_on([p for p in held if p.status != ACTIVE], TODAY).state not in COVERS
