"""What may be kept of a conversation that somebody else recorded: its shape, never what was typed or shown."""

from __future__ import annotations

MAX_ANSWERS = 60  # more than a conversation may have
_MENU_KEYS = frozenset("0123456789#")


def masked_answers(transcript: str) -> str:
    """``1*100000014*2`` as ``1*?*2``: keys of menus stay; whatever is longer may be a number, a name or a PIN."""
    if not transcript:
        return ""
    answers = transcript.split("*")
    said = [answer if len(answer) <= 2 and _MENU_KEYS.issuperset(answer) else "?" for answer in answers[:MAX_ANSWERS]]
    return "*".join([*said, "…"] if len(answers) > MAX_ANSWERS else said)


def masked_screen(text: str) -> str:
    """A screen as its length: names and numbers stand anywhere in it. A leading ``CON`` or ``END`` stays."""
    kind = text[:3] if text.startswith(("CON ", "END ")) else ""
    return f"{kind} {len(text)}".strip() if text else ""
