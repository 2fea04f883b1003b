"""Two copies of one database, told apart row by row and column by column.

Read with plain SQL, so that a column that our mapping does not know is compared too. Only what must differ between any
two runs is made equal: the UUIDs of new rows, the keys that sequences allot, and moments within the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Row = dict[str, Any]
ROW = "(row)"  # stands in the column's place where a whole row is on one side only
NOW, SOME_UUID = "now", "uuid"


@dataclass(frozen=True)
class Compared:
    """A table that is compared: what its rows are called, its key, and which columns hold keys of which table."""

    called: str
    key: str
    refers: Mapping[str, str]


TABLES: Mapping[str, Compared] = {
    "tblPolicy": Compared("policy", "PolicyID", {"LegacyID": "tblPolicy"}),
    "tblInsureePolicy": Compared(
        "coverage", "InsureePolicyID", {"PolicyId": "tblPolicy", "LegacyID": "tblInsureePolicy"}
    ),
    "tblPremium": Compared("premium", "PremiumId", {"PolicyID": "tblPolicy", "LegacyID": "tblPremium"}),
    "tblPolicyRenewals": Compared("prompt", "RenewalID", {"PolicyID": "tblPolicy", "LegacyID": "tblPolicyRenewals"}),
    "tblPayment": Compared("payment", "PaymentID", {"LegacyID": "tblPayment"}),
    "tblPaymentDetails": Compared(
        "detail",
        "PaymentDetailsID",
        {"PaymentID": "tblPayment", "PremiumID": "tblPremium", "LegacyID": "tblPaymentDetails"},
    ),
}
OURS_ALONE = ("gw_", "alembic", "tblControlNumber")


@dataclass(frozen=True)
class Difference:
    """``role`` is which row it is: ``policy.new 1``, ``policy.new 1/history 1``, ``coverage.new 1 of insuree 31``."""

    table: str
    role: str
    column: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.role} {self.table}.{self.column}: openIMIS {self.theirs!r}, ours {self.ours!r}"


@dataclass(frozen=True)
class Copy:
    """One state of one database: the compared tables' rows, and a digest of every other table of openIMIS'."""

    rows: Mapping[str, Sequence[Row]]
    others: Mapping[str, tuple[int, str]]

    def keys(self, table: str) -> set[int]:
        return {row[TABLES[table].key] for row in self.rows[table]}


async def read(connection: Any) -> Copy:
    """Every row of the compared tables, by key."""
    rows = {
        table: [dict(row) for row in await connection.fetch(f'SELECT * FROM "{table}" ORDER BY "{shape.key}"')]
        for table, shape in TABLES.items()
    }
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    others = [name for (name,) in names if name not in TABLES and not name.startswith(OURS_ALONE)]
    digests = " UNION ALL ".join(
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{name}\" t"
        for name in others
    )
    return Copy(rows, {name: (count, digest) for name, count, digest in await connection.fetch(digests)})


@dataclass
class Run:
    """What one side made of the common beginning, and the stretches of time in which it worked."""

    before: Copy
    after: Copy
    spans: Sequence[tuple[datetime, datetime]]
    _roles: dict[str, dict[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in ("tblPolicy", *(name for name in TABLES if name != "tblPolicy")):
            self._roles[table] = self._roles_of(table)

    def rows(self, table: str) -> dict[str, Row]:
        """Every row by its role, with what differs between any two runs made equal."""
        shape, known = TABLES[table], self.before.keys(table)
        found = {}
        for row in self.after.rows[table]:
            role = self._roles[table][row[shape.key]]
            found[role] = {
                column: self._equalised(table, column, value, row[shape.key] in known) for column, value in row.items()
            }
        self._assert_uuids(table)
        return found

    def _equalised(self, table: str, column: str, value: Any, known: bool) -> Any:
        shape = TABLES[table]
        if value is None:
            return None
        if column == shape.key:
            return self._roles[table][value]
        if column in shape.refers:
            return self._roles[shape.refers[column]][value]
        if column.endswith("UUID"):
            return value if known else SOME_UUID
        if column == "creationDate":  # the day of a moment
            return NOW if any(start.date() <= value <= end.date() for start, end in self.spans) else value
        if isinstance(value, datetime):
            moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
            return NOW if any(start <= moment <= end for start, end in self.spans) else moment
        return value

    def _roles_of(self, table: str) -> dict[int, str]:
        shape, known = TABLES[table], self.before.keys(table)
        roles = {key: f"{shape.called}.before {key}" for key in known}
        count: Counter[str] = Counter()

        def numbered(stem: str) -> str:
            count[stem] += 1
            return f"{stem} {count[stem]}"

        new = [row for row in self.after.rows[table] if row[shape.key] not in known]
        for row in (row for row in new if row["LegacyID"] is None):
            if table == "tblInsureePolicy":  # the order of its rows says nothing
                policy = self._roles["tblPolicy"][row["PolicyId"]]
                roles[row[shape.key]] = numbered(f"coverage.new of {policy}, insuree {row['InsureeID']},")
            else:
                roles[row[shape.key]] = numbered(f"{shape.called}.new")
        for row in (row for row in new if row["LegacyID"] is not None):
            roles[row[shape.key]] = numbered(f"{roles[row['LegacyID']]}/history")
        return roles

    def _assert_uuids(self, table: str) -> None:
        rows = self.after.rows[table]
        for column in rows[0] if rows else ():
            if column.endswith("UUID"):
                uuids = {UUID(str(row[column])) for row in rows}
                assert len(uuids) == len(rows), f"{table}.{column} is not unique"


def differences(theirs: Run, ours: Run) -> Iterator[Difference]:
    """What differs after both runs, rows first by role; a row that one side lacks is one difference."""
    for table in TABLES:
        left, right = theirs.rows(table), ours.rows(table)
        for role in sorted(left.keys() | right.keys()):
            if role not in left or role not in right:
                there, missing = "there", "not there"
                yield Difference(
                    table, role, ROW, there if role in left else missing, there if role in right else missing
                )
                continue
            for column, value in left[role].items():
                if value != right[role][column]:
                    yield Difference(table, role, column, value, right[role][column])
