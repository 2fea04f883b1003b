"""What a provider has signed and we cannot read: kept once, however often the same bytes come, and before a person.

It is answered as unreadable, so its sender may deliver it again for ever. Its evidence has an id made of its bytes, so
that a redelivery finds it and adds nothing. Evidence and case are one commit, and the answer comes after it: nothing
that may be about money stands in a log only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gateway.domain.payments import CaseKind
from gateway.ports import Case, Evidence, Reading, StatementReading, UnitOfWork, Verdict
from gateway.service.metrics import CASES


def is_for_a_person(reading: Reading | StatementReading) -> bool:
    """Whether it is the provider's own words, which we cannot read."""
    return reading.verdict == Verdict.UNREADABLE and reading.is_signed


def unreadable_id(digest: str) -> str:
    """The inbox id of these bytes: the same for each delivery of them."""
    return digest[:32]


async def keep_unreadable(uow: UnitOfWork, evidence: Evidence, about: Callable[[Evidence], str], now: datetime) -> None:
    """Keep it under its ``unreadable_id`` where it is not kept yet, and see to its case.

    ``about``: the subject of the case, told of the evidence as it was kept first. Of several messages about the same
    the first is named there, until a person has closed it.
    """
    assert evidence.id == unreadable_id(evidence.digest), "the same bytes, the same evidence"
    async with uow.writing() as tx:
        first = await tx.inbox.evidence(evidence.id) or evidence
        case = Case(CaseKind.UNREADABLE, about(first), evidence.provider, evidence.id, details={"why": evidence.why})
        if await tx.cases.open(case, now):
            tx.after_commit.append(CASES.labels(CaseKind.UNREADABLE).inc)
        # looked for once more: whoever brought the same bytes at this moment was waited for at the case
        if first is evidence and await tx.inbox.evidence(evidence.id) is None:
            await tx.inbox.keep(evidence, ())
