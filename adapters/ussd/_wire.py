"""What the channels' wires have in common: forms, JSON and XML read strictly, the phone, ids, ``CON``/``END`` text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_plus

from lxml import etree

from gateway.domain.msisdn import normalise
from gateway.domain.ussd.frame import Frame, sent
from gateway.ports import HttpReply, InboundRequest, Screen

MAX_BODY_BYTES: Final = 16 * 1024
MAX_QUERY_BYTES: Final = 48 * 1024  # every character of an answer may be escaped in three
MAX_FIELDS: Final = 32
MAX_ID: Final = 100  # characters of a session's id
MAX_CODE: Final = 100  # characters of a service code, a network code
_LONGEST_TURN_ID: Final = 64
_REMEMBERED: Final = 8_192  # short texts that come over and over
_SHORT: Final = 100  # characters: a longer one is nobody's phone or code, and many of them would fill the memory

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json; charset=utf-8"
XML: Final = "text/xml; charset=utf-8"
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class UnreadableError(ValueError):
    """The request is no turn of this channel. The message is for our logs and never holds a value of theirs."""


# ---------------------------------------------------------------------------------------------------------------- forms


def form_fields(request: InboundRequest) -> dict[str, str]:
    """The fields of a POSTed form, or of a GET's query. Raises UnreadableError."""
    if request.method == "GET":
        return _form(request.query.encode("utf-8", "surrogatepass"), MAX_QUERY_BYTES)
    return _form(request.body, MAX_BODY_BYTES)


def query_fields(request: InboundRequest) -> dict[str, str]:
    """The fields of a GET's query. Raises UnreadableError for a POST too."""
    if request.method != "GET":
        raise UnreadableError("not a GET")
    return form_fields(request)


def _form(form: bytes, limit: int) -> dict[str, str]:
    """As ``urllib.parse.parse_qsl``, strict and with blank values, at a third of its cost: most turns come this way."""
    if len(form) > limit:
        raise UnreadableError(f"more than {limit} bytes")
    if form.count(b"&") >= MAX_FIELDS:
        raise UnreadableError(f"more than {MAX_FIELDS} fields")
    fields: dict[str, str] = {}
    try:
        for piece in form.decode().split("&"):
            name, _, value = piece.partition("=")
            if "%" in piece or "+" in piece:
                name, value = _unescaped(name), _unescaped(value)
            if name in fields:
                raise UnreadableError("a field occurs twice")
            if piece:
                fields[name] = value
    except UnicodeError:
        raise UnreadableError("not UTF-8") from None
    return fields


def _unescaped(text: str) -> str:
    return _remembered(text) if len(text) <= _SHORT else unquote_plus(text, errors="strict")


@lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str) -> str:
    """A few texts come over and over: the service code, a phone in every turn of its session."""
    return unquote_plus(text, errors="strict")


def folded(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields by lower-case name. Raises UnreadableError when two names differ in case only."""
    lower = {name.lower(): value for name, value in fields.items()}
    if len(lower) != len(fields):
        raise UnreadableError("a field occurs twice")
    return lower


# ----------------------------------------------------------------------------------------------------------- JSON, XML


def json_object(request: InboundRequest) -> dict[str, Any]:
    """The POSTed JSON object. Raises UnreadableError, for a name said twice too."""
    if len(request.body) > MAX_BODY_BYTES:
        raise UnreadableError(f"more than {MAX_BODY_BYTES} bytes")
    try:
        found = json.loads(request.body.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeError:
        raise UnreadableError("not UTF-8") from None
    except UnreadableError:
        raise
    except (ValueError, RecursionError):
        raise UnreadableError("not JSON") from None
    if not isinstance(found, dict):
        raise UnreadableError("no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a field occurs twice")
    return found


def said(found: Mapping[str, Any], name: str) -> str:
    """A JSON value that is a text or a whole number, as text; empty where it is missing, null or anything else."""
    value = found.get(name)
    if isinstance(value, str):
        return "".join(c if not "\ud800" <= c <= "\udfff" else "?" for c in value) if not value.isascii() else value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18 else ""


def echoed(value: object) -> str | int | float | None:
    """A JSON value as it came, to be said again in the reply; null for a list, an object and what JSON has no word for.

    Python reads ``NaN`` and lists within lists that it cannot write again.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int) else None


