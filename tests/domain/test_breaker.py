"""The circuit breaker: when it opens, who may try meanwhile, and what closes it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.breaker import CLOSED, Breaker, BreakerRule, after_failure, is_open, try_now

RULE = BreakerRule(failures=3, within_s=30, retry_s=2)

PLAYED: list[tuple[str, str]] = [
    # what happens at which second: f fails, + is let through, - is not
    ("closed when new", "0+ 0+ 0+"),
    ("two failures are no row", "0f 1f 2+ 2+"),
    ("three are", "0f 1f 2f 2- 3-"),
    ("one in a while may try", "0f 1f 2f 4+ 4- 5- 6+ 6- 8+"),
    ("a failed try waits as long again", "0f 1f 2f 4+ 6f 7- 8+"),
    ("failures at once are a row", "0f 0f 0f 0- 2+ 2-"),
    ("what failed long ago says nothing", "0f 1f 2f 33+ 33+ 33+"),
    ("nor does it count on", "0f 1f 40f 40+ 41f 41+ 42f 42-"),
]


@pytest.mark.parametrize("events", [events for _, events in PLAYED], ids=[name for name, _ in PLAYED])
def test_the_breaker_goes_as_written(events: str) -> None:
    known = CLOSED
    for event in events.split():
        now, what = float(event[:-1]), event[-1]
        if what == "f":
            known = after_failure(RULE, known, now)
            continue
        after = try_now(RULE, known, now)
        assert (after is not None) == (what == "+"), event
        known = after or known


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=60))
def test_while_open_no_two_tries_are_nearer_than_the_while(moves: list[tuple[float, bool]]) -> None:
    known, now, tries = CLOSED, 100.0, list[float]()
    for passed, fails in moves:
        now += passed
        if fails:
            known = after_failure(RULE, known, now)
        was_open, after = is_open(RULE, known, now), try_now(RULE, known, now)
        if after is None:
            assert was_open, "a closed one lets everybody through"
        elif was_open:
            tries.append(now)
            known = after
    assert all(later - earlier >= RULE.retry_s for earlier, later in pairwise(tries))


def test_a_new_one_is_closed() -> None:
    assert not is_open(RULE, Breaker(), 0.0)
