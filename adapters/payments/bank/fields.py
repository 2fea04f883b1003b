"""Strict JSON and its fields: numbers stay text until they are read exactly, nothing is said twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.domain.clock import EAT

from .limits import MAX_REFERENCE, MAX_TEXT, UnreadableError

_REFERENCE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._/-]{{0,{MAX_REFERENCE - 1}}}")
_NUMBER = re.compile(r"[0-9]{1,30}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MOMENT = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
Fields = Mapping[str, Any]


class Number(str):
    """A JSON number as it was spelt."""

    __slots__ = ()


def read_object(body: bytes) -> Fields:
    """The JSON object in the body. Raises UnreadableError: other encodings, NaN, a name twice, too deep a nesting."""
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(
            text, parse_float=Number, parse_int=Number, parse_constant=_no_constant, object_pairs_hook=_once
        )
    except UnreadableError:
        raise
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise UnreadableError("the body is not a JSON object")
    return value


def _no_constant(_text: str) -> Any:
    raise UnreadableError("NaN and Infinity are no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a name occurs twice in one object")
    return found


def text_in(fields: Fields, name: str, longest: int = MAX_TEXT) -> str | None:
    """A text, without the spaces around it; None where it is missing, null or empty. Control characters are refused."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str:
        raise UnreadableError(f"{name}: a text is expected")
    value = value.strip()
    if len(value) > longest or not value.isprintable():  # lone surrogates are not printable either
        raise UnreadableError(f"{name}: too long, or not printable")
    return value or None


def needed(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    """A text of this form. Raises UnreadableError where it is missing."""
    value = text_in(fields, name)
    if value is None or not pattern.fullmatch(value):
        raise UnreadableError(f"{name}: missing, or not in its form")
    return value


def reference_in(fields: Fields) -> str:
    """The bank's own reference."""
    return needed(fields, "reference", _REFERENCE)


def currency_in(fields: Fields) -> str:
    """An ISO 4217 code."""
    return needed(fields, "currency", _CURRENCY)


def number_in(fields: Fields) -> tuple[str | None, str | None]:
    """``control_number`` or ``chfid``: exactly one, in digits; spaces as on our SMS are let go."""
    found = [text_in(fields, name) for name in ("control_number", "chfid")]
    control_number, chfid = (value.replace(" ", "") if value is not None else None for value in found)
    number = control_number or chfid or ""
    if (control_number is None) == (chfid is None) or not _NUMBER.fullmatch(number):
        raise UnreadableError("control_number or chfid: exactly one of them, in digits")
    return control_number, chfid


def moment_in(fields: Fields, name: str) -> datetime:
    """A moment of this century; East African where it names no zone."""
    text = needed(fields, name, _MOMENT)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError(f"{name}: no such moment") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=EAT)
