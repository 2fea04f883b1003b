"""openIMIS' database as the services see it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.registry.openimis.catalogue import Catalogue
from adapters.registry.openimis.changes import Changes
from adapters.registry.openimis.connected import SYSTEM
from adapters.registry.openimis.covers import Covers
from adapters.registry.openimis.enrolment import Enrolment
from adapters.registry.openimis.installation import EMBEDDED, Installation
from adapters.registry.openimis.legacy_bills import LegacyBills
from adapters.registry.openimis.officers import Officers
from adapters.registry.openimis.payment_records import PaymentRecords
from adapters.registry.openimis.phones import Phones


class OpenImisRegistry(Covers, Catalogue, Enrolment, PaymentRecords, LegacyBills, Phones, Changes, Officers):
    """``gateway.ports.Registry`` on one connection, inside the transaction that its caller began and will end."""

    def __init__(
        self, connection: AsyncConnection, installation: Installation = EMBEDDED, audit_user_id: int = SYSTEM
    ) -> None:
        super().__init__(connection, installation, audit_user_id)
