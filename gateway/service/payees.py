"""Whose money it is: the service provider codes under which this installation bills.

They are those of the settings and those of the products in the registry. A bill that was made under a code of its own
is paid under that one.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.domain.payments import is_for_another
from gateway.ports import Transaction


async def is_anothers(tx: Transaction, told: str | None, known: str | None, codes: Collection[str]) -> bool:
    """See ``is_for_another``. ``codes``: of the settings; the products are looked at where those do not tell."""
    if not is_for_another(told, known, codes):
        return False
    if known:
        return True
    of_products = [product.provider_code for product in await tx.registry.products() if product.provider_code]
    return is_for_another(told, None, of_products)
