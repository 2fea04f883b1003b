"""One registry on every shape of installation: types, columns and tables as the database reports them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from registry_shapes import SHAPES
from sqlalchemy import select, text
from sqlalchemy.dialects import mssql, postgresql
from sqlalchemy.types import BIGINT, DATE, FLOAT, INTEGER, NUMERIC, SMALLINT, TEXT, TIMESTAMP, UUID, VARCHAR

from adapters.registry.openimis import Installation, OpenImisRegistry, described, faults, fitted, survey
from adapters.registry.openimis import tables as t
from adapters.registry.openimis.mapping import fitted_type, may_hold
from adapters.registry.openimis.types import BitFlag, DayOfMoment, ExactNumeric, RowUuid, UtcMoment
from gateway.domain.money import Money
from gateway.domain.policy import NewPolicy, NewPremium, PolicyStatus
from gateway.domain.settlement import Activation
from gateway.ports import LegacyStatus, PaymentReceived, PaymentRecord

NOW = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)  # half past one on the 23rd in East Africa
TODAY = date(2026, 11, 23)


@pytest.fixture(params=["sqlite as declared", "postgresql as declared", *(f"postgresql {shape}" for shape in SHAPES)])
def shape(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def registry_url(shape: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The other shapes are PostgreSQL's."""
    if shape.startswith("postgresql"):
        return request.getfixturevalue("postgres_url")
    path = tmp_path / "registry.sqlite"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def shaped(shape: str, world: Any) -> Any:
    """A registry fitted to the database that it finds."""
    world.shape = shape.split(" ", 1)[1]
    for statement in SHAPES.get(world.shape, ()):
        await world.connection.execute(text(statement))
    found = await world.connection.run_sync(survey)
    assert faults(found) == []
    world.installation = Installation.over(fitted(found))
    world.registry = OpenImisRegistry(world.connection, world.installation)
    return world


async def test_a_whole_cover_is_written_and_read(shaped: Any) -> None:
    product, (family, members) = await shaped.product(), await shaped.family("0712000001", "0712000002")
    record = PaymentRecord(Money.parse("30000"), "+255712000001", "sw", "CHFDOM", "000000001", "N", NOW)
    payment = await shaped.registry.open_payment(record, NOW)
    await shaped.registry.payment_status(payment, LegacyStatus.REQUESTED, NOW)
    await shaped.registry.number_given(payment, "994180000017", NOW)
    new = NewPolicy(
        family, product, "N", TODAY, TODAY, TODAY + timedelta(days=364), Money.parse("30000"), None, tuple(members)
    )
    policy = await shaped.registry.add_policy(new, NOW)
    premium = await shaped.registry.add_premium(policy, NewPremium(Money.parse("30000"), "R-1", TODAY), NOW)
    await shaped.registry.activate(policy, Activation(PolicyStatus.ACTIVE, TODAY))
    received = PaymentReceived(Money.parse("30000"), "R-1", "T-1", "CRDB", NOW, "+255655000009", premium, matched=True)
    await shaped.registry.payment_received(payment, received, NOW)
    [cover] = await shaped.registry.insuree_covers([members[0]])
    assert (cover.policies[0].status, str(cover.policies[0].paid)) == (2, "30,000")
    assert await shaped.registry.receipt_is_used(product, "R-1")
    # read as text, so that nothing of ours interprets it
    row = (await shaped.connection.execute(text('SELECT * FROM "tblPayment"'))).mappings().one()
    assert (row["PaymentStatus"], row["PhoneNumber"]) == (5, "255712000001")
    [history] = (
        await shaped.connection.execute(text('SELECT "PolicyStatus" FROM "tblPolicy" WHERE "LegacyID" IS NOT NULL'))
    ).scalars()
    assert history == 1
    if shaped.shape == "models":
        assert (row["PaymentDate"], row["MatchedDate"]) == (TODAY, TODAY)  # the East African day, not UTC's
        assert "PayerPhoneNumber" not in row
    elif shaped.shape == "legacy":
        assert row["SmsRequired"].to_int() == 1
        assert (row["PayerPhoneNumber"], row["AuditedUSerID"]) == ("255655000009", -1)


