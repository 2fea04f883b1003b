"""GePG's status codes as answers to a request for a day's account. In answers to bills some of them mean another thing.

Asking for a day again does no harm, so only what will not change by itself is a refusal; the rest is asked again.
"""

from __future__ import annotations

from gateway.domain.outcomes import Accepted, Busy, Outcome, Refused, Unknown

from .codes import BUSY_RETRY_S, INVALID_REQUEST, INVALID_SIGNATURE, MAX_TEXT, SUCCESS

_REFUSALS = {
    "7202": "a header is missing",
    "7203": "not authorised",
    "7205": "no such service provider",
    "7206": "the service provider is not active",
    INVALID_REQUEST: "the request's data are not valid",
    "7269": "the provider's system is unknown or not active",
    INVALID_SIGNATURE: "the signature is not valid",
    "7318": "the day is not valid",
    "7319": "the day is out of the range that may be asked for",
    "7320": "the options of the request are not valid",
    "7322": "the communication protocol is not active",
    "7323": "the provider's code differs between header and message",
}
_BUSY = frozenset(("7317", "7321", "7332"))  # could not be processed; try later; asked too often


def answer(codes: tuple[str, ...], own_words: str | None, reference: str | None) -> Outcome:
    """What the codes of one answer mean together: a refusal before doubt, doubt before "later", all good only alone."""
    joined = ";".join(codes)
    if any(code in _REFUSALS for code in codes):
        ours = "; ".join(_REFUSALS[code] for code in codes if code in _REFUSALS)
        return Refused(joined, (own_words or ours)[:MAX_TEXT])
    if any(code != SUCCESS and code not in _BUSY for code in codes):
        return Unknown(f"GePG answered {joined}")
    if any(code in _BUSY for code in codes):
        return Busy(BUSY_RETRY_S, joined)
    return Accepted(reference)
