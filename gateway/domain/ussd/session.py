"""One conversation, as a value: strings, numbers, lists and objects only, so that it can be stored between two keys."""

from __future__ import annotations

from typing import Any, NamedTuple

from gateway.domain.ussd.frame import Frame

OTHER_NETWORK = "other"  # none of those that the book has texts for


class Left(NamedTuple):
    """What a conversation leaves behind on a screen, should the network drop it: enough to find the way back there.

    Only what the caller said. What was true then is fetched anew when it is taken up.
    """

    screen: str
    menu: str  # the file it stands in: what the caller is told
    language: str
    chosen: dict[str, Any]  # by value's name: the id of an item that was picked from a fact
    typed: dict[str, str]  # by value's name
    stood: str = ""  # the screen, or the question whether to go on there; empty where the conversation came to an end


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
    left: Left | None = None  # what dialling again takes up
    resuming: str = ""  # how that is being done, until a screen is shown (``resume``)

    @property
    def back_to(self) -> str:
        """The menu that it stood in when it was dropped, and would be taken up in; empty where there is none."""
        return self.left.menu if self.left and self.left.stood else ""
