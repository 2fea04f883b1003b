"""The pool: control numbers asked for ahead of time, as bills of nobody, for when the provider is silent.

A pool number is for one amount of one product. Handed out, its bill becomes the family's bill under the same id, which
is the one that the provider knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.money import Money
from gateway.domain.policy import NEW, Product

PAYER = "CHF"  # of a bill that is nobody's yet


class PoolState(StrEnum):
    """Where a pool number stands."""

    ASKED = "asked"  # the provider owes its number
    READY = "ready"
    BOUND = "bound"  # a family's bill now
    REFUSED = "refused"  # the provider would not give one
    RETIRED = "retired"  # too old to be handed out, or never numbered; ended at the provider
    SPENT = "spent"  # paid before anybody was given it: that money is a person's to place


@dataclass(frozen=True, slots=True)
class PoolNumber:
    """One bill of nobody. ``bill_id`` is random, as every bill's."""

    bill_id: str
    product_id: int
    product_code: str
    provider_code: str | None
    amount: Money
    pay_option: PayOption
    state: PoolState
    control_number: str | None
    created_at: datetime
    expires_at: datetime  # as the provider was told
    payment_record_id: int | None = None

    def as_bill(self) -> Bill:
        """As the provider is asked: no family, the bill's own id for the payer's, as openIMIS asks in bulk."""
        return Bill(
            id=self.bill_id,
            key=f"pool:{self.bill_id}",
            generation=1,
            family_id=0,
            product_id=self.product_id,
            product_code=self.product_code,
            preceding_policy_id=None,
            stage=NEW,
            chfid=self.bill_id,
            payer_name=PAYER,
            amount=self.amount,
            policy_value=self.amount,
            pay_option=self.pay_option,
            provider_code=self.provider_code,
            state=BillState.CREATED,
            control_number=None,
            paid=Money(0, self.amount.currency),
            created_at=self.created_at,
            expires_at=self.expires_at,
            payment_record_id=self.payment_record_id,
        )


@dataclass(frozen=True, slots=True)
class PoolKind:
    """What a pool number must have in common with a family's quote to be handed out for it."""

    product_id: int
    provider_code: str | None
    amount: Money
    pay_option: PayOption


@dataclass(frozen=True, slots=True)
class PoolMarks:
    """Below ``low`` ready numbers more are asked for, up to ``high``. Both 0: no pool for the product."""

    low: int
    high: int

    def __post_init__(self) -> None:
        assert 0 <= self.low <= self.high


def ordinary_kind(product: Product) -> PoolKind | None:
    """What most families of the product pay: its lump sum (openIMIS uspPrepareBulkControlNumberRequests)."""
    if product.lump_sum.amount_minor <= 0:
        return None
    option = PayOption.PARTIAL if product.max_installments > 1 else PayOption.EXACT
    return PoolKind(product.id, product.provider_code, product.lump_sum, option)


def wanted(marks: PoolMarks, ready: int, coming: int) -> int:
    """How many numbers to ask for. ``coming``: asked for, or refused so recently that asking on would be hammering."""
    return max(marks.high - ready - coming, 0) if ready + coming < max(marks.low, 1) else 0
