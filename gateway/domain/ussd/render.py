"""Screens in real units: never over the channel's limit, never an item cut in two, 'more' and 'back' counted."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.domain.segments import plain, units

PREFIX_UNITS = 4  # "CON ": aggregators do not say whether it counts, so it does


def paginate(lines: Sequence[str], nav: str, more: str, limit: int) -> list[str]:
    """The lines on as few pages as fit ``limit`` units each; ``nav`` ends every page, ``more`` all but the last."""
    clean = [plain(line) for line in lines if line]
    tail = [nav] if nav else []
    whole = "\n".join([*clean, *tail])
    room = limit - PREFIX_UNITS
    if units(whole) <= room:
        return [whole]
    page_room = room - units("\n".join(["", *tail, more]))
    assert page_room > 20, "the channel leaves no room for a screen"
    pages: list[list[str]] = [[]]
    for line in (piece for full in clean for piece in _pieces(full, page_room)):
        if pages[-1] and units("\n".join([*pages[-1], line])) > page_room:
            pages.append([])
        pages[-1].append(line)
    last = len(pages) - 1
    return ["\n".join([*page, *([more] if number < last else []), *tail]) for number, page in enumerate(pages)]


def _pieces(line: str, room: int) -> list[str]:
    """A line that is longer than a page, broken at spaces (or hard, for a word without any)."""
    if units(line) <= room:
        return [line]
    pieces: list[str] = [""]
    for word in line.split(" "):
        while units(word) > room:
            cut = next(n for n in range(len(word), 0, -1) if units(word[:n]) <= room)
            pieces.append(word[:cut])
            word = word[cut:]
        joined = f"{pieces[-1]} {word}" if pieces[-1] else word
        if units(joined) <= room:
            pieces[-1] = joined
        else:
            pieces.append(word)
    return [piece for piece in pieces if piece]
