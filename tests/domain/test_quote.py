"""What a family would pay next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import PayOption
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import Family, Member, Policy, PolicyStatus, Product
from gateway.domain.quote import NoQuote, NoQuoteReason, Quote, idle_policy, next_product, quote_for

TODAY = date(2026, 11, 22)
YEAR = timedelta(days=364)
PRICE = Money.parse("30000")
CHF = Product(1, "CHFDOM", "CHF", PRICE, 6, 12, date(2020, 1, 1), date(2040, 12, 31))
OTHER = replace(CHF, id=2, code="CHFDAR")
HEAD = Member(1, "000000011", "Mushi", "Asha", date(1980, 1, 1), is_head=True)
FAMILY = Family(7, HEAD, (HEAD,))
IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = (
    PolicyStatus.IDLE,
    PolicyStatus.ACTIVE,
    PolicyStatus.SUSPENDED,
    PolicyStatus.EXPIRED,
    PolicyStatus.READY,
)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def policy(number: int, status: int, start: int, end: int | None, **more: Any) -> Policy:
    values = {"product_id": 1, "stage": "N", "value": PRICE, "paid": Money(0), "effective_date": None, **more}
    expiry = None if end is None else on(end)
    return Policy(
        id=number,
        family_id=7,
        status=status,
        enroll_date=on(start),
        start_date=on(start),
        expiry_date=expiry,
        **values,
    )


@pytest.mark.parametrize(
    ("held", "stage", "preceding", "idle", "amount", "start"),
    [
        ([], "N", None, None, "30,000", 0),
        ([policy(5, ACTIVE, -300, 7)], "R", 5, None, "30,000", 8),
        ([policy(5, ACTIVE, -364, 0)], "R", 5, None, "30,000", 1),
        ([policy(5, ACTIVE, 0, 30)], "R", 5, None, "30,000", 31),  # begun today: the next one may be paid
        ([policy(5, EXPIRED, -400, -36)], "R", 5, None, "30,000", 0),
        ([policy(5, ACTIVE, -400, -36)], "R", 5, None, "30,000", 0),
        ([policy(5, EXPIRED, -400, None)], "R", 5, None, "30,000", 0),
        # the policy that reaches furthest precedes, of whatever product
        ([policy(5, EXPIRED, -400, -36), policy(4, EXPIRED, -800, -436)], "R", 5, None, "30,000", 0),
        ([policy(5, ACTIVE, -300, 64, product_id=2)], "R", 5, None, "30,000", 65),
        # an officer's idle policy comes first, with what is still due on it, and its own dates and stage
        ([policy(6, IDLE, -3, 361)], "N", None, 6, "30,000", -3),
        ([policy(6, IDLE, -3, 361, paid=Money.parse("10000"))], "N", None, 6, "20,000", -3),
        ([policy(5, EXPIRED, -400, -36), policy(6, IDLE, 2, 366, stage="R")], "R", 5, 6, "30,000", 2),
        ([policy(6, IDLE, -9, 355), policy(8, IDLE, -3, 361)], "N", None, 8, "30,000", -3),
        # not one of another product, nor one that has run out meanwhile
        ([policy(6, IDLE, -3, 361, product_id=2)], "N", None, None, "30,000", 0),
        ([policy(6, IDLE, -400, -36)], "N", None, None, "30,000", 0),
        # a suspension that has ended is over
        ([policy(5, SUSPENDED, -400, -36)], "R", 5, None, "30,000", 0),
    ],
)
def test_quote(
    held: list[Policy], stage: str, preceding: int | None, idle: int | None, amount: str, start: int
) -> None:
    quote = quote_for(CHF, FAMILY, held, TODAY)
    assert isinstance(quote, Quote)
    assert quote.stage == stage
    assert (quote.preceding.id if quote.preceding else None) == preceding
    assert (quote.idle.id if quote.idle else None) == idle
    assert str(quote.amount) == amount
    assert quote.value == PRICE
    assert quote.period == Period(on(start), on(start) + YEAR)
    assert quote.key == f"family:7/product:1/after:{preceding or 0}"


@pytest.mark.parametrize(
    ("product", "held", "reason"),
    [
        (CHF, [policy(5, SUSPENDED, -10, 10)], NoQuoteReason.SUSPENDED),
        (CHF, [policy(5, SUSPENDED, -10, 10, product_id=2)], NoQuoteReason.SUSPENDED),
        (CHF, [policy(5, SUSPENDED, -10, 10), policy(6, IDLE, -3, 361)], NoQuoteReason.SUSPENDED),
        (CHF, [policy(5, ACTIVE, -300, 20), policy(6, ACTIVE, 21, 385)], NoQuoteReason.ALREADY_RENEWED),
        (CHF, [policy(5, READY, 1, 365)], NoQuoteReason.ALREADY_RENEWED),
        (CHF, [policy(6, IDLE, -3, 361, paid=PRICE)], NoQuoteReason.NOTHING_DUE),
        (CHF, [policy(6, IDLE, -3, 361, paid=Money.parse("30001"))], NoQuoteReason.NOTHING_DUE),
        (CHF, [policy(6, IDLE, -3, 361, value=Money(0))], NoQuoteReason.NOTHING_DUE),
        (replace(CHF, lump_sum=Money(0)), [], NoQuoteReason.NOTHING_DUE),
    ],
)
def test_nothing_can_be_paid(product: Product, held: list[Policy], reason: NoQuoteReason) -> None:
    assert quote_for(product, FAMILY, held, TODAY) == NoQuote(reason)


@pytest.mark.parametrize(
    ("installments", "option"), [(0, PayOption.EXACT), (1, PayOption.EXACT), (2, PayOption.PARTIAL)]
)
def test_only_instalments_may_be_paid_in_part(installments: int, option: PayOption) -> None:
    quote = quote_for(replace(CHF, max_installments=installments), FAMILY, [], TODAY)
    assert isinstance(quote, Quote)
    assert quote.pay_option == option


def test_an_early_renewal_with_its_discount() -> None:
    product = replace(CHF, renewal_discount_percent=10, renewal_discount_period=1)
    early = quote_for(product, FAMILY, [policy(5, ACTIVE, -300, 64)], TODAY)
    late = quote_for(product, FAMILY, [policy(5, ACTIVE, -300, 7)], TODAY)
    assert isinstance(early, Quote)
    assert isinstance(late, Quote)
    assert (str(early.amount), str(late.amount)) == ("27,000", "30,000")


ENDED = {"date_to": on(-1)}
NATIONAL = replace(CHF, id=3, code="NATION")
REGION = replace(CHF, id=4, code="REGION", location_id=9)
REGION_TOO = replace(CHF, id=5, code="REGION2", location_id=9)


@pytest.mark.parametrize(
    ("sold", "catalogue", "held", "found"),
    [
        ([], [], [], None),
        ([CHF], [CHF], [], 1),
        # the last product, also where it is no longer sold at the family's place
        ([REGION], [CHF, REGION], [policy(5, EXPIRED, -400, -36)], 1),
        ([CHF, OTHER], [], [policy(5, EXPIRED, -400, -36, product_id=2), policy(4, EXPIRED, -800, -436)], 2),
        # what it converts to, when its own sale has ended
        ([OTHER], [replace(CHF, **ENDED, conversion_product_id=2), OTHER], [policy(5, EXPIRED, -400, -36)], 2),
        (
            [OTHER],
            [
                replace(CHF, **ENDED, conversion_product_id=3),
                replace(NATIONAL, **ENDED, conversion_product_id=2),
                OTHER,
            ],
            [policy(5, EXPIRED, -400, -36)],
            2,
        ),
        # a chain that bites its tail, or leads nowhere: what is on sale
        ([OTHER], [replace(CHF, **ENDED, conversion_product_id=1)], [policy(5, EXPIRED, -400, -36)], 2),
        ([OTHER], [replace(CHF, **ENDED, conversion_product_id=99)], [policy(5, EXPIRED, -400, -36)], 2),
        ([OTHER], [replace(CHF, **ENDED)], [policy(5, EXPIRED, -400, -36)], 2),
        ([], [replace(CHF, **ENDED)], [policy(5, EXPIRED, -400, -36)], None),
        # a new family: the most local on sale, the older of two
        ([NATIONAL, REGION], [], [], 4),
        ([REGION_TOO, REGION], [], [], 4),
        ([NATIONAL, replace(REGION, **ENDED)], [], [], 3),
        ([replace(CHF, date_from=on(1))], [], [], None),
        ([replace(CHF, date_from=TODAY, date_to=TODAY)], [], [], 1),
    ],
)
def test_next_product(sold: list[Product], catalogue: list[Product], held: list[Policy], found: int | None) -> None:
    product = next_product(sold, catalogue, held, TODAY)
    assert (product.id if product else None) == found


def test_the_idle_policy_is_the_newest_that_still_stands() -> None:
    held = [
        policy(5, IDLE, -10, 300),
        policy(6, IDLE, -9, None),
        policy(7, IDLE, -400, -1),
        policy(8, ACTIVE, -9, 300),
        policy(9, IDLE, -9, 300, product_id=2),
    ]
    found = idle_policy(held, 1, TODAY)
    assert found is not None
    assert found.id == 6
    assert idle_policy(held[2:], 1, TODAY) is None


policies = st.lists(
    st.builds(
        lambda number, status, start, length, product: policy(
            number, status, start, start + length, product_id=product
        ),
        st.integers(1, 99),
        st.sampled_from([IDLE, ACTIVE, SUSPENDED, EXPIRED, READY]),
        st.integers(-900, 400),
        st.integers(0, 400),
        st.integers(1, 2),
    ),
    max_size=5,
    unique_by=lambda p: p.id,
)


@given(policies)
def test_a_new_cover_never_overlaps_one_that_was_paid(held: list[Policy]) -> None:
    quote = quote_for(CHF, FAMILY, held, TODAY)
    if isinstance(quote, Quote) and quote.idle is None:
        assert quote.amount == quote.value
        assert quote.period.start >= TODAY
        for p in held:
            if p.status in (ACTIVE, READY, EXPIRED):
                assert p.expiry_date is not None
                assert quote.period.start > p.expiry_date


@given(policies)
def test_asking_again_gives_the_same_bill(held: list[Policy]) -> None:
    assert quote_for(CHF, FAMILY, held, TODAY) == quote_for(CHF, FAMILY, held[::-1], TODAY)
    quote = quote_for(CHF, FAMILY, held, TODAY)
    if isinstance(quote, Quote):
        assert quote.amount.amount_minor > 0
        assert (quote.stage == "N") is (quote.preceding is None) or quote.idle is not None
