"""Africa's Talking USSD: the form that comes with every key press, and the ``CON``/``END`` text that answers it.

Source: Africa's Talking USSD pages. The wire is cumulative: ``text`` holds every input of the session joined with
``*``, is empty on the first dial, and holds the extra segments of a dial string (``*384*123*1*2#`` gives ``1*2``).
The end of a session is told at an address of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from adapters.ussd._wire import MAX_BODY_BYTES, TEXT, UnreadableError, code, con_end, form_fields, phone, present
from adapters.ussd._wire import session_id as id_in
from gateway.domain.ussd.masks import masked_answers, masked_screen
from gateway.ports import (
    ChannelProfile,
    Ended,
    EndStatus,
    HttpReply,
    InboundRequest,
    Malformed,
    Noted,
    Screen,
    Turn,
)

__all__ = ["CHANNEL", "MAX_BODY_BYTES", "AfricasTalkingUssd"]

_STATUSES: Final = {
    "Success": EndStatus.SUCCESS,
    "Incomplete": EndStatus.INCOMPLETE,  # hung up or timed out while an input was expected
    "Failed": EndStatus.FAILED,  # our reply was bad
}
# their networkCode in Tanzania; Zantel's calls are Yas' now
_NETWORKS: Final = {
    "64002": "yas",
    "64003": "yas",
    "64004": "vodacom",
    "64005": "airtel",
    "64007": "ttcl",
    "64009": "halotel",
}
_LONGEST_ERROR: Final = 80
_LONGEST_NUMBER: Final = 12  # digits
_HOP_HEADER: Final = "at-ussd-hop-metadata"  # shown on their dashboard, and told again when the session has ended
_LONGEST_HOP: Final = 99  # characters


@dataclass(frozen=True)
class AfricasTalkingUssd:
    """The UssdChannel of Africa's Talking. Nothing in its callback is signed: the route's secret guards it."""

    # 160 is what Africa's Talking states for its narrowest operator; whether "CON " counts it does not say.
    profile: ChannelProfile = field(default_factory=lambda: ChannelProfile("africastalking"))

    def parse(self, request: InboundRequest) -> Turn | Malformed:
        """The turn in a POSTed form or a GET query. ``Turn.network``: None for a networkCode that is not Tanzania's."""
        try:
            fields = form_fields(request)
            return Turn(
                id_in(fields, "sessionId"),
                phone(fields, "phoneNumber"),
                code(fields, "serviceCode"),
                present(fields, "text"),
                network=_NETWORKS.get(code(fields, "networkCode")),
            )
        except UnreadableError as why:
            return Malformed(str(why))

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """``CON`` or ``END`` and the text; the screen's name in a header."""
        return con_end(screen, self.profile.frame, _labelled(screen.name))

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """Nothing is awaited."""
        return HttpReply(200, TEXT, b"")

    def parse_end(self, request: InboundRequest) -> Ended | Malformed:
        """The end of a session. ``input`` and ``lastAppResponse`` carry names, numbers and PINs: masked here."""
        try:
            fields = form_fields(request)
            status = _STATUSES.get(fields.get("status", ""))
            if status is None:
                return Malformed("no known status")
            typed, shown = fields.get("input", ""), fields.get("lastAppResponse", "")
            return Ended(
                id_in(fields, "sessionId"),
                phone(fields, "phoneNumber"),
                status,
                duration_ms=_number(fields.get("durationInMillis", "")),
                hops=_number(fields.get("hopsCount", "")),
                answers=masked_answers(typed),
                last_screen=masked_screen(shown),
                error=_words(fields.get("errorMessage", ""), f"{typed}\n{shown}"),
                hop=_label(fields.get("hopsMetadata", "").rpartition("|")[2]),
            )
        except UnreadableError as why:
            return Malformed(str(why))


def _label(name: str) -> str:
    """Names of screens hold nothing else; ``|`` is what their labels are joined with."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:_LONGEST_HOP]


@lru_cache(maxsize=1_024)
def _labelled(name: str) -> dict[str, str]:
    return {_HOP_HEADER: _label(name)} if name else {}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _words(text: str, recorded: str) -> str:
    """Their error in letters only: a number in it may be a person's. Nor what it quotes of the conversation: a name."""
    letters = re.sub(r"[^A-Za-z .,:;_-]", "?", text[: 2 * _LONGEST_ERROR])
    said = recorded.lower()
    return re.sub(r"[A-Za-z]+", lambda word: "?" if word[0].lower() in said else word[0], letters)[:_LONGEST_ERROR]


CHANNEL = AfricasTalkingUssd
