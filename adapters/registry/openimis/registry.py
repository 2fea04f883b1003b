"""openIMIS' database as the services see it."""

from __future__ import annotations

from adapters.registry.openimis.catalogue import Catalogue
from adapters.registry.openimis.covers import Covers
from adapters.registry.openimis.enrolment import Enrolment
from adapters.registry.openimis.payment_records import PaymentRecords
from adapters.registry.openimis.people import People
from adapters.registry.openimis.phones import Phones


class OpenImisRegistry(Covers, People, Catalogue, Enrolment, PaymentRecords, Phones):
    """``gateway.ports.Registry`` on one connection, inside the transaction that its caller began and will end."""
