"""Row-level effects of policies, premiums, activations and prompts: what openIMIS' own services leave, and no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from adapters.registry.openimis import OpenImisRegistry
from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.domain.policy import NewPolicy, NewPremium, PolicyStatus
from gateway.domain.settlement import Activation

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
LONG_AGO = datetime(2025, 3, 1, 12, tzinfo=UTC)
Changes = Callable[[Any, Any], tuple[dict[str, Any], dict[str, Any]]]


def premium(amount: str = "30000", receipt: str = "LAB-1", pay_date: date = TODAY) -> NewPremium:
    return NewPremium(Money.parse(amount), receipt, pay_date)


async def test_a_new_policy_is_idle_with_a_coverage_row_each(world: Any, changes: Changes) -> None:
    product = await world.product()
    family, members = await world.family(None, None, None)
    before = await world.snapshot()
    start, expiry = date(2026, 12, 1), date(2027, 11, 30)
    new = NewPolicy(family, product, "R", TODAY, start, expiry, Money.parse("30000"), 3, tuple(members[:2]))
    policy_id = await world.registry.add_policy(new, NOW)
    inserted, updated = changes(before, await world.snapshot())
    assert updated == {}
    assert inserted.keys() == {"tblPolicy", "tblInsureePolicy"}
    [policy] = inserted["tblPolicy"]
    assert UUID(policy.pop("PolicyUUID")).version == 4
    assert policy == {
        "PolicyID": policy_id,
        "FamilyID": family,
        "ProdID": product,
        "OfficerID": 3,
        "PolicyStage": "R",
        "PolicyStatus": 1,
        "PolicyValue": Decimal("30000.00"),
        "EnrollDate": TODAY,
        "StartDate": start,
        "EffectiveDate": None,
        "ExpiryDate": expiry,
        "isOffline": False,
        "ContributionPlanID": None,
        "creationDate": TODAY,
        "AuditUserID": -1,
        "ValidityFrom": NOW,
        "ValidityTo": None,
        "LegacyID": None,
    }
    covered = inserted["tblInsureePolicy"]
    assert [row["InsureeID"] for row in covered] == members[:2]
    for row in covered:
        assert {**row, "InsureePolicyID": 0, "InsureeID": 0} == {
            "InsureePolicyID": 0,
            "InsureeID": 0,
            "PolicyId": policy_id,
            "EnrollmentDate": TODAY,
            "StartDate": start,
            "EffectiveDate": None,
            "ExpiryDate": expiry,
            "isOffline": False,
            "AuditUserID": -1,
            "ValidityFrom": NOW,
            "ValidityTo": None,
            "LegacyID": None,
        }


async def test_a_policy_for_nobody_has_no_coverage_rows(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    new = NewPolicy(family, product, "N", TODAY, TODAY, TODAY, Money.parse("1"), None, ())
    await world.registry.add_policy(new, NOW)
    assert await world.rows(t.insuree_policies) == {}


async def test_e01_a_full_premium(world: Any, changes: Changes) -> None:
    """Premium 1, history 1, policy status and date, coverage rows; ValidityFrom and AuditUserID of the policy stay."""
    product = await world.product()
    family, members = await world.family(None, None)
    other_family, [other] = await world.family()
    policy_id = await world.policy(family, product, OfficerID=3, creationDate=TODAY, ContributionPlanID="plan")
    bystander = await world.policy(other_family, product)
    rows = [await world.put(t.insuree_policies, InsureeID=m, PolicyId=policy_id) for m in members]
    dead = await world.put(t.insuree_policies, InsureeID=members[0], PolicyId=policy_id, ValidityTo=LONG_AGO)
    await world.put(t.insuree_policies, InsureeID=other, PolicyId=bystander)
    before = await world.snapshot()

    registry = OpenImisRegistry(world.connection, audit_user_id=42)
    premium_id = await registry.add_premium(policy_id, premium(pay_date=TODAY - timedelta(days=1)), NOW)
    await registry.activate(policy_id, Activation(PolicyStatus.ACTIVE, TODAY))

    inserted, updated = changes(before, await world.snapshot())
    assert inserted.keys() == {"tblPremium", "tblPolicy"}
    [paid] = inserted["tblPremium"]
    assert UUID(paid.pop("PremiumUUID")).version == 4
    assert paid == {
        "PremiumId": premium_id,
        "PolicyID": policy_id,
        "PayerID": None,
        "Amount": Decimal("30000.00"),
        "Receipt": "LAB-1",
        "PayDate": TODAY - timedelta(days=1),
        "PayType": "M",
        "isPhotoFee": False,
        "isOffline": False,
        "CreatedDate": NOW,
        "AuditUserID": 42,
        "ValidityFrom": NOW,
        "ValidityTo": None,
        "LegacyID": None,
        "ReportingCommissionID": None,
    }
    [history] = inserted["tblPolicy"]
    old = before["tblPolicy"][policy_id]
    assert history["PolicyUUID"] != old["PolicyUUID"]
    assert UUID(history["PolicyUUID"]).version == 4
    assert history == {
        **old,
        "PolicyID": history["PolicyID"],
        "PolicyUUID": history["PolicyUUID"],
        "ValidityTo": NOW,
        "LegacyID": policy_id,
    }
    dates = {"EffectiveDate": TODAY, "StartDate": TODAY, "ExpiryDate": TODAY + timedelta(days=364)}
    assert updated == {
        "tblPolicy": {policy_id: {"PolicyStatus": 2, "EffectiveDate": TODAY}},
        "tblInsureePolicy": {row: dates for row in rows},
    }
    assert dead not in updated["tblInsureePolicy"]


async def test_e04_part_of_a_premium_leaves_the_policy_as_it_was(world: Any, changes: Changes) -> None:
    product = await world.product()
    family, _ = await world.family()
    policy_id = await world.policy(family, product)
    before = await world.snapshot()
    await world.registry.add_premium(policy_id, premium("10000", "A"), NOW)
    await world.registry.add_premium(policy_id, premium("5000.50", "B"), NOW + timedelta(days=1))
    inserted, updated = changes(before, await world.snapshot())
    assert updated == {}
    assert [row["Amount"] for row in inserted["tblPremium"]] == [Decimal("10000.00"), Decimal("5000.50")]
    assert [row["LegacyID"] for row in inserted["tblPolicy"]] == [policy_id, policy_id]
    [held] = await world.registry.policies(family)
    assert held.paid == Money.parse("15000.50")


async def test_a_ready_policy(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    policy_id = await world.policy(family, product)
    await world.registry.activate(policy_id, Activation(PolicyStatus.READY, TODAY))
    assert (await world.rows(t.policies))[policy_id]["PolicyStatus"] == 16


async def test_a_dead_policy_is_not_activated(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    policy_id = await world.policy(family, product, ValidityTo=LONG_AGO)
    await world.registry.activate(policy_id, Activation(PolicyStatus.ACTIVE, TODAY))
    assert (await world.rows(t.policies))[policy_id]["PolicyStatus"] == 1


@pytest.mark.parametrize(
    ("premium_is", "policy_is", "asked", "used"),
    [
        ("live", "live", ("own", "LAB-1"), True),
        ("live", "dead", ("own", "LAB-1"), True),
        ("dead", "live", ("own", "LAB-1"), False),
        ("live", "live", ("own", "LAB-2"), False),
        ("live", "live", ("other", "LAB-1"), False),
    ],
)
async def test_e07_a_receipt_is_used_once_per_product(
    world: Any, premium_is: str, policy_is: str, asked: tuple[str, str], used: bool
) -> None:
    products = {"own": await world.product("A"), "other": await world.product("B")}
    family, _ = await world.family()
    policy = await world.policy(family, products["own"], ValidityTo=LONG_AGO if policy_is == "dead" else None)
    await world.premium(policy, "1", Receipt="LAB-1", ValidityTo=LONG_AGO if premium_is == "dead" else None)
    assert await world.registry.receipt_is_used(products[asked[0]], asked[1]) is used


async def test_a_receipt_longer_than_its_column_is_still_found(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    policy_id = await world.policy(family, product)
    long = "R" * 60
    await world.registry.add_premium(policy_id, premium(receipt=long), NOW)
    assert await world.registry.receipt_is_used(product, long) is True
    [row] = (await world.rows(t.premiums)).values()
    assert row["Receipt"] == "R" * 50


async def test_an_open_prompt_is_retired_in_both_manners(world: Any, changes: Changes) -> None:
    async def prompt(policy_id: int, **values: Any) -> int:
        row = {
            "RenewalPromptDate": TODAY,
            "RenewalDate": TODAY,
            "NewOfficerID": 3,
            "PhoneNumber": "0712000901",
            "SMSStatus": 0,
            "InsureeID": 1,
            "PolicyID": policy_id,
            "NewProdID": 1,
            "RenewalWarnings": 0,
            "ResponseStatus": 0,
            "AuditCreateUser": 0,
        }
        return int(await world.put(t.renewals, **{**row, **values}))

    one, two = await prompt(11), await prompt(11)
    closed, other = await prompt(11, ValidityTo=LONG_AGO), await prompt(12)
    before = await world.snapshot()
    await world.registry.close_renewal_prompts(11, NOW)
    inserted, updated = changes(before, await world.snapshot())
    gone = {"ValidityFrom": NOW, "ValidityTo": NOW, "ResponseStatus": 1, "ResponseDate": NOW}
    assert updated == {"tblPolicyRenewals": {one: gone, two: gone}}
    assert {closed, other}.isdisjoint(updated["tblPolicyRenewals"])
    copies = inserted["tblPolicyRenewals"]
    assert [copy["LegacyID"] for copy in copies] == [one, two]
    for copy in copies:
        old = before["tblPolicyRenewals"][copy["LegacyID"]]
        fresh = {name: copy[name] for name in ("RenewalID", "RenewalUUID", "LegacyID")}
        assert copy == {**old, **fresh, "ValidityTo": NOW}
        assert copy["RenewalUUID"] != old["RenewalUUID"]
    again = await world.snapshot()
    await world.registry.close_renewal_prompts(11, NOW)
    assert await world.snapshot() == again
