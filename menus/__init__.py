"""Menus and languages as data: ``book.toml`` holds the screens, one file a language their texts."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any


def read(folder: Path | None = None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The book and every language file beside it, parsed. ``folder`` replaces the menus that ship with the product."""
    root = folder or files(__name__)
    parsed = {
        item.name.removesuffix(".toml"): tomllib.loads(item.read_text(encoding="utf-8"))
        for item in root.iterdir()
        if item.name.endswith(".toml")
    }
    book = parsed.pop("book")
    return book, parsed
