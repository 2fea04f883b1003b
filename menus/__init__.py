"""Menus and languages as data: ``book.toml`` and, one file each, the menus in ``screens/`` and ``languages/``."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any


def read(folder: Path | None = None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The book with the screens of every menu, and every language. ``folder`` replaces the menus that ship.

    Raises ValueError for a file that is no TOML and a screen that two menus have, OSError where a file is missing.
    """
    root: Traversable = folder or files(__name__)
    book = _read(root / "book.toml")
    screens: dict[str, dict[str, Any]] = {}
    for menu, named in _parsed(root / "screens").items():
        for name, screen in named.items():
            if not isinstance(screen, dict):
                raise ValueError(
                    f"{menu}.toml: {name!r} stands in no screen: a screen begins with its name in brackets"
                )
            if name in screens:
                raise ValueError(f"screen {name}: in the menu {screens[name]['menu']} and in {menu}")
            screens[name] = {**screen, "menu": menu}
    return {**book, "screens": screens}, _parsed(root / "languages")


def _parsed(folder: Traversable) -> dict[str, dict[str, Any]]:
    """Every TOML file of the folder, by its name."""
    return {
        item.name.removesuffix(".toml"): _read(item)
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".toml")
    }


def _read(file: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except UnicodeDecodeError as wrong:
        raise ValueError(f"{file.name}: is not saved as UTF-8") from wrong
    except RecursionError as wrong:
        raise ValueError(f"{file.name}: too deep a nesting") from wrong
    except ValueError as wrong:
        raise ValueError(f"{file.name}: {wrong}") from wrong
