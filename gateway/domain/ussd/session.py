"""One conversation, as a value: strings, numbers, lists and objects only, so that it can be stored between two keys."""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.domain.ussd.frame import Frame

OTHER_NETWORK = "other"  # none of those that the book has texts for


class Session(NamedTuple):
    """``screen`` is what the caller sees; ``target`` is being entered while facts for it are fetched.

    ``values`` holds what was chosen or typed, ``facts`` what was answered; both are JSON values.
    ``transcript`` is what the aggregator's cumulative text was when ``reply`` was given; on wires that send the last
    key only, ``turns`` tells what was answered (``turns.mark``).
    """

    id: str
    channel: str
    msisdn: str
    language: str
    frame: Frame  # of the channel, as the conversation began
    screen: str = ""
    page: int = 0
    trail: tuple[str, ...] = ()
    values: dict[str, Any] = {}  # noqa: RUF012 - never changed in place
    facts: dict[str, Any] = {}  # noqa: RUF012
    target: str = ""
    keys: int = 0
    wrong: int = 0
    transcript: str | None = None
    reply: str = ""
    final: bool = False
    turns: tuple[str, ...] = ()
    notice: str = ""  # a text to be said before the next screen
    network: str = OTHER_NETWORK  # the caller's, one of the book's
    missed: str = ""  # "screen/fact": what did not come on the way to the screen that stands, and who needed it
