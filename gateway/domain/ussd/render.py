"""Screens in a channel's own units: never over its limit, never an item cut in two, 'more' and 'back' counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.domain.ussd.frame import Frame, clean, cost

_SHORTEST_LINE = "a" * 20


def lacking(nav: str, more: str, frame: Frame) -> int:
    """Units that a page lacks for a line of twenty letters beside both ways about; 0 where it has them."""
    page = "\n".join(clean(frame, line) for line in (_SHORTEST_LINE, more, nav) if line)
    return max(0, cost(frame, page) - frame.room)


def paginate(lines: Sequence[str], nav: str, more: str, frame: Frame) -> list[str]:
    """The lines on as few pages as the frame allows; ``nav`` ends every page, ``more`` all but the last.

    A page breaks lines with ``\\n``; the channel sends its own line break, which is counted here.
    """
    nav, more = clean(frame, nav), clean(frame, more)
    cleaned = [clean(frame, line) for line in lines if line]
    tail = [nav] if nav else []
    room = frame.room
    whole = "\n".join([*cleaned, *tail])
    if cost(frame, whole) <= room:
        return [whole]

    def fits(*page: str) -> bool:
        return cost(frame, "\n".join([*page, more, *tail])) <= room

    assert not lacking(nav, more, frame), "the channel leaves no room for a screen"
    pages: list[list[str]] = [[]]
    for line in (piece for full in cleaned for piece in _pieces(full, fits)):
        if pages[-1] and not fits(*pages[-1], line):
            pages.append([])
        pages[-1].append(line)
    last = len(pages) - 1
    return ["\n".join([*page, *([more] if number < last else []), *tail]) for number, page in enumerate(pages)]


def _pieces(line: str, fits: Callable[[str], bool]) -> list[str]:
    """A line that is longer than a page, broken at spaces (or hard, for a word without any)."""
    if fits(line):
        return [line]
    pieces: list[str] = [""]
    for word in line.split(" "):
        while not fits(word):
            cut = next(n for n in range(len(word), 0, -1) if fits(word[:n]))
            pieces.append(word[:cut])
            word = word[cut:]
        joined = f"{pieces[-1]} {word}" if pieces[-1] else word
        if fits(joined):
            pieces[-1] = joined
        else:
            pieces.append(word)
    return [piece for piece in pieces if piece]
