"""The two generations of GePG that live side by side. Which one a message belongs to, its root element says."""

from __future__ import annotations

from dataclasses import dataclass

from .signing import V4_HASH, V5_HASH, Hash


@dataclass(frozen=True, slots=True)
class Generation:
    """How one generation signs. A message is believed under its own generation's rules only."""

    name: str
    signature: str  # the element that holds it
    algorithm: Hash


V4 = Generation("v4", "gepgSignature", V4_HASH)
V5 = Generation("v5", "signature", V5_HASH)
GENERATIONS = {each.name: each for each in (V4, V5)}


def generation_of(root: str) -> Generation:
    """v4's messages are called ``gepg…``, v5's are not."""
    return V4 if root.startswith("gepg") else V5
