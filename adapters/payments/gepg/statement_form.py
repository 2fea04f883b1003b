"""How one generation writes a day's account: what its elements are called, and how a line of it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.domain.payments import PaymentReport

from .generation import Generation, generation_of
from .xmltree import Element

# Two remarks are known, "Successful" and "Failed at PSP". What only looks like a failure goes to a person.
_FAILED = re.compile("fail|unsuccess|not success|revers|reject|declin", re.IGNORECASE | re.ASCII)


# What a line is matched by, as it stands there: reference, control number, amount and currency. Empty or None where it
# says nothing. A plain tuple, since it is made for every line.
Key = tuple[str | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class StatementForm:
    """``header`` holds the ids and the status, ``container`` the lines, each called ``line``.

    ``columns`` are the elements of a line that ``key`` takes, in this order; ``read`` gives the whole of a line and
    raises UnreadableError.
    """

    root: str
    header: str
    id_name: str  # empty: v4's statements have no id of their own
    request_name: str
    provider_name: str
    status_name: str
    words_name: str
    container: str
    line: str
    ack: str
    code_name: str
    columns: Sequence[str]
    key: Callable[..., Key]
    read: Callable[[Element], PaymentReport]

    @property
    def generation(self) -> Generation:
        return generation_of(self.root)


@lru_cache(maxsize=256)  # remarks are few, lines are many
def says_failed(remarks: str | None) -> bool:
    """Whether a line's own remark denies that money moved. Such a line must not be believed."""
    return bool(remarks) and _FAILED.search(remarks or "") is not None
