"""Values for the store's tests, and short ways to look into its tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, event, select, text

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import Evidence, Verdict
from gateway.store.database import Database

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
only_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def after(**span: float) -> datetime:
    return NOW + timedelta(**span)


def bill(bill_id: str = "B1", **values: Any) -> Bill:
    fields: dict[str, Any] = {
        "id": bill_id,
        "key": f"family:7/product:1/after:{bill_id}",
        "generation": 1,
        "family_id": 7,
        "product_id": 1,
        "product_code": "CHFDOM",
        "preceding_policy_id": None,
        "stage": "N",
        "chfid": "071000015",
        "payer_name": "Asha Mushi",
        "amount": Money(30_000_00),
        "policy_value": Money(30_000_00),
        "pay_option": PayOption.EXACT,
        "provider_code": "SP19960",
        "state": BillState.CREATED,
        "control_number": None,
        "paid": Money(0),
        "created_at": NOW,
        "expires_at": after(days=30),
        "payment_record_id": None,
    }
    return Bill(**{**fields, **values})


def report(reference: str = "923003000023547", number: str = "994120000011", **values: Any) -> PaymentReport:
    fields: dict[str, Any] = {"amount": Money(30_000_00), "paid_at": NOW}
    return PaymentReport(reference, number, **{**fields, **values})


def evidence(inbox_id: str = "I1", **values: Any) -> Evidence:
    fields: dict[str, Any] = {
        "provider": "gepg",
        "route": "payments",
        "received_at": NOW,
        "body": b"<xml/>",
        "size": 6,
        "headers": {"content-type": "application/xml"},
        "digest": "d" * 64,
        "verdict": Verdict.GENUINE,
        "why": "",
        "message_id": "M1",
        "reply_status": 200,
    }
    return Evidence(id=inbox_id, **{**fields, **values})


async def rows(database: Database, table: Table, **where: Any) -> list[dict[str, Any]]:
    """Every row that has these values, by primary key."""
    statement = select(table).filter_by(**where).order_by(*table.primary_key.columns)
    async with database.engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def sql(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@contextmanager
def spoken(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that reach the database meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", keep)
    yield said
    event.remove(database.engine.sync_engine, "before_cursor_execute", keep)
