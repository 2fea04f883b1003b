"""What the driver does, each through the code that openIMIS' own screens and nightly jobs run.

Policies, premiums, payments, families and products are named by their database ids, as rows are compared by id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import core
import installation
from contribution.gql_mutations import premium_action
from contribution.models import Premium
from core.models import User
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db import connection
from insuree.gql_mutations import DeleteInsureesMutation, UpdateInsureeMutation
from insuree.models import Insuree
from payment.models import Payment
from payment.services import update_or_create_payment, update_or_create_payment_detail
from policy.apps import PolicyConfig
from policy.gql_mutations import CreatePolicyMutation, RenewPolicyMutation, SuspendPoliciesMutation
from policy.models import Policy
from policy.schema import Query
from policy.services import insert_renewals, update_renewals
from values import policy_values


def use(database: str | None) -> None:
    """Go to this database; with none, let go of the one in use so that it can be copied or dropped."""
    connection.close()
    for cache in caches.all():
        cache.clear()
    if database is not None:
        connection.settings_dict["NAME"] = database


def create_schema() -> dict[str, int]:
    """Make openIMIS' schema on the database in use: ``{"audit_user_id": tblUsers id}``."""
    return installation.create()


def today() -> str:
    """The day as openIMIS sees it."""
    day: str = core.datetime.date.today().isoformat()
    return day


def configure(**options: Any) -> None:
    """Set options of the policy module, such as ``activation_option``, for this process."""
    for name, value in options.items():
        if not hasattr(PolicyConfig, name):
            raise ValueError(f"the policy module has no option {name}")
        setattr(PolicyConfig, name, value)


def policy_quote(
    family: int, product: int, enroll_date: str, stage: str = "N", previous_policy: int | None = None
) -> dict[str, Any]:
    """What the screens ask before they create or renew: ``{"start", "expiry", "value", "warnings"}``.

    The query takes the enrolment day as a date and time, so that is what it is given.
    """
    wanted: dict[str, Any] = {"stage": stage, "product_id": product, "family_id": family}
    if previous_policy is not None:
        wanted["prev_uuid"] = str(Policy.objects.get(id=previous_policy).uuid)
    answer = Query().resolve_policy_values(_info(), enrollDate=datetime.fromisoformat(enroll_date), **wanted)
    policy = answer.policy
    return {
        "start": _day(policy.start_date),
        "expiry": _day(policy.expiry_date),
        "value": str(policy.value),
        "warnings": [str(warning) for warning in answer.warnings],
    }


def create_policy(
    family: int, product: int, enroll_date: str, officer: int | None = None, start_date: str | None = None
) -> dict[str, Any]:
    """A new policy: the quote, then CreatePolicyMutation with what was quoted. ``{"id", "uuid", "quote"}``.

    ``start_date`` overrides the quoted start, as a clerk may type over it; the expiry moves along.
    """
    quote = policy_quote(family, product, enroll_date)
    return _policy(CreatePolicyMutation, quote, family, product, enroll_date, officer, start_date)


def renew_policy(
    policy: int,
    enroll_date: str,
    officer: int | None = None,
    start_date: str | None = None,
    product: int | None = None,
) -> dict[str, Any]:
    """A renewal of ``policy``: the quote of stage R, then RenewPolicyMutation. ``{"id", "uuid", "quote"}``.

    ``product``: another than the policy's own, as a clerk chooses one when that is sold no more.
    """
    old = Policy.objects.get(id=policy)
    sold = product or old.product_id
    quote = policy_quote(old.family_id, sold, enroll_date, "R", policy)
    return _policy(RenewPolicyMutation, quote, old.family_id, sold, enroll_date, officer or old.officer_id, start_date)


def suspend_policy(policy: int) -> None:
    """SuspendPoliciesMutation."""
    _heed(SuspendPoliciesMutation.async_mutate(_clerk(), uuids=[str(Policy.objects.get(id=policy).uuid)]))


def premium(
    policy: int,
    amount: str,
    receipt: str,
    pay_date: str,
    pay_type: str = "M",
    action: str | None = None,
    uuid: str | None = None,
    is_photo_fee: bool = False,
) -> dict[str, Any]:
    """Record a premium, or change the one with this ``uuid``: ``{"id", "uuid"}``.

    ``action`` is ENFORCE, SUSPEND or WAIT, as the screens offer when the money does not match the policy's value.
    """
    data: dict[str, Any] = {
        "policy_uuid": Policy.objects.get(id=policy).uuid,
        "amount": Decimal(amount),
        "receipt": receipt,
        "pay_date": date.fromisoformat(pay_date),
        "pay_type": pay_type,
        "is_photo_fee": is_photo_fee,
        "is_offline": False,
        "action": action,
    }
    if uuid is not None:
        data["uuid"] = uuid
    made = premium_action(data, _clerk())
    return {"id": made.id, "uuid": str(made.uuid)}


