"""What the counts say: how those who stayed were lost, shares, and how deep a menu is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played.talk import BOOK

from gateway.domain.ussd.ends import Place, ScreenEvent
from gateway.domain.ussd.ends_report import Ends, depths, ends_of, first_words, report, share

E = ScreenEvent
CONFIRM = Place("renewal", "confirm")


def ends(**figures: int) -> Ends:
    return Ends(**figures)


# what was counted at one place of one channel, and what became of those who were shown it
JUDGED = [
    ("nothing", {}, ends()),
    ("all went on", {E.SHOWN: 3, E.LEFT: 3}, ends(reached=3, went_on=3)),
    ("all saw the last screen", {E.SHOWN: 3, E.FINAL: 3}, ends(reached=3, last=3)),
    ("nobody told", {E.SHOWN: 3, E.LEFT: 1}, ends(reached=3, went_on=1, silent=2)),
    ("the channel tells", {E.SHOWN: 9, E.LEFT: 3, E.HUNG_UP: 4, E.FAILED: 1},
     ends(reached=9, went_on=3, hung_up=4, failed=1, silent=1)),
    ("cut by us", {E.SHOWN: 3, E.CUT: 2}, ends(reached=3, cut=2, silent=1)),
    ("cut by us, and told as an end", {E.SHOWN: 2, E.CUT: 2, E.FAILED: 2}, ends(reached=2, cut=2)),
    ("told, and went on all the same", {E.SHOWN: 2, E.LEFT: 2, E.HUNG_UP: 1}, ends(reached=2, went_on=2)),
    ("told twice what happened once", {E.SHOWN: 1, E.HUNG_UP: 2}, ends(reached=1, hung_up=1)),
    ("hung up, taken up, went on", {E.SHOWN: 1, E.HUNG_UP: 1, E.RESUMED: 1, E.LEFT: 1}, ends(reached=1, went_on=1)),
    ("hung up, taken up, hung up", {E.SHOWN: 1, E.HUNG_UP: 2, E.RESUMED: 1}, ends(reached=1, hung_up=1)),
    ("hung up, taken up, silent", {E.SHOWN: 1, E.HUNG_UP: 1, E.RESUMED: 1}, ends(reached=1, silent=1)),
    ("silent, taken up, silent", {E.SHOWN: 1, E.RESUMED: 1}, ends(reached=1, silent=1)),
    ("shown the day before", {E.LEFT: 2, E.FINAL: 1, E.HUNG_UP: 1}, ends(went_on=2, last=1)),
]  # fmt: skip


@pytest.mark.parametrize(("counts", "judged"), [case[1:] for case in JUDGED], ids=[case[0] for case in JUDGED])
def test_how_those_who_stayed_were_lost(counts: dict[ScreenEvent, int], judged: Ends) -> None:
    assert ends_of(counts) == judged


@given(st.dictionaries(st.sampled_from(list(ScreenEvent)), st.integers(0, 1_000)))
def test_no_more_are_lost_than_stayed(counts: dict[ScreenEvent, int]) -> None:
    found = ends_of(counts)
    assert min(found.hung_up, found.failed, found.cut, found.silent) >= 0
    assert found.lost == max(0, found.reached - found.went_on - found.last)
    assert found.ended == found.last + found.lost


SHARES = [(0, 0, None), (1, 0, None), (0, 9, 0), (9, 9, 1000), (1, 3, 333), (2, 3, 667), (1, 2000, 1), (1, 2001, 0)]


@pytest.mark.parametrize(("part", "whole", "tenths"), SHARES)
def test_a_share_is_in_tenths_of_a_per_cent(part: int, whole: int, tenths: int | None) -> None:
    assert share(part, whole) == tenths


def test_one_channels_words_say_nothing_of_anothers() -> None:
    """Taken up on a channel that tells no end: the other's hung-up callers are hung up still."""
    told = [("a", CONFIRM, E.SHOWN, 5), ("a", CONFIRM, E.HUNG_UP, 5)]
    silent = [("b", CONFIRM, E.SHOWN, 4), ("b", CONFIRM, E.RESUMED, 4), ("b", CONFIRM, E.LEFT, 4)]
    [menu] = report(BOOK, [*told, *silent])
    assert menu.total == ends(reached=9, went_on=4, hung_up=5)


