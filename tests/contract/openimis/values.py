"""openIMIS' rules for a policy's period and value, asked in batches about rows that are nowhere but in memory."""

from __future__ import annotations

import datetime as real
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from insuree.models import Insuree, Relation
from policy import values
from policy.models import Policy
from product.models import Product


def policy_values(cases: list[dict[str, Any]], relations_as_numbers: bool = False) -> list[dict[str, Any]]:
    """``policy.values.policy_values`` once for each case.

    A case is ``{"today", "enroll_date", "stage", "product": {field: value}, "members": [[dob, relation or null], …],
    "previous_expiry": day or null}``; the product's fields are the model's. An answer is ``{"start", "expiry", "value",
    "warnings"}``, the value unrounded, or ``{"error", "said"}`` when openIMIS raised.

    A member's relation is a row, as in the database; with ``relations_as_numbers`` it is the number that the rules
    compare it with.
    """
    return [_answer(case, relations_as_numbers) for case in cases]


def _answer(case: dict[str, Any], relations_as_numbers: bool) -> dict[str, Any]:
    product = Product(**{name: Product._meta.get_field(name).to_python(v) for name, v in case["product"].items()})
    policy = Policy(stage=case["stage"], enroll_date=real.datetime.fromisoformat(case["enroll_date"]), product=product)
    previous = case["previous_expiry"]
    members = [
        SimpleNamespace(dob=real.date.fromisoformat(dob), relationship=relation)
        if relations_as_numbers
        else Insuree(dob=real.date.fromisoformat(dob), relationship=Relation(id=relation) if relation else None)
        for dob, relation in case["members"]
    ]
    kept, values.py_datetime = values.py_datetime, _clock(real.date.fromisoformat(case["today"]))
    try:
        policy, warnings = values.policy_values(
            policy,
            None,
            Policy(expiry_date=real.date.fromisoformat(previous)) if previous else None,
            None,
            members=members,
        )
    except Exception as failure:
        return {"error": type(failure).__name__, "said": str(failure)}
    finally:
        values.py_datetime = kept
    return {
        "start": policy.start_date.isoformat()[:10],
        "expiry": policy.expiry_date.isoformat()[:10],
        "value": format(Decimal(policy.value), "f"),
        "warnings": len(warnings),
    }


def _clock(today: real.date) -> SimpleNamespace:
    """The datetime module with another today: ages are counted on the day of asking, and tests choose it."""
    day = type("date", (real.date,), {"today": classmethod(lambda _: today)})
    return SimpleNamespace(date=day, datetime=real.datetime)
