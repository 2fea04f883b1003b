"""One installation: its tables as they are, and every statement over them, made once."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.registry.openimis.catalogue import CatalogueSql
from adapters.registry.openimis.changes import ChangeSql
from adapters.registry.openimis.covers import CoverSql
from adapters.registry.openimis.enrolment import EnrolmentSql
from adapters.registry.openimis.legacy_bills import LegacySql
from adapters.registry.openimis.mapping import DECLARED, Tables
from adapters.registry.openimis.officers import OfficerSql
from adapters.registry.openimis.payment_records import PaymentSql
from adapters.registry.openimis.people import PeopleSql
from adapters.registry.openimis.phones import PhoneSql


@dataclass(frozen=True, slots=True)
class Installation:
    """The statements of each part of the registry."""

    tables: Tables
    covers: CoverSql
    people: PeopleSql
    catalogue: CatalogueSql
    enrolment: EnrolmentSql
    payments: PaymentSql
    phones: PhoneSql
    changes: ChangeSql
    legacy: LegacySql
    officers: OfficerSql

    @classmethod
    def over(cls, tables: Tables) -> Installation:
        """Build every statement."""
        return cls(
            tables,
            CoverSql(tables),
            PeopleSql(tables),
            CatalogueSql(tables),
            EnrolmentSql(tables),
            PaymentSql(tables),
            PhoneSql(tables),
            ChangeSql(tables),
            LegacySql(tables),
            OfficerSql(tables),
        )


EMBEDDED = Installation.over(DECLARED)
