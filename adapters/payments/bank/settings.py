"""What one bank is set up with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BankSettings:
    """``name``: short, lower-case; it prefixes the bank's references, so that no two banks share a receipt.

    ``keys``: by key id, the newest last; every one of them is accepted.
    """

    name: str
    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def provider(self) -> str:
        """The bank's name among payment providers."""
        return f"bank-{self.name}"

    def qualified(self, reference: str) -> str:
        """The bank's own reference as it stands in our books and on receipts."""
        return f"{self.name.upper()}-{reference}"

    def own(self, qualified: str) -> str:
        """The reference as the bank knows it."""
        return qualified.removeprefix(f"{self.name.upper()}-")
