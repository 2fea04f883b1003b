"""What a family would pay next, for which cover, and after which policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.bill import PayOption, bill_key
from gateway.domain.money import Money
from gateway.domain.periods import Period, period_from, policy_period
from gateway.domain.policy import NEW, RENEWAL, Family, Policy, PolicyStatus, Product
from gateway.domain.valuation import policy_value


class NoQuoteReason(StrEnum):
    """Why nothing can be paid now."""

    SUSPENDED = "suspended"
    ALREADY_RENEWED = "already_renewed"
    NO_PRODUCT = "no_product"
    NOTHING_DUE = "nothing_due"


@dataclass(frozen=True, slots=True)
class NoQuote:
    """Nothing can be paid now."""

    reason: NoQuoteReason


@dataclass(frozen=True, slots=True)
class Quote:
    """``amount`` is still due of ``value``; ``period`` holds if it is paid today."""

    family_id: int
    product: Product
    stage: str
    preceding: Policy | None
    idle: Policy | None  # an officer's policy waiting for its money
    amount: Money
    value: Money
    period: Period

    @property
    def key(self) -> str:
        """The business key of the bill for this cover."""
        return bill_key(self.family_id, self.product.id, self.preceding.id if self.preceding else None)

    @property
    def pay_option(self) -> PayOption:
        """Partial payments only where the product allows instalments."""
        return PayOption.PARTIAL if self.product.max_installments > 1 else PayOption.EXACT


def next_product(
    sold: Sequence[Product], catalogue: Sequence[Product], policies: Sequence[Policy], day: date
) -> Product | None:
    """The product a family renews into: its last one or what that one converts to, else the most local one on sale."""
    by_id = {p.id: p for p in (*catalogue, *sold)}
    last = _latest(policies)
    product = by_id.get(last.product_id) if last else None
    for _ in range(20):  # conversion chains are followed as far as openIMIS follows them
        if product is None or product.sold_on(day):
            break
        product = by_id.get(product.conversion_product_id or 0)
    if product is not None and product.sold_on(day):
        return product
    on_sale = [p for p in sold if p.sold_on(day)]
    return max(on_sale, key=lambda p: (p.location_id is not None, -p.id), default=None)


def quote_for(product: Product, family: Family, policies: Sequence[Policy], day: date) -> Quote | NoQuote:
    """What is due for the family's next cover of this product, an officer's idle policy first."""
    own = [p for p in policies if p.product_id == product.id or p.status != PolicyStatus.IDLE]
    standing = [p for p in own if not p.ended_before(day)]
    if any(p.status == PolicyStatus.SUSPENDED for p in standing):
        return NoQuote(NoQuoteReason.SUSPENDED)
    idle = idle_policy(own, product.id, day)
    settled = [p for p in own if p.status != PolicyStatus.IDLE]
    preceding = _latest(settled)
    if idle is not None:
        due = idle.value - idle.paid
        if due.amount_minor <= 0:
            return NoQuote(NoQuoteReason.NOTHING_DUE)
        # an end that old data lacks is reckoned as openIMIS would have
        period = Period(idle.start_date, idle.expiry_date or period_from(product, idle.start_date).expiry)
        return Quote(family.id, product, idle.stage, preceding, idle, due, idle.value, period)
    if preceding is not None and preceding.start_date > day:
        return NoQuote(NoQuoteReason.ALREADY_RENEWED)
    stage = RENEWAL if preceding else NEW
    expiry = preceding.expiry_date if preceding else None
    period = policy_period(product, day, stage, expiry)
    value = policy_value(product, family, stage, day, period, expiry)
    if value.amount_minor <= 0:
        return NoQuote(NoQuoteReason.NOTHING_DUE)
    return Quote(family.id, product, stage, preceding, None, value, value, period)


def idle_policy(policies: Sequence[Policy], product_id: int, day: date) -> Policy | None:
    """The newest live policy of the product that waits for money and has not run out meanwhile."""
    idle = [
        p for p in policies if p.product_id == product_id and p.status == PolicyStatus.IDLE and not p.ended_before(day)
    ]
    return max(idle, key=lambda p: p.id, default=None)


def _latest(policies: Sequence[Policy]) -> Policy | None:
    """The policy whose cover reaches furthest."""
    return max(policies, key=lambda p: (p.reach, p.id), default=None)
