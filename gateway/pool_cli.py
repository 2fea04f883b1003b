"""The words of ``imis-gateway bills pool``."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.domain.pool import PoolState


def listed(counts: Mapping[tuple[str, str], int]) -> list[str]:
    """One line a product: how many numbers stand in each state."""
    states = [str(state) for state in PoolState]
    codes = sorted({code for code, _ in counts})
    lines = [f"{'product':<10}" + "".join(f"{state:>9}" for state in states)]
    lines += [f"{code:<10}" + "".join(f"{counts.get((code, state), 0):>9}" for state in states) for code in codes]
    ready = sum(count for (_, state), count in counts.items() if state == PoolState.READY)
    return [*(lines if codes else []), f"{ready} ready to be handed out"]
