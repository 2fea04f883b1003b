"""The length of a text on the air: GSM 7-bit where its alphabet suffices, UCS-2 otherwise (3GPP TS 23.038)."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = frozenset("^{}\\[~]|€\f")


def measure(text: str) -> tuple[str, int]:
    """('GSM-7', septets) or ('UCS-2', 16-bit units)."""
    if all(character in _BASIC or character in _ESCAPED for character in text):
        return "GSM-7", sum(2 if character in _ESCAPED else 1 for character in text)
    return "UCS-2", len(text.encode("utf-16-be")) // 2


def segments(text: str) -> int:
    """How many SMS the text takes: 160 or 70 units in one, 153 or 67 in each of several."""
    alphabet, units = measure(text)
    single, part = (160, 153) if alphabet == "GSM-7" else (70, 67)
    return 1 if units <= single else -(-units // part)


def fits_ussd(text: str) -> bool:
    """Whether the text fits one USSD string: 182 septets or 80 UCS-2 characters."""
    alphabet, units = measure(text)
    return units <= (182 if alphabet == "GSM-7" else 80)
