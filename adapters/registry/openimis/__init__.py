"""The registry on openIMIS' own tables."""

from adapters.registry.openimis.registry import OpenImisRegistry
from adapters.registry.openimis.tables import create_registry

__all__ = ["OpenImisRegistry", "create_registry"]
