"""The comparison itself: it sees what it must, and takes for equal only what must differ between any two runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from twin import ROW, TABLES, Copy, Row, Run, differences

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
LONG_AGO = START - timedelta(days=300)
OLD = {"PolicyUUID": str(uuid4()), "ValidityFrom": LONG_AGO, "ValidityTo": None, "LegacyID": None, "PolicyStatus": 1}


def copy(policies: list[Row], premiums: list[Row]) -> Copy:
    return Copy({table: {"tblPolicy": policies, "tblPremium": premiums}.get(table, []) for table in TABLES}, {})


def policy(key: int, **changed: Any) -> Row:
    return {"PolicyID": key, **OLD, **changed}


def premium(key: int, **changed: Any) -> Row:
    usual = {"PremiumUUID": str(uuid4()), "PolicyID": 1, "Amount": 30000, "ValidityFrom": START, "LegacyID": None}
    return {"PremiumId": key, **usual, **changed}


def activated(key: int, at: datetime = START, **changed: Any) -> Run:
    """The old policy with a history row, and a premium with this key."""
    history = policy(key, PolicyUUID=str(uuid4()), ValidityTo=at, LegacyID=1)
    after = copy([policy(1, PolicyStatus=2), history], [premium(key, **{"ValidityFrom": at, **changed})])
    return Run(copy([policy(1)], []), after, [(at - timedelta(seconds=1), at + timedelta(seconds=1))])


def test_keys_uuids_and_moments_of_the_run_are_no_differences() -> None:
    assert not list(differences(activated(7), activated(90, START + timedelta(days=5))))


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"Amount": 29999}, "Amount"),
        ({"ValidityFrom": START - timedelta(hours=1)}, "ValidityFrom"),
        ({"PolicyID": 8}, "PolicyID"),
    ],
)
def test_another_value_is_one(changed: Row, column: str) -> None:
    (found,) = differences(activated(8), activated(8, **changed))
    assert (found.table, found.role, found.column) == ("tblPremium", "premium.new 1", column)


def test_a_row_too_few_is_one() -> None:
    ours = activated(7)
    del ours.after.rows["tblPolicy"][1]
    (found,) = differences(activated(7), Run(ours.before, ours.after, ours.spans))
    assert (found.role, found.column, found.ours) == ("policy.before 1/history 1", ROW, "not there")


def test_the_uuid_of_a_row_that_was_there_must_stay() -> None:
    ours = activated(7)
    ours.after.rows["tblPolicy"][0]["PolicyUUID"] = str(uuid4())
    (found,) = differences(activated(7), ours)
    assert (found.role, found.column) == ("policy.before 1", "PolicyUUID")


def test_a_history_row_needs_a_uuid_of_its_own() -> None:
    ours = activated(7)
    ours.after.rows["tblPolicy"][1]["PolicyUUID"] = OLD["PolicyUUID"]
    with pytest.raises(AssertionError, match="not unique"):
        list(differences(activated(7), ours))


def test_a_day_is_never_a_moment() -> None:
    (found,) = differences(activated(7, PayDate=START.date()), activated(7, PayDate=date(2026, 5, 3)))
    assert found.column == "PayDate"
