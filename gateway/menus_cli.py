"""``imis-gateway menus``: check, draw and play a book of menus. Needs no database and no network."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import menus
from config.settings import Settings
from gateway.domain.ussd.book import Book, BookError, load_book
from gateway.domain.ussd.frame import Frame

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
