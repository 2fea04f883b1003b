"""What a family would pay next, from the registry as it is inside one transaction."""

from __future__ import annotations

from datetime import date

from gateway.domain.policy import Family, Policy, Product
from gateway.domain.quote import NoQuote, NoQuoteReason, Quote, next_product, quote_for
from gateway.ports import Registry


def sold_to(family: Family, products: list[Product]) -> list[Product]:
    """Products sold everywhere or in a place that the family lives in."""
    return [p for p in products if p.location_id is None or p.location_id in family.location_ids]


async def read_quote(registry: Registry, family_id: int, today: date) -> tuple[Quote | NoQuote, Family | None]:
    """The quote and the family it is for."""
    family = await registry.family(family_id)
    if family is None:
        return NoQuote(NoQuoteReason.NO_PRODUCT), None
    policies: tuple[Policy, ...] = await registry.policies(family_id)
    products = list(await registry.products())
    product = next_product(sold_to(family, products), products, policies, today)
    if product is None:
        return NoQuote(NoQuoteReason.NO_PRODUCT), family
    return quote_for(product, family, policies, today), family
