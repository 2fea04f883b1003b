"""openIMIS' own database as the registry."""

from adapters.registry.openimis.check import advice, described, faults
from adapters.registry.openimis.installation import EMBEDDED, Installation
from adapters.registry.openimis.mapping import fitted
from adapters.registry.openimis.registry import OpenImisRegistry
from adapters.registry.openimis.survey import Survey, survey
from adapters.registry.openimis.tables import create_registry

__all__ = [
    "EMBEDDED",
    "Installation",
    "OpenImisRegistry",
    "Survey",
    "advice",
    "create_registry",
    "described",
    "faults",
    "fitted",
    "survey",
]
