"""What does not fit a channel is found when the book is checked."""

from __future__ import annotations

import pytest
from played.talk import BOOK
from played.walk import FRAMES

import menus
from gateway.domain.ussd.book import load_book
from gateway.domain.ussd.fitting import misfits
from gateway.domain.ussd.frame import Frame


@pytest.mark.parametrize("name", FRAMES)
def test_the_book_that_ships_fits_every_kind_of_screen(name: str) -> None:
    assert list(misfits(BOOK, FRAMES[name])) == []


@pytest.mark.parametrize(
    ("section", "key", "frame", "faults"),
    [
        ("option", "pay", Frame(160), ["sw: screen home: option 1 does not fit a page"]),
        ("end", "busy", Frame(160), ["sw: 'end.busy' does not fit one screen"]),
    ],
)
def test_a_text_that_is_too_long_is_named(section: str, key: str, frame: Frame, faults: list[str]) -> None:
    data, languages = menus.read()
    for length, found in ((100, []), (170, faults)):
        languages["sw"][section][key] = " ".join(["neno"] * (length // 5))
        assert list(misfits(load_book(data, languages), frame)) == found


def test_what_fits_in_septets_may_be_too_long_in_bytes() -> None:
    data, languages = menus.read()
    languages["sw"]["option"]["pay"] = "é&" * 35
    book = load_book(data, languages)
    assert list(misfits(book, Frame(160))) == []
    assert list(misfits(book, FRAMES["raw bytes"])) == ["sw: screen home: option 1 does not fit a page"]
