"""What this installation is to GePG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from .generation import GENERATIONS, V5, Generation

# The longest that GePG takes (GePG v5 billSubReq). Codes are refused, never cut: a cut code is another one's.
_LIMITS = {"sp_code": 10, "system_code": 10, "generated_by": 30, "approved_by": 30, "payer_email": 150}


@dataclass(frozen=True, slots=True)
class GepgSettings:
    """All texts are required. Raises ValueError, one sentence that lists every wrong field."""

    url: str  # base, e.g. http://127.0.0.1:8090/gepg
    sp_code: str  # a bill's own provider code goes before it
    system_code: str
    private_key: RSAPrivateKey = field(repr=False)
    peer_certificates: tuple[RSAPublicKey, ...] = field(repr=False)  # all accepted, so that GePG can change its key
    sub_sp_code: str
    gfs_code: str  # the government account that the money is booked to
    coll_cent_code: str
    generated_by: str
    approved_by: str
    payer_email: str  # stands in for a payer without a phone: GePG wants one of the two (7217)
    version: str = V5.name  # the generation that bills are asked for in
    versions: Mapping[str, str] = field(default_factory=dict)  # by service provider code, where one differs
    payer_phone: str | None = None  # 2557…, in v5 beside the e-mail: its CustCellNum is not seen empty anywhere

    def generation_of(self, sp_code: str) -> Generation:
        """The generation in which this service provider's bills are asked for."""
        return GENERATIONS[self.versions.get(sp_code, self.version)]

    def __post_init__(self) -> None:
        wrong = [f.name for f in fields(self) if getattr(self, f.name) in ("", ())]
        unknown = {self.version, *self.versions.values()} - set(GENERATIONS)
        if unknown:
            raise ValueError(f"GePG has no generation {', '.join(sorted(unknown))}")
        wrong += [name for name, limit in _LIMITS.items() if len(getattr(self, name)) > limit]
        if wrong:
            raise ValueError(f"GePG settings empty or too long: {', '.join(wrong)}")