def xml_fields(body: bytes, *path: str) -> dict[str, str]:
    """The texts below ``path``, by local name: peers differ in prefixes. Raises UnreadableError.

    A document type, entities of its own, comments and nested values are no message of a telephone.
    """
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableError(f"more than {MAX_BODY_BYTES} bytes")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        node = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):  # the parser's own words may quote a value
        raise UnreadableError("not well-formed XML") from None
    if node.getroottree().docinfo.doctype:
        raise UnreadableError("a document type")
    if _local(node) != path[0]:
        raise UnreadableError(f"no {path[0]}")
    for name in path[1:]:
        below = [child for child in node if _local(child) == name]
        if len(below) != 1:
            raise UnreadableError(f"no {name}")
        node = below[0]
    fields: dict[str, str] = {}
    for child in node:
        name = _local(child)
        if name in fields or len(child):
            raise UnreadableError("a value is said twice, or nested")
        fields[name] = child.text or ""
    return fields


def _local(node: Any) -> str:
    if not isinstance(node.tag, str):
        raise UnreadableError("comments or entities")
    return str(etree.QName(node).localname)


# --------------------------------------------------------------------------------------------------------------- values

_normalised = lru_cache(maxsize=_REMEMBERED)(normalise)


def session_id(fields: Mapping[str, str], name: str) -> str:
    """The session's id. Raises UnreadableError."""
    value = fields.get(name, "")
    if not value or value.isspace():
        raise UnreadableError(f"{name} is missing")
    if len(value) > MAX_ID or not value.isprintable():
        raise UnreadableError(f"{name} is too long or not printable")
    return value


def phone(fields: Mapping[str, str], name: str) -> str:
    """The caller's number, normalised. Raises UnreadableError for what is no Tanzanian mobile number."""
    value = fields.get(name, "")
    if not value or value.isspace():
        raise UnreadableError(f"{name} is missing")
    # an unescaped "+" has come through as a space, which it drops
    msisdn = _normalised(value) if len(value) <= _SHORT else None
    if msisdn is None:
        raise UnreadableError(f"{name} is no Tanzanian mobile number")
    return msisdn


def code(fields: Mapping[str, str], name: str) -> str:
    """A service or network code, empty where there is none. Raises UnreadableError."""
    value = fields.get(name, "")
    if len(value) > MAX_CODE or not value.isprintable():
        raise UnreadableError(f"{name} is too long or not printable")
    return value


def present(fields: Mapping[str, str], name: str) -> str:
    """A field that must be there, empty or not. Raises UnreadableError."""
    value = fields.get(name)
    if value is None:
        raise UnreadableError(f"{name} is missing")
    return value


def dialled(text: str, name: str) -> str:
    """A dialled code; some wires leave its ``#`` escaped once too often, or ``*`` too. Raises UnreadableError."""
    return code({name: _as_on_the_keypad(text.strip())}, name)


def last_input(fields: Mapping[str, str], name: str) -> str:
    """What was typed, empty or not. Where a code's ``#`` comes escaped, the key that turns pages does too.

    Raises UnreadableError where the field is missing.
    """
    return _as_on_the_keypad(present(fields, name))


def _as_on_the_keypad(text: str) -> str:
    return text.replace("%23", "#").replace("%2A", "*").replace("%2a", "*") if "%2" in text else text


def turn_id(*parts: str) -> str:
    """What tells a turn from others, short enough to be kept with the session."""
    whole = ":".join(parts)
    return whole if len(whole) <= _LONGEST_TURN_ID else hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


# -------------------------------------------------------------------------------------------------------------- replies


def con_end(screen: Screen, frame: Frame, headers: Mapping[str, str] = _NO_HEADERS) -> HttpReply:
    """``CON `` and the text where an input is expected, ``END `` and the text where the session is over."""
    text = ("END " if screen.final else "CON ") + sent(frame, screen.text)
    return HttpReply(200, TEXT, text.encode("utf-8", "replace"), headers)
