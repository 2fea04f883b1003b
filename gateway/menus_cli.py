"""``imis-gateway menus``: check, draw and play a book of menus. Needs no database and no network."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import menus
from config.settings import Settings
from gateway.domain.ussd.book import Book, BookError, load_book
from gateway.domain.ussd.explore import FRAMES, MSISDN
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.samples import CALLERS
from gateway.domain.ussd.session import OTHER_NETWORK, Session

GOOD, WRONG, USAGE = 0, 1, 2


def check_arguments(parser: argparse.ArgumentParser) -> None:
    _folder(parser)


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of menus instead of those that ship")


def check(settings: Settings, arguments: argparse.Namespace) -> int:
    """Every fault in one line, or what was looked at."""
    from gateway.menu_tools.check import check as checked

    began = time.monotonic()
    book = _book(settings, arguments)
    if isinstance(book, int):
        return book
    report = checked(book, _channels(settings))
    for fault in report.faults:
        print(fault)
    print(
        f"{report.screens} screens in {report.menus} menus, {report.texts} texts in {', '.join(report.languages)}; "
        f"{report.edges:,} edges walked, {report.views:,} views laid out on {', '.join(report.frames)}; "
        f"the farthest screen is {report.deepest} keys away; {time.monotonic() - began:.1f} s"
    )
    print(f"{len(report.faults)} faults" if report.faults else "good")
    return WRONG if report.faults else GOOD


def misfits(settings: Settings) -> list[str]:
    """A sentence where the menus have faults on the screens of the channels that are on, or are none."""
    from gateway.menu_tools.check import check as checked

    try:
        book = load_book(*menus.read(settings.ussd.menus))
    except (OSError, ValueError):
        return ["the menus cannot be read; imis-gateway menus check says why"]
    faults = checked(book, _channels(settings)).faults
    counted = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
    return (
        [f"{counted} of the menus on the channels that are on; imis-gateway menus check says where"] if faults else []
    )


def draw_arguments(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--menu", metavar="NAME", help="this menu only (default: each, and the whole book)")
    parser.add_argument("--language", metavar="CODE", help="of the texts (default: the first of the book)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("var/menus"), help="default: %(default)s")


def draw(settings: Settings, arguments: argparse.Namespace) -> int:
    """Each menu as Mermaid text and as an SVG picture."""
    from gateway.menu_tools.chart import chart
    from gateway.menu_tools.mermaid import mermaid
    from gateway.menu_tools.svg import svg

    book = _book(settings, arguments)
    if isinstance(book, int):
        return book
    known = list(dict.fromkeys(screen.menu for screen in book.screens.values()))
    named = (("menu", arguments.menu, known), ("language", arguments.language, list(book.languages)))
    for what, name, names in named:
        if name is not None and name not in names:
            print(f"menus: no {what} {name!r}; there are {'; '.join(names)}", file=sys.stderr)
            return USAGE
    language = book.language(arguments.language or book.default_language)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for menu in [arguments.menu] if arguments.menu else ["", *known]:
        drawn = chart(book, language, menu)
        for ending, text in (("mmd", mermaid(drawn)), ("svg", svg(drawn))):
            path = arguments.out / f"{drawn.title}.{ending}"
            path.write_text(text, encoding="utf-8")
            print(path)
    return GOOD


def facts(_settings: Settings, _arguments: argparse.Namespace) -> int:
    """What menus may name, as Markdown."""
    from gateway.menu_tools.catalogue import catalogue

    print(catalogue(), end="")
    return GOOD


def play_arguments(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument(
        "--channel", metavar="NAME", help="a channel that is on, or a kind of screen (default: 160 septets)"
    )
    parser.add_argument("--language", metavar="CODE", help="what the phone reads (default: the first of the book)")
    parser.add_argument(
        "--caller", metavar="NAME", default="covered", help="who dials: covered, stranger, several, ..."
    )
    parser.add_argument("--network", metavar="NAME", help="the caller's, of those in the book")
    parser.add_argument("--dialled", metavar="KEYS", default="", help="answers inside the dialled code, like 1,1")
    parser.add_argument("--record", metavar="FILE", type=Path, help="write the last conversation there, as a test")


def play(settings: Settings, arguments: argparse.Namespace) -> int:
    """A phone in the terminal. Without one, each line of the input is a key, and a wrong word stops it."""
    from gateway.menu_tools.phone import HELP, Phone, UnknownWordError

    book = _book(settings, arguments)
    if isinstance(book, int):
        return book
    try:
        begun = _begun(book, settings, arguments)
    except ValueError as wrong:
        print(f"menus: {wrong}", file=sys.stderr)
        return USAGE
    typing = sys.stdin.isatty()
    if typing:
        print(HELP)
    keys = arguments.dialled.split(",") if arguments.dialled else ()
    phone = Phone(book, begun, arguments.caller, keys, print)
    for line in _lines(typing):
        try:
            if not phone.told(line):
                break
        except UnknownWordError as unknown:
            print(unknown, file=sys.stderr)
            if not typing:
                return USAGE
    if arguments.record:
        title = f"recorded: a {arguments.caller} phone"
        arguments.record.write_text(phone.recording.text(book, title), encoding="utf-8")
        print(f"recorded in {arguments.record}")
    return GOOD


def _begun(book: Book, settings: Settings, arguments: argparse.Namespace) -> Session:
    """The conversation before the phone dials. Raises ValueError for a name that is none."""
    frames = {**FRAMES, **_channels(settings)} if arguments.channel else {}
    named = (
        ("channel", arguments.channel, frames),
        ("language", arguments.language, book.languages),
        ("caller", arguments.caller, CALLERS),
        ("network", arguments.network, book.networks),
    )
    for what, name, known in named:
        if name is not None and name not in known:
            raise ValueError(f"no {what} {name!r}; there are {'; '.join(known)}")
    return Session(
        "played",
        arguments.channel or "played",
        MSISDN,
        arguments.language or book.default_language,
        frames[arguments.channel] if arguments.channel else Frame(),
        network=arguments.network or OTHER_NETWORK,
    )


def _lines(typing: bool) -> Iterator[str]:
    """What is typed; from a script each line is said, as it would stand on the terminal."""
    while True:
        if typing:
            print("> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if not typing:
            print(f"> {line.rstrip()}")
        yield line.rstrip("\r\n")


def _channels(settings: Settings) -> dict[str, Frame]:
    """What a screen may hold on each channel that is on."""
    from gateway.app import ussd_mounts

    profiles = (mount.channel.profile for mount in ussd_mounts(settings))
    return {profile.name: profile.frame for profile in profiles}


def _book(settings: Settings, arguments: argparse.Namespace) -> Book | int:
    """The book; else its faults have been said, and the exit code."""
    folder: Path | None = arguments.folder or settings.ussd.menus
    try:
        data, languages = menus.read(folder)
    except OSError as missing:
        print(f"menus: {missing.filename}: {missing.strerror}", file=sys.stderr)
        return USAGE
    except ValueError as wrong:
        print(wrong)
        return WRONG
    try:
        return load_book(data, languages)
    except BookError as wrong:
        print("\n".join(_placed(fault, data) for fault in wrong.faults))
        print(f"{len(wrong.faults)} faults")
        return WRONG


def _placed(fault: str, data: Mapping[str, Any]) -> str:
    """A fault of a screen with the file that it stands in before it."""
    named = re.match(r"screen (\S+):", fault)
    menu = data["screens"].get(named.group(1), {}).get("menu") if named else None
    return f"{menu}.toml: {fault}" if menu else fault
