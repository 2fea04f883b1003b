"""The whole check of a book: what is wrong, and what was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.explore import FRAMES, EndlessError, UnfoundError, explore
from gateway.domain.ussd.frame import Frame
from gateway.menu_tools.check_screens import ONE_PAGE, distances, screen_faults, views
from gateway.menu_tools.check_texts import text_faults
from gateway.menu_tools.check_ways import way_faults
from gateway.menu_tools.faults import Fault, at


@dataclass(frozen=True, slots=True)
class Report:
    """``edges``: keys pressed, each with one of its outcomes; ``deepest``: keys to the screen that is farthest away."""

    faults: tuple[Fault, ...]
    screens: int
    menus: int
    texts: int
    languages: tuple[str, ...]
    edges: int = 0
    views: int = 0
    deepest: int = 0
    frames: tuple[str, ...] = ()


def check(book: Book, channels: Mapping[str, Frame]) -> Report:
    """``channels``: the frame of each channel that is on. Every kind of screen that ships is looked at besides."""
    frames = _named(channels)
    faults = [*text_faults(book, frames), *way_faults(book)]
    edges, seen = [], []
    try:
        edges = explore(book, ONE_PAGE)
        seen = views(book, edges)
        used = {name: frame for name, frame in frames.items() if frame in channels.values()}
        faults += screen_faults(book, edges, seen, frames, used)
    except EndlessError as endless:
        faults.append(Fault(str(endless)))
    except UnfoundError as unfound:  # nothing behind it can be walked
        faults.append(at(book, unfound.screen, unfound.what))
    return Report(
        faults=tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.menu, fault.screen, *fault))),
        screens=len(book.screens),
        menus=len({screen.menu for screen in book.screens.values()}),
        texts=sum(len(language.texts) for language in book.languages.values()),
        languages=tuple(language.name for language in book.languages.values()),
        edges=len(edges),
        views=len(seen),
        deepest=max(distances(edges).values(), default=0),
        frames=tuple(frames),
    )


def _named(channels: Mapping[str, Frame]) -> dict[str, Frame]:
    """One name a frame: channels that have the same go by all their names, a kind of screen by its own."""
    by_frame: dict[Frame, list[str]] = {}
    for name, frame in channels.items():
        by_frame.setdefault(frame, []).append(name)
    for kind, frame in FRAMES.items():
        by_frame.setdefault(frame, [f"{kind!r} screens"])
    return {", ".join(names): frame for frame, names in by_frame.items()}
