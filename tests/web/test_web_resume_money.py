"""One phone in two sessions at once, over real stores: each goes on, and there is one bill."""

from __future__ import annotations

import asyncio

from channel_lines import Line, each
from channel_world import House
from test_web_channels_twice import EXPIRED, bills, effects, payment_records
from test_web_channels_twice import at as at

from gateway.store.database import Database

CONFIRM, ASKED = "1 Ndiyo, nataka kulipa", "Ulikuwa unalipia bima."


@each
async def test_two_sessions_of_one_phone_at_once_make_one_bill(at: House, database: Database, kind: type[Line]) -> None:
    """The second dials while the first is at the confirmation, and both say yes in the same moment."""
    before = await payment_records(database)
    first, second = at.line(kind, f"{kind.__name__}-a", EXPIRED), at.line(kind, f"{kind.__name__}-b", EXPIRED)
    await first.dial()
    assert CONFIRM in await shown(first, "1")
    assert (await second.dial()).text.startswith(ASKED)
    assert CONFIRM in await shown(second, "1")
    await asyncio.gather(first.press("1"), second.press("1"))
    await asyncio.gather(first.again(), second.again())
    assert await bills(database) == ["family:3/product:1/after:3"]
    assert list((await effects(database)).values()) == [1], "one request to the provider"
    assert await payment_records(database) - before == 1
    third = at.line(kind, f"{kind.__name__}-c", EXPIRED)
    assert not (await third.dial()).text.startswith(ASKED), "what came to its end is not taken up"


async def shown(line: Line, key: str) -> str:
    """All pages of what a key leads to."""
    screen = await line.press(key)
    text = screen.text
    while "# Zaidi" in screen.text:
        screen = await line.press("#")
        text += "\n" + screen.text
    return text
