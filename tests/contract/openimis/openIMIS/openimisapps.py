"""The list of installed modules, under the name at which openIMIS' report module looks for it."""

from __future__ import annotations

from settings import OPENIMIS_APPS


def openimis_apps() -> list[str]:
    """The modules of this installation."""
    return OPENIMIS_APPS
