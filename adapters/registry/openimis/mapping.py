"""The one place that fits our declaration of openIMIS' tables to an installation, from what its database reports.

A database that was made by the legacy dump and migrated has ``uuid`` and ``bit(1)`` columns where one that was made
from the models alone has text, days where the other has moments, and tables and columns that the other lacks; drivers
refuse the wrong kind. Shape is a matter of the installation, not of the dialect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Unicode,
    Uuid,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from adapters.registry.openimis import tables as declared
from adapters.registry.openimis.survey import ReportedColumn, Survey
from adapters.registry.openimis.types import BitFlag, DayOfMoment, ExactNumeric, RowUuid, UtcMoment


@dataclass(frozen=True, slots=True)
class Tables:
    """openIMIS' tables as one installation has them; None where it has not."""

    families: Table
    insurees: Table
    locations: Table
    officers: Table
    officer_villages: Table | None
    products: Table
    policies: Table
    insuree_policies: Table
    premiums: Table
    renewals: Table
    payments: Table
    payment_details: Table
    control_numbers: Table | None
    defaults: Table | None
    reports: Table | None


DECLARED = Tables(
    families=declared.families,
    insurees=declared.insurees,
    locations=declared.locations,
    officers=declared.officers,
    officer_villages=declared.officer_villages,
    products=declared.products,
    policies=declared.policies,
    insuree_policies=declared.insuree_policies,
    premiums=declared.premiums,
    renewals=declared.renewals,
    payments=declared.payments,
    payment_details=declared.payment_details,
    control_numbers=declared.control_numbers,
    defaults=declared.defaults,
    reports=declared.reports,
)


def fitted(survey: Survey) -> Tables:
    """The tables to use on the installation that was surveyed. It must have passed ``faults``."""
    metadata = MetaData()

    def fit(table: Table) -> Table:
        reported = survey.tables[table.name]
        columns = [_column(column, found) for column in table.columns if (found := reported.columns.get(column.name))]
        return Table(table.name, metadata, *columns)

    def fit_optional(table: Table) -> Table | None:
        return fit(table) if table.name in survey.tables else None

    return Tables(
        families=fit(declared.families),
        insurees=fit(declared.insurees),
        locations=fit(declared.locations),
        officers=fit(declared.officers),
        officer_villages=fit_optional(declared.officer_villages),
        products=fit(declared.products),
        policies=fit(declared.policies),
        insuree_policies=fit(declared.insuree_policies),
        premiums=fit(declared.premiums),
        renewals=fit(declared.renewals),
        payments=fit(declared.payments),
        payment_details=fit(declared.payment_details),
        control_numbers=fit_optional(declared.control_numbers),
        defaults=fit_optional(declared.defaults),
        reports=fit_optional(declared.reports),
    )


def _column(column: Column[Any], found: ReportedColumn) -> Column[Any]:
    return Column(
        column.name,
        fitted_type(column.type, found.type),
        primary_key=column.primary_key,
        autoincrement=bool(column.primary_key and found.supplied),
        nullable=found.nullable,
        info=column.info,
    )


def fitted_type(meant: TypeEngine[Any], found: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type that carries what is meant in a column of the type that was found."""
    if isinstance(meant, RowUuid):
        return RowUuid(native=isinstance(found, Uuid))
    if isinstance(meant, UtcMoment):
        if isinstance(found, Date):
            return DayOfMoment()
        return UtcMoment(zoned=bool(getattr(found, "timezone", False)))
    if isinstance(found, postgresql.BIT):
        return BitFlag()
    if isinstance(meant, String) and isinstance(found, String):
        return Unicode(found.length) if isinstance(found, Unicode) else String(found.length)
    return meant


def may_hold(meant: TypeEngine[Any], found: TypeEngine[Any], dialect: str) -> bool:
    """Whether a column of the type that was found can carry what is meant, exactly."""
    match meant:
        case RowUuid():
            return isinstance(found, (Uuid, String))
        case UtcMoment():
            return isinstance(found, (Date, DateTime))
        case ExactNumeric():
            if dialect == "sqlite":
                return isinstance(found, Text)
            return isinstance(found, Numeric) and found.asdecimal and (found.scale or 0) >= 2
        case Boolean():
            return isinstance(found, (Boolean, postgresql.BIT)) or type(found).__name__ == "BIT"
        case Date():
            return isinstance(found, Date)
        case Integer():
            return isinstance(found, Integer)
        case _:
            return isinstance(found, String)
