"""Whether an installation's database can be worked with, in sentences for the person who looks after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, Date, Integer, String, Table, Uuid
from sqlalchemy.types import TypeEngine

from adapters.registry.openimis import tables as declared
from adapters.registry.openimis.mapping import may_hold
from adapters.registry.openimis.survey import ReportedTable, Survey
from adapters.registry.openimis.types import ExactNumeric, RowUuid, UtcMoment

# The tables that we insert into: a column there that must be filled and that we do not know stops every payment.
_INSERTED = (
    declared.policies,
    declared.insuree_policies,
    declared.premiums,
    declared.renewals,
    declared.payments,
    declared.payment_details,
    declared.control_numbers,
)

_NEEDED: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (RowUuid, "a UUID or text"),
    (UtcMoment, "a day or a moment"),
    (ExactNumeric, "an exact number with two decimals"),
    (Boolean, "a boolean or a bit"),
    (Date, "a day"),
    (Integer, "an integer"),
    (String, "text"),
)

# What is looked up by other columns than the key, and how that reads where no index leads with the column.
_LOOKED_UP = (
    (declared.insurees, "CHFID", "an enquiry by insurance number"),
    (declared.insurees, "FamilyID", "every first screen"),
    (declared.policies, "FamilyID", "every first screen"),
    (declared.policies, "OfficerID", "every commission of an officer"),
    (declared.premiums, "PolicyID", "every first screen"),
    (declared.premiums, "Receipt", "every payment"),
    (declared.insuree_policies, "PolicyId", "every activation"),
    (declared.renewals, "PolicyID", "every renewal"),
    (declared.payment_details, "PaymentID", "every payment"),
    (declared.control_numbers, "PaymentID", "every payment"),
    (declared.control_numbers, "ControlNumber", "every payment of a number that is not ours"),
)


def faults(survey: Survey) -> list[str]:
    """Every missing or different table and column, a sentence each; empty when this build can work with the database.

    Tables and columns that only some installations have are not missed.
    """
    said = []
    for table in declared.metadata.sorted_tables:
        found = survey.tables.get(table.name)
        if found is None:
            if not table.info.get("optional"):
                said.append(f"The table {table.name} is missing.")
            continue
        said += _column_faults(table, found, survey.dialect)
        if table in _INSERTED:
            said += _unknown_demands(table, found)
    return said


def _column_faults(table: Table, found: ReportedTable, dialect: str) -> Iterator[str]:
    for column in table.columns:
        reported = found.columns.get(column.name)
        if reported is None:
            if not column.info.get("optional"):
                yield f"The column {table.name}.{column.name} is missing."
        elif not may_hold(column.type, reported.type, dialect):
            needed = next(name for kind, name in _NEEDED if isinstance(column.type, kind))
            yield f"The column {table.name}.{column.name} is {reported.type!r}; this build needs {needed}."


def _unknown_demands(table: Table, found: ReportedTable) -> Iterator[str]:
    (key,) = table.primary_key.columns
    numbered = found.columns.get(key.name)
    if table is not declared.control_numbers and numbered is not None and not numbered.supplied:
        yield f"The key {table.name}.{key.name} does not number itself: new rows would have none."
    for reported in found.columns.values():
        if reported.name not in table.columns and not reported.nullable and not reported.supplied:
            yield (
                f"The column {table.name}.{reported.name} must be filled and has no default; "
                "this build does not know it and could not insert a row."
            )


def described(survey: Survey) -> list[str]:
    """What this installation is like where installations differ, a sentence each: for the person, not for a program."""
    said = []
    for table in declared.metadata.sorted_tables:
        found = survey.tables.get(table.name)
        if found is None:
            said.append(f"There is no {table.name}.")
            continue
        absent = [c.name for c in table.columns if c.name not in found.columns and c.info.get("optional")]
        if absent:
            said.append(f"{table.name} has no {', '.join(absent)}.")
        for kind, name in ((RowUuid, "UUIDs of the database's own type"), (UtcMoment, "days instead of moments")):
            fits = (Uuid,) if kind is RowUuid else (Date,)
            columns = [
                c.name
                for c in table.columns
                if isinstance(c.type, kind) and c.name in found.columns and isinstance(found.columns[c.name].type, fits)
            ]
            if columns:
                said.append(f"{table.name} has {name} in {', '.join(columns)}.")
    return said


def advice(survey: Survey) -> list[str]:
    """Indexes that openIMIS does not bring everywhere and that this installation lacks, a sentence each."""
    said = []
    for table, column, read in _LOOKED_UP:
        found = survey.tables.get(table.name)
        if found is None or column not in found.columns or column in found.led_by:
            continue
        said.append(
            f"No index begins with {table.name}.{column}, which {read} looks up; add one: "
            + _create_index(survey.dialect, found.name, column)
        )
    return said


def _create_index(dialect: str, table: str, column: str) -> str:
    name = f"gw_{table}_{column}"
    if dialect == "mssql":
        return f"CREATE INDEX [{name}] ON [{table}] ([{column}]) WITH (ONLINE = ON);"
    concurrently = "CONCURRENTLY " if dialect == "postgresql" else ""
    return f'CREATE INDEX {concurrently}"{name}" ON "{table}" ("{column}");'
