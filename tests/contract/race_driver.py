"""openimis/driver.py for races: a premium may be one transaction, as under Django's ATOMIC_REQUESTS.

By itself openIMIS commits each statement of it: the premium, the policy's history, the policy, the insurees' dates.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "openimis"))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
os.environ["NO_DATABASE"] = "1"

with contextlib.redirect_stdout(sys.stderr):  # only answers may go where answers are read
    import django

    django.setup()
    import driver
    import operations
    from django.db import transaction
    from policy.models import Policy


def premium(atomic: bool, **arguments: Any) -> Any:
    with transaction.atomic() if atomic else contextlib.nullcontext():
        return operations.premium(**arguments)


def renew_policy(policy: int, enroll_date: str) -> Any:
    """Ours may have been born meanwhile: theirs is the one that still waits for its money."""
    try:
        return operations.renew_policy(policy, enroll_date)
    except ValueError:
        family = Policy.objects.get(id=policy).family_id
        return {"id": Policy.objects.get(family_id=family, status=Policy.STATUS_IDLE, validity_to=None).id}


if __name__ == "__main__":
    operations.ALL |= {"premium": premium, "renew_policy": renew_policy}
    driver.main()
