"""What a text costs on the air: GSM-7 septets or UCS-2 units. Source: 3GPP TS 23.038 §6.2.1."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€\f")  # an escape and a character: two septets
GSM7 = _BASIC | _ESCAPED
_SPACES = (*range(10), *range(11, 32), *range(127, 161), *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F)
_UNSEEN = (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
_NONE = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)  # half a surrogate pair is no character
_KIN = {
    "'": "‘’‚‛′`´",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−•·",
    "...": "…",
    " ": map(chr, _SPACES),  # a control character would break a wire or be nothing that a phone can show
    "": map(chr, _UNSEEN),
    "?": map(chr, _NONE),
}
_TYPOGRAPHIC = {ord(letter): kin for kin, letters in _KIN.items() for letter in letters}
SMS_SEPTETS = 160
SMS_UCS2 = 70


def plain(text: str) -> str:
    """Typographic characters replaced by their GSM-7 kin, so that one of them does not halve the room.

    Of the control characters only the newline is left.
    """
    return text.translate(_TYPOGRAPHIC)


def is_gsm7(text: str) -> bool:
    """Whether every character has a place in the GSM-7 default or extension alphabet."""
    return GSM7.issuperset(text)


def septets(text: str) -> int:
    """Septets of a GSM-7 text; an escaped character counts two. The caller has asked ``is_gsm7`` first."""
    return len(text) + (0 if _ESCAPED.isdisjoint(text) else sum(character in _ESCAPED for character in text))


def units(text: str) -> int:
    """Septets where GSM-7 holds the text, else UTF-16 code units."""
    return septets(text) if is_gsm7(text) else utf16(text)


def utf16(text: str) -> int:
    """UTF-16 code units: a character beyond the first plane counts two."""
    return len(text.encode("utf-16-be", "replace")) // 2


def weight(text: str) -> int:
    """What the text takes of a limit counted in septets: one letter outside GSM-7 makes each of them sixteen bits."""
    return septets(text) if is_gsm7(text) else -(-units(text) * 16 // 7)


def fits_one_sms(text: str) -> bool:
    """Whether the text goes out as a single SMS segment."""
    return units(text) <= (SMS_SEPTETS if is_gsm7(text) else SMS_UCS2)
