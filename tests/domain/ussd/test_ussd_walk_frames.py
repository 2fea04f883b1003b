"""Every (screen, class of key, class of fact) edge in both languages, on every kind of screen; and keys at random."""

from __future__ import annotations

from functools import cache

import pytest
from played.talk import BOOK
from played.walk import NOTICES, seen, sequences

import menus
from config.settings import Settings
from gateway.app import ussd_mounts
from gateway.domain.segments import is_gsm7
from gateway.domain.ussd.book import load_book
from gateway.domain.ussd.explore import DROPPED, FRAMES, Edge, explore
from gateway.domain.ussd.frame import Frame, cost, sent
from gateway.domain.ussd.machine import Key, step
from gateway.domain.ussd.samples import CALLERS
from gateway.domain.ussd.session import OTHER_NETWORK


@cache
def walked(frame: str) -> list[Edge]:
    return explore(BOOK, FRAMES[frame])


@pytest.fixture(scope="module", params=FRAMES)
def frame(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_screen_fits_its_channel(frame: str) -> None:
    room = FRAMES[frame].room
    for reply in {edge.step.reply or "" for edge in walked(frame)}:
        assert reply.strip(), "an empty screen"
        assert cost(FRAMES[frame], reply) <= room, reply
        assert is_gsm7(reply), reply
        if FRAMES[frame].counted == "bytes":
            assert len(sent(FRAMES[frame], reply).encode()) <= room


def test_every_screen_key_and_fact_is_met_in_every_language(frame: str) -> None:
    """Nothing that the book holds is out of reach on a narrow screen, in any language."""
    edges = walked(frame)
    for language in BOOK.languages:
        spoken = [edge for edge in edges if edge.step.session.language == language]
        shown = {edge.step.session.screen for edge in spoken}
        assert shown == {s.name for s in BOOK.screens.values() if s.kind != "route"}
        pressed = {(edge.before.screen, edge.key) for edge in edges if edge.before and edge.before.language == language}
        assert pressed >= {(s.name, option.key) for s in BOOK.screens.values() for option in s.options}
        assert pressed >= {(s.name, DROPPED) for s in BOOK.screens.values() if s.kind not in ("route", "end")}
        for kind, keys in {"menu": {"0", "00", "#", "8"}, "input": {"0", "00", "#", "100000014"}}.items():
            assert pressed >= {(s.name, key) for s in BOOK.screens.values() if s.kind == kind for key in keys}


def test_every_text_of_every_network_is_met(frame: str) -> None:
    told = {(e.step.session.network, (e.step.reply or "")) for e in walked(frame) if e.step.session.page == 0}
    met = {network for network, reply in told if reply.startswith(("Piga *150", "Dial *150", "M-Pesa *150"))}
    assert met == {*BOOK.networks, OTHER_NETWORK}


def test_turning_the_pages_comes_round_and_shows_every_option_whole(frame: str) -> None:
    firsts = {
        edge.step.reply: edge.step.session
        for edge in walked(frame)
        if edge.step.session.page == 0 and (edge.step.reply or "").split("\n")[0] not in NOTICES
    }
    for session in firsts.values():
        pages, at = [session.reply], session
        while not at.final and len(pages) < 30:
            at = step(BOOK, at._replace(keys=0), Key("#")).session
            if at.page == 0:
                break
            pages.append(at.reply)
        assert len(pages) < 30, "the pages never come round"
        lines = [line for page in pages for line in page.split("\n")]
        for option in BOOK.screens[session.screen].options:
            whole = f"{option.key} {BOOK.language(session.language).say(option.text, {})}"
            assert lines.count(whole) == 1, pages


def test_back_is_offered_on_every_page_where_it_leads_somewhere(frame: str) -> None:
    for edge in walked(frame):
        session = edge.step.session
        last = (edge.step.reply or "").rsplit("\n", 1)[-1]
        offered = last in ("0 Rudi", "0 Back")
        assert offered == (bool(session.trail) and BOOK.screens[session.screen].kind != "end")


@pytest.mark.parametrize("seed", range(3))
def test_keys_at_random_meet_no_screen_that_was_not_walked(frame: str, seed: int) -> None:
    """Another guard of it: with the whole way back, and several wrong keys in a row."""
    met: set[str] = set()
    sequences(300, seed, [FRAMES[frame]], met)
    too_many = {BOOK.language(code).say("end.too_many", {}) for code in BOOK.languages}
    assert len(met) > 50
    assert {reply for reply in met if reply not in too_many} <= seen(walked(frame))


def test_the_walk_sees_an_option_that_fits_no_page() -> None:
    """Another guard of the guard: what is shown in pieces is not shown whole."""
    data, languages = menus.read()
    long = "Lipia bima ya afya ya jamii iliyoboreshwa ya familia yako yote leo hii hapa hapa"
    languages["sw"]["option"]["pay"] = long
    book = load_book(data, languages)
    shown = seen(explore(book, FRAMES["narrowest"], [CALLERS["expired"]]))
    assert not any(long in reply for reply in shown)


def test_every_channel_that_ships_has_a_kind_of_screen_that_is_walked() -> None:
    """A channel's own limits are among the frames, so that a new one is walked too."""
    on = {"secret": "s", "url": "http://127.0.0.1"}
    names = ("africastalking", "beem", "vodacom", "tigo", "airtel", "halotel")
    settings = Settings(**{name: on if name == "halotel" else {"secret": "s"} for name in names})
    walked_frames = {value._replace(entities=False) for value in FRAMES.values()}
    for mount in ussd_mounts(settings):
        assert mount.channel.profile.frame._replace(entities=False) in walked_frames, mount.channel.profile.name


@pytest.mark.parametrize("seed", range(4))
def test_keys_at_random_meet_no_exception_no_end_of_asking_and_no_oversize_screen(seed: int) -> None:
    """A thousand sequences each; a million by ``make walk-long``."""
    assert sequences(1_000, seed) > 3_000


def test_the_random_walk_sees_an_oversize_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("played.walk.cost", lambda frame, text: cost(frame, text) + 40)
    with pytest.raises(AssertionError):
        sequences(200, 1, [Frame(160)])