def test_the_same_event_of_several_rows_is_summed() -> None:
    [menu] = report(BOOK, [("a", CONFIRM, E.SHOWN, n) for n in (1, 2)])
    assert menu.total == ends(reached=3, silent=3)


def test_who_hangs_up_where_the_screen_tells_what_one_dials_for_was_served() -> None:
    """The first screen says covered or not: most need no more. A fault of ours is a loss there too."""
    home = Place("family", "home")
    told = [("a", home, E.SHOWN, 10), ("a", home, E.HUNG_UP, 3), ("a", home, E.FAILED, 1), ("a", home, E.CUT, 1)]
    [menu] = report(BOOK, [*told, ("a", home, E.LEFT, 2)])
    assert menu.total == ends(reached=10, went_on=2, served=6, failed=1, cut=1)
    assert (menu.total.lost, menu.total.ended) == (2, 8)


DEPTHS = {
    "family": {"families": 1, "home": 1, "stranger": 1},
    "number": {"number_how": 1, "number_mobile": 1, "number_bank": 1},
    "enquiry": {"enquiry": 1, "enquiry_again": 2, "enquiry_answer": 2},
}


@pytest.mark.parametrize("menu", DEPTHS)
def test_how_deep_a_screen_lies_in_its_menu(menu: str) -> None:
    assert {name: depth for name, depth in depths(BOOK, menu).items() if name in DEPTHS[menu]} == DEPTHS[menu]


def test_a_menu_that_is_gone_has_no_depth_and_its_counts_are_still_told() -> None:
    assert depths(BOOK, "gone") == {}
    [menu] = report(BOOK, [("a", Place("gone", "old"), E.SHOWN, 1)])
    assert (menu.menu, menu.funnel, menu.rows[0].said) == ("gone", (), "")


@pytest.mark.parametrize(
    ("screen", "words"),
    [
        ("home", "Bima ya CHF: HAI"),
        ("confirm", "Lipa TZS …"),
        ("families", "Chagua familia:"),
        ("start", ""),
        ("gone", ""),
    ],
)
def test_a_screen_is_known_by_its_first_words(screen: str, words: str) -> None:
    assert first_words(BOOK, screen) == words


def test_where_most_are_lost_comes_first() -> None:
    counted = [
        ("a", Place("renewal", "confirm"), E.SHOWN, 2),
        ("a", Place("family", "home"), E.SHOWN, 9),
        ("a", Place("family", "families"), E.SHOWN, 5),
        ("a", Place("family", "home"), E.LEFT, 8),
        ("a", Place("settings", "help_pay"), E.SHOWN, 7),
        ("a", Place("settings", "help_pay"), E.FINAL, 7),
    ]
    found = report(BOOK, counted)
    assert [menu.menu for menu in found] == ["family", "renewal", "settings"]
    assert [row.place.screen for row in found[0].rows] == ["families", "home"]
    assert found[2].lasts == found[2].rows
    assert found[2].funnel == ()


def test_a_funnel_goes_from_what_is_asked_first_to_what_is_asked_last() -> None:
    counted = [
        ("a", Place("enquiry", screen, missed), E.SHOWN, count)
        for screen, missed, count in [
            ("enquiry_again", "", 3), ("enquiry", "", 9), ("enquiry_answer", "", 6), ("try_later", "enquiry", 2),
        ]
    ]  # fmt: skip
    [menu] = report(BOOK, counted)
    assert [[row.place.screen for row in rows] for rows in menu.funnel] == [["enquiry"], ["enquiry_again"]]
