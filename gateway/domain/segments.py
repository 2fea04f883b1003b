"""What a text costs on the air: GSM-7 septets or UCS-2 units. Source: 3GPP TS 23.038 §6.2.1."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€\f")  # an escape and a character: two septets
_ALPHABET = _BASIC | _ESCAPED
_TYPOGRAPHIC = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "•": "-",
        "`": "'",
        "\u00a0": " ",
        "\t": " ",
    }
)
SMS_SEPTETS = 160
SMS_UCS2 = 70


def plain(text: str) -> str:
    """Typographic characters replaced by their GSM-7 kin, so that one of them does not halve the room."""
    return text.translate(_TYPOGRAPHIC)


def is_gsm7(text: str) -> bool:
    """Whether every character has a place in the GSM-7 default or extension alphabet."""
    return _ALPHABET.issuperset(text)


def septets(text: str) -> int:
    """Septets of a GSM-7 text; an escaped character counts two. The caller has asked ``is_gsm7`` first."""
    return len(text) + (0 if _ESCAPED.isdisjoint(text) else sum(character in _ESCAPED for character in text))


def units(text: str) -> int:
    """Septets where GSM-7 holds the text, else UTF-16 code units."""
    return septets(text) if is_gsm7(text) else len(text.encode("utf-16-be")) // 2


def weight(text: str) -> int:
    """What the text takes of a limit counted in septets: one letter outside GSM-7 makes each of them sixteen bits."""
    return septets(text) if is_gsm7(text) else -(-units(text) * 16 // 7)


def fits_one_sms(text: str) -> bool:
    """Whether the text goes out as a single SMS segment."""
    return units(text) <= (SMS_SEPTETS if is_gsm7(text) else SMS_UCS2)
