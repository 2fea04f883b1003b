"""The walk that forgets the way beside the whole one: half a minute for the callers for whom that can be walked."""

from __future__ import annotations

import pytest
from played.talk import BOOK
from played.walk import WALKED, seen, walk

from gateway.domain.ussd.explore import FRAMES, explore
from gateway.domain.ussd.samples import CALLERS

NAME = "form, septets"


# both at once are hundreds of thousands of edges
@pytest.mark.parametrize("who", sorted(CALLERS.keys() - {"officer_insured", "officers"}))
def test_the_walk_that_forgets_the_way_sees_every_screen_that_the_whole_walk_sees(who: str) -> None:
    """A guard of the guard, where the whole walk is affordable."""
    whole = walk(WALKED, CALLERS[who], FRAMES[NAME].units)
    assert seen(explore(BOOK, FRAMES[NAME], [CALLERS[who]])) >= seen(whole)
