"""The words of ``imis-gateway menus ends``: where conversations end, menu by menu."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # other commands start without them
    from config.settings import Settings
    from gateway.domain.ussd.ends_report import MenuReport, ScreenRow
    from gateway.ports import UnitOfWork

USUAL_DAYS: Final = 7  # today's included
_LONGEST_TEXT: Final = 40  # characters of a screen's text in the table
_FIGURES: Final = ("reached", "went_on", "last", "served", "hung_up", "failed", "cut", "silent", "lost")
_SHARES: Final = ("lost %", "ends %")
_COLUMNS: Final = (
    "from", "to", "channel", "menu", "screen", "missed", "entered", *_FIGURES, "lost_of_reached", "ended_of_entered",
    "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose counts of which East African days, both included. None: every channel."""

    first: date
    last: date
    channel: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """What to print. ``wrong_use``: a sentence about the use instead of a report."""

    text: str
    wrong_use: bool = False


def arguments(parser: argparse.ArgumentParser) -> None:
    """``menus ends``."""
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="YYYY-MM-DD, East African; a week ago")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="that day included; today")
    parser.add_argument("--menu", metavar="NAME", help="one menu: the name of its file")
    parser.add_argument("--channel", metavar="NAME", help="one channel, as in its address")
    parser.add_argument(
        "--language", metavar="CODE", help="of the screens' texts: the name of its file; the book's first"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--csv", action="store_true")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a day: {text!r}") from None


async def report(uow: UnitOfWork, settings: Settings, options: argparse.Namespace) -> Written:
    """Read the sums and write them down."""
    import menus as shipped
    from gateway.domain.clock import eat_day
    from gateway.domain.ussd.book import load_book
    from gateway.domain.ussd.ends import Place
    from gateway.domain.ussd.ends_report import report as judged
    from gateway.service.clocks import SystemClock

    last = options.last or eat_day(SystemClock().now())
    asked = Asked(options.first or last - timedelta(days=USUAL_DAYS - 1), last, options.channel)
    if asked.first > asked.last:
        return Written(f"imis-gateway menus ends: {asked.first} is after {asked.last}", wrong_use=True)
    book = load_book(*shipped.read(settings.ussd.menus))
    if options.language is not None and options.language not in book.languages:
        told = f"there is no language {options.language!r}; there are {', '.join(book.languages)}"
        return Written(f"imis-gateway menus ends: {told}", wrong_use=True)
    async with uow.reading() as tx:
        counts = await tx.screens.between(asked.first, asked.last, options.menu, options.channel)
    known = sorted({screen.menu for screen in book.screens.values()})
    if options.menu and not counts and options.menu not in known:
        told = f"there is no menu {options.menu!r}; there are {', '.join(known)}"
        return Written(f"imis-gateway menus ends: {told}", wrong_use=True)
    placed = [(c.channel, Place(c.menu, c.screen, c.missed), c.event, c.count) for c in counts]
    found = judged(book, placed, options.language or "")
    if options.json:
        return Written(as_json(asked, found))
    return Written(as_csv(asked, found) if options.csv else "\n".join(as_table(asked, found)))


# --------------------------------------------------------------------------------------------------------------- table


def as_table(asked: Asked, menus: Sequence[MenuReport]) -> Iterator[str]:
    """For people: the columns are as wide as what they hold."""
    where = asked.channel or "every channel"
    yield f"{asked.first} to {asked.last}, {where}"
    if not menus:
        yield "nothing was counted"
    for menu in menus:
        yield ""
        yield from _menu_lines(menu)


def _menu_lines(menu: MenuReport) -> Iterator[str]:
    from gateway.domain.ussd.ends_report import share

    total = menu.total
    yield (
        f"{menu.menu.upper()}: entered {total.entered:,}, went to another menu {menu.elsewhere:,}, "
        f"last screen {total.last:,}, served {total.served:,}, "
        f"lost {total.lost:,} ({_percent(share(total.lost, total.entered))} %)"
    )
    heads = ["", *(name.replace("_", " ") for name in _FIGURES), *_SHARES]
    cells = [heads, *(_cells(row, total.entered) for row in menu.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line, said in zip(cells, ("", *(row.said for row in menu.rows)), strict=True):
        figures = (f"{cell:>{width}}" for cell, width in zip(line[1:], widths[1:], strict=True))
        yield "  ".join((f"{line[0]:{widths[0]}}", *figures, _short(said))).rstrip()
    yield "funnel: " + " > ".join(_steps(menu))
    if menu.lasts:
        yield "last screens: " + ", ".join(f"{_named(row)} {row.ends.last:,}" for row in menu.lasts)


def _cells(row: ScreenRow, entered: int) -> list[str]:
    from gateway.domain.ussd.ends_report import share

    shares = (share(row.ends.lost, row.ends.reached), share(row.ends.ended, entered))
    return [_named(row), *(f"{getattr(row.ends, name):,}" for name in _FIGURES), *map(_percent, shares)]


def _steps(menu: MenuReport) -> Iterator[str]:
    from gateway.domain.ussd.ends_report import share

    entered = menu.total.entered
    yield f"entered {entered:,}"
    for rows in menu.funnel:
        reached = sum(row.ends.reached for row in rows)
        named = ", ".join(f"{_named(row)} {row.ends.reached:,}" for row in rows)
        yield f"{named} ({_percent(share(reached, entered))} %)"
    if menu.lasts:
        yield f"last screen {menu.total.last:,} ({_percent(share(menu.total.last, entered))} %)"


def _named(row: ScreenRow) -> str:
    """``try_later without bill``: shown because that fact did not come in time."""
    return f"{row.place.screen} without {row.place.missed}" if row.place.missed else row.place.screen


def _percent(tenths: int | None) -> str:
    return "-" if tenths is None else f"{tenths // 10}.{tenths % 10}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1].rstrip() + "…"


# -------------------------------------------------------------------------------------------------------- for machines


def _fields(menu: MenuReport, row: ScreenRow) -> dict[str, Any]:
    from gateway.domain.ussd.ends_report import share

    return {
        "screen": row.place.screen,
        "missed": row.place.missed,
        **asdict(row.ends),
        "lost": row.ends.lost,
        "lost_of_reached": _percent(share(row.ends.lost, row.ends.reached)),
        "ended_of_entered": _percent(share(row.ends.ended, menu.total.entered)),
        "text": row.said,
    }


def as_json(asked: Asked, menus: Sequence[MenuReport]) -> str:
    """Shares are in per cent, as text with one decimal; ``-`` where there is none."""
    return json.dumps(
        {
            "from": f"{asked.first}",
            "to": f"{asked.last}",
            "channel": asked.channel,
            "menus": [
                {
                    "menu": menu.menu,
                    "entered": menu.total.entered,
                    "elsewhere": menu.elsewhere,
                    "last": menu.total.last,
                    "served": menu.total.served,
                    "lost": menu.total.lost,
                    "screens": [_fields(menu, row) for row in menu.rows],
                    "funnel": [[_reached(row) for row in rows] for rows in menu.funnel],
                }
                for menu in menus
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _reached(row: ScreenRow) -> dict[str, Any]:
    return {"screen": row.place.screen, "missed": row.place.missed, "reached": row.ends.reached}


def as_csv(asked: Asked, menus: Sequence[MenuReport]) -> str:
    """A line a screen."""
    out = io.StringIO()
    days = {"from": asked.first, "to": asked.last, "channel": asked.channel or ""}
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**days, "menu": menu.menu, **_fields(menu, row)} for menu in menus for row in menu.rows)
    return out.getvalue().removesuffix("\n")