def renewal_prompts() -> int:
    """``insert_renewals``, the first half of the nightly job: how many prompts are open afterwards."""
    insert_renewals()
    return len(_rows('SELECT 1 FROM "tblPolicyRenewals" WHERE "ValidityTo" IS NULL'))


def expire_policies() -> int:
    """``update_renewals``, the second half of the nightly job: how many rows it touched."""
    count: int = update_renewals()
    return count


def payment(uuid: str | None = None, **fields: Any) -> dict[str, Any]:
    """A payment, or a change of the one with this ``uuid``; the fields are Payment's own. ``{"id", "uuid"}``."""
    data = {name: _field(Payment, name, value) for name, value in fields.items()}
    made = update_or_create_payment(data | ({"uuid": uuid} if uuid else {}), _clerk())
    return {"id": made.id, "uuid": str(made.uuid)}


def payment_detail(payment: int, premium: int) -> int:
    """Tie a payment to a premium: the detail's id."""
    found = Payment.objects.get(id=payment)
    detail = update_or_create_payment_detail(found, Premium.objects.get(id=premium).uuid, _clerk())
    number: int = detail.id
    return number


def change_phone(insuree: int, phone: str | None) -> None:
    """Save the insuree's form with another phone: every other field is sent again as it is, as the screen does."""
    found = Insuree.objects.get(id=insuree)
    kept = ("uuid", "chf_id", "last_name", "other_names", "gender_id", "dob", "head", "marital", "passport", "email")
    kept += ("current_address", "geolocation", "current_village_id", "card_issued", "family_id", "relationship_id")
    kept += ("profession_id", "education_id", "type_of_id_id", "health_facility_id", "offline")
    data = {name: getattr(found, name) for name in kept}
    data["status"] = found.status or "AC"  # the form cannot be saved without one
    _heed(UpdateInsureeMutation.async_mutate(_clerk(), **data, phone=phone))


def delete_insuree(insuree: int) -> None:
    """DeleteInsureesMutation: not the head."""
    _heed(DeleteInsureesMutation.async_mutate(_clerk(), uuids=[str(Insuree.objects.get(id=insuree).uuid)]))


ALL: dict[str, Callable[..., Any]] = {
    operation.__name__: operation
    for operation in (
        use,
        create_schema,
        today,
        configure,
        policy_quote,
        policy_values,
        create_policy,
        renew_policy,
        suspend_policy,
        premium,
        renewal_prompts,
        expire_policies,
        payment,
        payment_detail,
        change_phone,
        delete_insuree,
    )
}


def _clerk() -> User:
    return User.objects.get(username=installation.CLERK)


def _info() -> SimpleNamespace:
    """As much of a GraphQL request as a resolver asks for."""
    return SimpleNamespace(context=SimpleNamespace(user=_clerk()))


def _day(value: date | datetime) -> str:
    return value.isoformat()[:10]


def _heed(errors: Any) -> None:
    """Mutations answer with their errors instead of raising."""
    if not errors:
        return
    first = errors[0] if isinstance(errors, list) else errors
    raise first.get("exc") or ValidationError(str(first.get("detail") or first.get("list") or first))


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def _field(model: Any, name: str, value: Any) -> Any:
    """JSON's text as the field's own kind: money and days."""
    return model._meta.get_field(name).to_python(value)


def _policy(
    mutation: Any,
    quote: dict[str, Any],
    family: int,
    product: int,
    enroll_date: str,
    officer: int | None,
    start_date: str | None,
) -> dict[str, Any]:
    before = {row[0] for row in _rows('SELECT "PolicyID" FROM "tblPolicy"')}
    start, expiry = date.fromisoformat(quote["start"]), date.fromisoformat(quote["expiry"])
    if start_date is not None:
        moved = date.fromisoformat(start_date)
        start, expiry = moved, expiry + (moved - start)
    _heed(
        mutation.async_mutate(
            _clerk(),
            enroll_date=date.fromisoformat(enroll_date),
            start_date=start,
            expiry_date=expiry,
            value=Decimal(quote["value"]),
            product_id=product,
            family_id=family,
            officer_id=officer,
        )
    )
    (made,) = Policy.objects.exclude(id__in=before)
    return {"id": made.id, "uuid": str(made.uuid), "quote": quote}
