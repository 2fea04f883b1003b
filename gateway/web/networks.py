"""Which addresses may call."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def inside(remote: str | None, networks: Sequence[Network]) -> bool:
    """Whether the caller's address lies in one of the networks."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return False
    return any(address in network for network in networks)
