"""What one installation's database reports of openIMIS' tables: read once at start, and by ``db check``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Inspector, inspect
from sqlalchemy.types import TypeEngine

from adapters.registry.openimis.tables import metadata


@dataclass(frozen=True, slots=True)
class ReportedColumn:
    """``supplied``: the database fills it by itself (a default, a sequence, an identity, a row version)."""

    name: str
    type: TypeEngine[Any]
    nullable: bool
    supplied: bool


@dataclass(frozen=True, slots=True)
class ReportedTable:
    """Columns by our declaration's names: MS SQL Server compares names without case, and spells some otherwise.

    ``led_by``: columns that some index or key begins with, and so can be looked up by.
    """

    name: str
    columns: Mapping[str, ReportedColumn]
    led_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Survey:
    """The tables that are there, by our declaration's names."""

    dialect: str
    tables: Mapping[str, ReportedTable]


def survey(connection: Connection) -> Survey:
    """Ask the database for every table that we declare. Reads its catalogue only."""
    seen = inspect(connection)
    caseless = connection.dialect.name == "mssql"
    there = {_key(name, caseless): name for name in seen.get_table_names()}
    tables = {}
    for declared in metadata.sorted_tables:
        name = there.get(_key(declared.name, caseless))
        if name is not None:
            tables[declared.name] = _table(seen, name, [c.name for c in declared.columns], caseless)
    return Survey(connection.dialect.name, tables)


def _key(name: str, caseless: bool) -> str:
    return name.casefold() if caseless else name


def _table(seen: Inspector, name: str, declared: Sequence[str], caseless: bool) -> ReportedTable:
    ours = {_key(column, caseless): column for column in declared}
    columns = {}
    key = seen.get_pk_constraint(name)["constrained_columns"]
    for reported in seen.get_columns(name):
        called = ours.get(_key(reported["name"], caseless), reported["name"])
        columns[called] = ReportedColumn(
            called, reported["type"], reported["nullable"], _is_supplied(seen, reported, key == [reported["name"]])
        )
    leading = {key[0]} if key else set()
    leading |= {index["column_names"][0] or "" for index in seen.get_indexes(name) if _is_whole(index)}
    leading |= {unique["column_names"][0] for unique in seen.get_unique_constraints(name)}
    return ReportedTable(name, columns, frozenset(ours.get(_key(column, caseless), column) for column in leading))


def _is_whole(index: Any) -> bool:
    """A partial index serves a look-up only where its condition is met; ours are not written for one."""
    return not any(option.endswith("_where") and value for option, value in index.get("dialect_options", {}).items())


def _is_supplied(seen: Inspector, reported: Any, is_key: bool) -> bool:
    if reported.get("default") or reported.get("identity") or reported.get("computed"):
        return True
    kind = type(reported["type"]).__name__.upper()
    if kind in ("TIMESTAMP", "ROWVERSION") and seen.dialect.name == "mssql":
        return True  # a row version: the server's own, never written
    return is_key and seen.dialect.name == "sqlite" and kind == "INTEGER"
