"""What became of a call to a counterparty. Silence and surprises are ``Unknown``, never "failed"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The peer has it and will tell more later."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The peer has done it."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer will not do it, and asking again will not help. ``code`` is the peer's own."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now; ask again after so many seconds."""

    retry_after_s: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The request never left us: asking again is safe."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been done. The default of every status map."""

    why: str = ""


Outcome = Accepted | Done | Refused | Busy | Unreachable | Unknown
