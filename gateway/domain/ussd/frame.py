"""What one screen may hold on a channel, and what a text takes of it once it is sent."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from gateway.domain.segments import GSM7, plain, utf16, weight

COUNTS = ("septets", "ucs2", "characters", "bytes")
ALPHABETS = ("any", "gsm7", "ascii")
_ALLOWED = {"gsm7": GSM7, "ascii": frozenset(map(chr, (10, *range(32, 127))))}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Frame(NamedTuple):
    """Strings, numbers and a flag only: it is stored with the conversation that is laid out in it.

    ``counted`` says what ``units`` are: ``septets`` of GSM-7 (an escaped character counts two; one letter outside the
    alphabet makes each of them sixteen bits), ``ucs2`` code units, ``characters``, or ``bytes`` exactly as sent.
    ``alphabet``: letters outside ``gsm7`` or ``ascii`` are replaced; ``any`` lets them through.
    """

    units: int = 160
    counted: str = "septets"
    newline: str = "\n"  # what breaks a line on this wire
    prefix: int = 4  # units before the text ("CON "): aggregators do not say whether it counts, so it does
    alphabet: str = "any"
    entities: bool = False  # & < > are sent as XML entities

    @property
    def room(self) -> int:
        """Units for the text."""
        return self.units - self.prefix


def clean(frame: Frame, text: str) -> str:
    """Typographic and control characters replaced first, then what the channel's alphabet does not hold."""
    text = plain(text)
    allowed = _ALLOWED.get(frame.alphabet)
    if allowed is None or allowed.issuperset(text):
        return text
    return "".join(letter if letter in allowed else _kin(letter, allowed) for letter in text)


def _kin(letter: str, allowed: frozenset[str]) -> str:
    """``á`` without its accent; a question mark for what has no kin."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return bare if bare and allowed.issuperset(bare) else "?"


def sent(frame: Frame, text: str) -> str:
    """The text as it stands on the wire. Entities before line breaks: a ``<br>`` stays one."""
    if frame.entities:
        text = text.translate(_ENTITIES)
    return text if frame.newline == "\n" else text.replace("\n", frame.newline)


def cost(frame: Frame, text: str) -> int:
    """Units that the text takes of the frame."""
    if frame.counted == "bytes":
        return len(sent(frame, text).encode("utf-8", "replace"))
    if frame.newline != "\n":
        text = text.replace("\n", frame.newline)
    if frame.counted == "septets":
        return weight(text)
    return utf16(text) if frame.counted == "ucs2" else len(text)
