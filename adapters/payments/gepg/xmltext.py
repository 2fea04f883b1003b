"""Writing XML: plain text, built once and never serialised again, since the signature covers these very bytes."""

from __future__ import annotations

import re

# What XML 1.0 forbids, and the control characters that it allows but nobody can read.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def clean(value: str, limit: int | None = None) -> str:
    """One line of text: runs of white space become one space, control characters go, cut to ``limit`` characters."""
    line = _FORBIDDEN.sub("", " ".join(value.split()))
    return line if limit is None else line[:limit].rstrip()


def leaf(name: str, value: str, limit: int | None = None) -> str:
    """``<name>value</name>``; the limit counts characters before escaping."""
    return f"<{name}>{clean(value, limit).translate(_ESCAPES)}</{name}>"


def group(name: str, *children: str) -> str:
    """An element around elements that are XML already, with no white space between."""
    return f"<{name}>{''.join(children)}</{name}>"