async def test_many_covers_at_once_get_each_its_own(shaped: Any) -> None:
    """Keys come back in the order of the rows, whatever the types and the order in which the database inserts them."""
    registry, product = shaped.registry, await shaped.product()
    families = [await shaped.family("0712000001") for _ in range(5)][::-1]
    ends = [TODAY + timedelta(days=days) for days in (30, 10, 50, 20, 40)]
    policies = await registry.add_policies(
        [
            NewPolicy(family, product, "N", TODAY, TODAY, end, Money.parse("30000"), None, tuple(members))
            for (family, members), end in zip(families, ends, strict=True)
        ],
        NOW,
    )
    paid = [(policy, NewPremium(Money.parse("30000"), f"R-{policy}", TODAY)) for policy in policies[::-1]]
    premiums = await registry.add_premiums(paid, NOW)
    record = PaymentRecord(Money.parse("30000"), "+255712000001", "sw", "CHFDOM", "000000001", "N", NOW)
    payments = [await registry.open_payment(record, NOW) for _ in premiums]
    await registry.numbers_given([(payment, f"99{payment}") for payment in payments], NOW)
    await registry.activate_all(
        [(policy, Activation(PolicyStatus.ACTIVE, end)) for policy, end in zip(policies, ends, strict=True)]
    )
    await registry.payments_received(
        [
            (payment, PaymentReceived(Money.parse("30000"), f"R-{policy}", None, None, NOW, payer, premium, matched))
            for (policy, _), payment, premium, payer, matched in zip(
                paid,
                payments,
                premiums,
                (None, "+255655000009", None, "+255655000009", None),
                (True, False, True, True, False),
                strict=True,
            )
        ],
        NOW,
    )

    held = {policy.id: policy for policy in await registry.policies_of([family for family, _ in families])}
    assert [(held[p].family_id, held[p].expiry_date, held[p].effective_date) for p in policies] == [
        (family, end, end) for (family, _), end in zip(families, ends, strict=True)
    ]
    rows = (await shaped.connection.execute(text('SELECT "PremiumId", "Receipt", "PolicyID" FROM "tblPremium"'))).all()
    assert {tuple(row) for row in rows} == {
        (premium, money.receipt, policy) for premium, (policy, money) in zip(premiums, paid, strict=True)
    }
    covers = await shaped.connection.execute(text('SELECT "PolicyId", "InsureeID" FROM "tblInsureePolicy"'))
    assert {tuple(row) for row in covers} == {
        (policy, *members) for policy, (_, members) in zip(policies, families, strict=True)
    }
    histories = await shaped.connection.execute(text('SELECT "LegacyID" FROM "tblPolicy" WHERE "LegacyID" IS NOT NULL'))
    assert sorted(histories.scalars()) == sorted(policies)
    said = 'SELECT "PaymentID", "PaymentStatus", "ReceiptNo" FROM "tblPayment" ORDER BY "PaymentID"'
    assert [tuple(row) for row in await shaped.connection.execute(text(said))] == [
        (payment, status, money.receipt)
        for payment, status, (_, money) in zip(payments, (5, 4, 5, 5, 4), paid, strict=True)
    ]
    said = 'SELECT "PaymentID", "PremiumID" FROM "tblPaymentDetails" ORDER BY "PaymentID"'
    assert [tuple(row) for row in await shaped.connection.execute(text(said))] == [
        *zip(payments, premiums, strict=True)
    ]


async def test_a_control_number_row_where_there_is_a_table(shaped: Any) -> None:
    record = PaymentRecord(Money.parse("30000"), None, "sw", "CHFDOM", "000000001", "N", NOW)
    payments = [await shaped.registry.open_payment(record, NOW) for _ in range(2)]
    await shaped.registry.number_given(payments[1], "994180000017", NOW + timedelta(minutes=1))
    if shaped.shape == "models":
        assert shaped.installation.tables.control_numbers is None
        return
    table = shaped.installation.tables.control_numbers
    rows = (await shaped.connection.execute(select(table).order_by(table.c.ControlNumberID))).mappings().all()
    assert [(r["PaymentID"], r["ControlNumber"], r["Status"]) for r in rows] == [
        (payments[0], None, 0),
        (payments[1], "994180000017", 0),
    ]
    assert rows[1]["ReceivedDate"] == NOW + timedelta(minutes=1)
    if shaped.shape == "legacy":  # no sequence there: our keys stand far above those of before
        assert [r["ControlNumberID"] for r in rows] == [10**15 + payment for payment in payments]


async def test_a_cancelled_bill_ends_its_payment_rows_and_keeps_the_status(shaped: Any) -> None:
    record = PaymentRecord(Money.parse("30000"), None, "sw", "CHFDOM", "000000001", "N", NOW)
    payment = await shaped.registry.open_payment(record, NOW)
    await shaped.registry.number_given(payment, "994180000017", NOW)
    await shaped.registry.payment_cancelled(payment, NOW)
    for table in ("tblPayment", "tblPaymentDetails"):
        ended = (await shaped.connection.execute(text(f'SELECT * FROM "{table}"'))).mappings().one()
        assert ended["ValidityTo"] is not None
        assert ended.get("PaymentStatus", 3) == 3


