"""The pool's rules: what it keeps numbers for, and how many it asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import PayOption
from gateway.domain.money import Money
from gateway.domain.policy import Product
from gateway.domain.pool import PoolKind, PoolMarks, ordinary_kind, wanted

PRODUCT = Product(3, "CHF1", "CHF", Money(3_000_000), 6, 12, date(2020, 1, 1), date(2030, 1, 1), provider_code="SP108")

WANTED = [
    # low, high, ready, coming -> asked for
    (50, 200, 0, 0, 200),
    (50, 200, 49, 0, 151),
    (50, 200, 50, 0, 0),
    (50, 200, 10, 40, 0),
    (50, 200, 10, 39, 151),
    (0, 5, 0, 0, 5),
    (0, 5, 1, 0, 0),
    (0, 0, 0, 0, 0),
    (5, 5, 4, 0, 1),
]


@pytest.mark.parametrize(("low", "high", "ready", "coming", "asked"), WANTED)
def test_how_many_are_asked_for(low: int, high: int, ready: int, coming: int, asked: int) -> None:
    assert wanted(PoolMarks(low, high), ready, coming) == asked


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_never_beyond_the_high_mark(low: int, more: int, ready: int, coming: int) -> None:
    asked = wanted(PoolMarks(low, low + more), ready, coming)
    assert asked >= 0
    assert asked == 0 or ready + coming + asked == low + more


def test_marks_are_in_order() -> None:
    with pytest.raises(AssertionError):
        PoolMarks(2, 1)


def test_what_a_pool_is_kept_for() -> None:
    assert ordinary_kind(PRODUCT) == PoolKind(3, "SP108", Money(3_000_000), PayOption.EXACT)
    by_parts = ordinary_kind(replace(PRODUCT, max_installments=3))
    assert by_parts is not None
    assert by_parts.pay_option == PayOption.PARTIAL
    assert ordinary_kind(replace(PRODUCT, lump_sum=Money(0))) is None, "no two families pay the same"
