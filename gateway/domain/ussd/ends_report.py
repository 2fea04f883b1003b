"""What the counts of screens say: for each menu, where those who came in went on and where they ended.

Shares are in tenths of a per cent, rounded half up, and None of nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from gateway.domain.ussd.book import Book, text_keys
from gateway.domain.ussd.ends import Place, ScreenEvent

PlaceCounts = Mapping[ScreenEvent, int]


@dataclass(frozen=True, slots=True)
class Ends:
    """Of those who were shown a screen: who went on, who ended with it, and how the others were lost.

    ``reached = went_on + last + served + hung_up + failed + cut + silent``, but for what lies astride the ends of the
    days asked for: a screen shown before midnight and left after it.
    """

    entered: int = 0  # from another menu, or by dialling
    reached: int = 0
    went_on: int = 0
    last: int = 0  # our last screen
    served: int = 0  # hung up or fell silent where the screen tells what one dials for (``goal``)
    hung_up: int = 0  # so the channel tells
    failed: int = 0  # so the channel tells: our reply or the network
    cut: int = 0  # by us: too many wrong answers or keys, or a fault
    silent: int = 0  # nobody tells; or it is still going on

    @property
    def lost(self) -> int:
        """All who neither went on, nor saw a last screen, nor what they had dialled for."""
        return self.hung_up + self.failed + self.cut + self.silent

    @property
    def ended(self) -> int:
        """All whose conversation was over here."""
        return self.last + self.served + self.lost


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """One place. ``said``: the beginning of its text, to know it by."""

    place: Place
    ends: Ends
    said: str


@dataclass(frozen=True, slots=True)
class MenuReport:
    """``rows``: where most are lost comes first. ``funnel``: the screens that ask something, by how many one is shown
    until one stands there, and at its end those that were the last."""

    menu: str
    total: Ends
    rows: tuple[ScreenRow, ...]
    funnel: tuple[tuple[ScreenRow, ...], ...]
    lasts: tuple[ScreenRow, ...]

    @property
    def elsewhere(self) -> int:
        """Who went on to another menu, as often as they did."""
        return max(0, self.total.entered - self.total.ended)


def share(part: int, whole: int) -> int | None:
    """In tenths of a per cent."""
    return (part * 2_000 + whole) // (2 * whole) if whole > 0 else None


def ends_of(counts: PlaceCounts, goal: bool = False) -> Ends:
    """How those who stayed were lost, for one channel: another's words say nothing of this one's.

    ``goal``: the screen tells what one dials for; who hangs up there is not lost.

    A told end that was taken back by a resumption is none. More than stayed cannot be lost, whatever was told: an end
    and a further turn may cross on the way.
    """
    number = {event: counts.get(event, 0) for event in ScreenEvent}
    stayed = max(0, number[ScreenEvent.SHOWN] - number[ScreenEvent.LEFT] - number[ScreenEvent.FINAL])
    cut = min(number[ScreenEvent.CUT], stayed)
    words = number[ScreenEvent.HUNG_UP] + number[ScreenEvent.FAILED] - number[ScreenEvent.RESUMED]
    told = min(max(0, words), stayed - cut)
    failed = min(number[ScreenEvent.FAILED], told)
    hung_up, silent = told - failed, stayed - cut - told
    return Ends(
        entered=number[ScreenEvent.ENTERED],
        reached=number[ScreenEvent.SHOWN],
        went_on=number[ScreenEvent.LEFT],
        last=number[ScreenEvent.FINAL],
        served=hung_up + silent if goal else 0,
        hung_up=0 if goal else hung_up,
        failed=failed,
        cut=cut,
        silent=0 if goal else silent,
    )


def summed(several: Iterable[Ends]) -> Ends:
    """The sum, figure by figure."""
    listed = list(several)
    return Ends(*(sum(getattr(ends, figure.name) for ends in listed) for figure in fields(Ends)))


def report(
    book: Book, counted: Iterable[tuple[str, Place, ScreenEvent, int]], language: str = ""
) -> tuple[MenuReport, ...]:
    """From sums by channel, place and event; the menus where most are lost first.

    ``language``: of what screens say; the book's first where it is none of the book's.
    """
    by_place: dict[Place, dict[str, dict[ScreenEvent, int]]] = defaultdict(lambda: defaultdict(dict))
    for channel, place, event, count in counted:
        events = by_place[place][channel]
        events[event] = events.get(event, 0) + count
    rows = [
        ScreenRow(
            place,
            summed(ends_of(counts, _is_goal(book, place)) for counts in channels.values()),
            first_words(book, place.screen, language),
        )
        for place, channels in by_place.items()
    ]
    menus = [_menu(book, menu, [r for r in rows if r.place.menu == menu]) for menu in {p.menu for p in by_place}]
    return tuple(sorted(menus, key=lambda menu: (-menu.total.lost, menu.menu)))


def _is_goal(book: Book, place: Place) -> bool:
    return place.screen in book.screens and book.screens[place.screen].goal


def _menu(book: Book, menu: str, rows: Sequence[ScreenRow]) -> MenuReport:
    ordered = tuple(sorted(rows, key=lambda row: (-row.ends.lost, -row.ends.last, row.place)))
    levels, steps = depths(book, menu), defaultdict[int, list[ScreenRow]](list)
    for row in rows:
        name = row.place.screen
        if name in levels and book.screens[name].kind != "end":
            steps[levels[name]].append(row)
    funnel = tuple(tuple(sorted(steps[n], key=lambda row: (-row.ends.reached, row.place))) for n in sorted(steps))
    lasts = sorted((row for row in rows if row.ends.last), key=lambda row: (-row.ends.last, row.place))
    return MenuReport(menu, summed(row.ends for row in rows), ordered, funnel, tuple(lasts))


def depths(book: Book, menu: str) -> dict[str, int]:
    """How many screens of the menu one is shown, at least, until one stands there: 1 for those that are entered.

    A way back by 0 or 00 and the way of a fact that does not come are no ways forward.
    """
    inside = {name for name, screen in book.screens.items() if screen.menu == menu}
    entered = {after for name in book.screens if name not in inside for after in shown_after(book, name)}
    if book.start in book.screens:
        entered |= shown_from(book, book.start)
    level = {name: 1 for name in sorted(entered & inside)}
    edge = list(level)
    while edge:
        following = [after for name in edge for after in sorted(shown_after(book, name) & inside) if after not in level]
        depth = level[edge[0]] + 1
        edge = list(dict.fromkeys(following))
        level.update(dict.fromkeys(edge, depth))
    return level


def shown_after(book: Book, name: str) -> set[str]:
    """The screens that an answer on this one may lead to; none for a route, which shows nothing."""
    screen = book.screens[name]
    if screen.kind == "route":
        return set()
    targets = {option.goto for option in screen.options} | ({screen.goto} if screen.goto else set())
    return {shown for target in targets for shown in shown_from(book, target)}


def shown_from(book: Book, name: str) -> set[str]:
    """The screens that going to this one may show: itself, or what lies behind a route."""
    found, waiting, known = set[str](), [name], set[str]()
    while waiting:
        screen = book.screens[waiting.pop()]
        if screen.name in known:
            continue
        known.add(screen.name)
        if screen.kind == "route":
            waiting.extend(route.goto for route in screen.routes)
        else:
            found.add(screen.name)
    return found


def first_words(book: Book, name: str, language: str = "") -> str:
    """The first line of a screen that says something by itself; of variants the first.

    What is filled in is left out.
    """
    screen = book.screens.get(name)
    keys = text_keys(book, screen) if screen is not None else []
    template = book.language(language).texts.get(keys[0]) if keys else None
    if template is None:
        return ""
    text = "".join(literal + ("…" if path else "") for literal, path, _ in template.parts)
    return next((line for line in text.split("\n") if any(map(str.isalpha, line))), "")