async def test_a_renewal_prompt_is_retired(shaped: Any) -> None:
    product, (family, members) = await shaped.product(), await shaped.family()
    policy = await shaped.policy(family, product)
    renewals = shaped.installation.tables.renewals
    await shaped.connection.execute(
        renewals.insert().values(
            RenewalUUID="6e5f0d8c-3e0b-4b7e-9d0b-0a4c1c4a9b11",
            RenewalPromptDate=TODAY,
            RenewalDate=TODAY,
            SMSStatus=0,
            InsureeID=members[0],
            PolicyID=policy,
            NewProdID=product,
            ValidityFrom=NOW,
        )
    )
    await shaped.registry.close_renewal_prompts(policy, NOW)
    rows = (await shaped.connection.execute(select(renewals).order_by(renewals.c.RenewalID))).mappings().all()
    assert [(r["ResponseStatus"], r["ValidityTo"] == NOW) for r in rows] == [(1, True), (None, True)]


# ---- what a type is fitted to


@pytest.mark.parametrize(
    ("meant", "found", "carries"),
    [
        (RowUuid(), UUID(), RowUuid(native=True)),
        (RowUuid(), mssql.UNIQUEIDENTIFIER(), RowUuid(native=True)),
        (RowUuid(), VARCHAR(36), RowUuid()),
        (UtcMoment(), DATE(), DayOfMoment()),
        (UtcMoment(), TIMESTAMP(timezone=True), UtcMoment()),
        (UtcMoment(), TIMESTAMP(), UtcMoment(zoned=False)),
        (UtcMoment(), mssql.DATETIME(), UtcMoment(zoned=False)),
        (t.payments.c.TypeOfPayment.type, VARCHAR(12), VARCHAR(12)),
        (t.payments.c.SmsRequired.type, postgresql.BIT(1), BitFlag()),
        (t.payments.c.SmsRequired.type, mssql.BIT(), t.payments.c.SmsRequired.type),
    ],
    ids=str,
)
def test_a_type_is_fitted_to_what_is_found(meant: Any, found: Any, carries: Any) -> None:
    fit = fitted_type(meant, found)
    assert isinstance(fit, type(carries)) or isinstance(carries, type(fit))
    for said in ("native", "zoned", "length"):
        assert getattr(fit, said, None) == getattr(carries, said, None)


@pytest.mark.parametrize(
    ("meant", "found", "may"),
    [
        (ExactNumeric(), NUMERIC(18, 2), True),
        (ExactNumeric(), NUMERIC(18, 0), False),
        (ExactNumeric(), FLOAT(), False),
        (ExactNumeric(), TEXT(), False),
        (RowUuid(), INTEGER(), False),
        (UtcMoment(), VARCHAR(10), False),
        (t.policies.c.EnrollDate.type, TIMESTAMP(), False),
        (t.policies.c.FamilyID.type, BIGINT(), True),
        (t.policies.c.FamilyID.type, SMALLINT(), True),
        (t.policies.c.FamilyID.type, TEXT(), False),
        (t.policies.c.PolicyStage.type, INTEGER(), False),
        (t.insurees.c.IsHead.type, INTEGER(), False),
    ],
    ids=str,
)
def test_what_a_column_may_hold(meant: Any, found: Any, may: bool) -> None:
    assert may_hold(meant, found, "postgresql") is may


async def test_what_an_installation_is_like(shaped: Any) -> None:
    said = described(await shaped.connection.run_sync(survey))
    assert (
        said
        == {
            "as declared": [],
            "legacy": [
                "tblPayment has UUIDs of the database's own type in PaymentUUID.",
                "tblPolicy has UUIDs of the database's own type in ContributionPlanID.",
                "tblPolicyRenewals has UUIDs of the database's own type in RenewalUUID.",
                "tblPremium has days instead of moments in CreatedDate.",
                "tblReporting has no CammissionRate.",
            ],
            "models": [
                "There is no tblControlNumber.",
                "There is no tblIMISDefaults.",
                "tblPayment has no PayerPhoneNumber, SmsRequired, AuditedUSerID.",
                "tblPayment has days instead of moments in RequestDate, ReceivedDate, MatchedDate, PaymentDate.",
                "tblPolicy has UUIDs of the database's own type in ContributionPlanID.",
                "There is no tblReporting.",
            ],
        }[shaped.shape]
    )


async def test_evidence_is_cut_to_the_width_that_is_found(shaped: Any) -> None:
    record = replace(PaymentRecord(Money.parse("1"), None, "x" * 99, "y" * 99, "z" * 99, "N", NOW), requested_at=NOW)
    await shaped.registry.open_payment(record, NOW)
    details = (await shaped.connection.execute(text('SELECT * FROM "tblPaymentDetails"'))).mappings().one()
    assert (details["ProductCode"], details["InsuranceNumber"]) == ("y" * 8, "z" * 50)
    assert Decimal(str(details["ExpectedAmount"])) == 1
