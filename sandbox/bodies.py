"""Small helpers for the JSON side of the sandbox."""

import json
from datetime import datetime

from aiohttp import web

from sandbox import clock


async def object_from(request: web.Request) -> dict[str, object]:
    """The JSON object in the body. Raises HTTP 400 with a JSON error otherwise."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return body


def bad_request(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": sentence}), content_type="application/json")


def text_in(body: dict[str, object], name: str, default: str | None = None, longest: int = 200) -> str:
    """A text field. Raises HTTP 400 when it is missing without a default, no text, or too long."""
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > longest:
        raise bad_request(f"{name}: a text of at most {longest} characters is expected")
    return value


def moment_in(body: dict[str, object], now: datetime) -> datetime | None:
    """`at`: an East African time of day, no offset; or `day`: that day at the present time of day. Raises HTTP 400."""
    at, day = text_in(body, "at", ""), text_in(body, "day", "")
    if not at and not day:
        return None
    moment = clock.from_wire(at or f"{day}T{now:%H:%M:%S}")
    if (at and day) or moment is None or moment > now:
        raise bad_request("at: a past time like 2026-01-31T23:59:59; or day: like 2026-01-31; not both")
    return moment


def flag_in(body: dict[str, object], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise bad_request(f"{name}: true or false")
    return value


def count_in(body: dict[str, object], name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise bad_request(f"{name}: 1 to {most}")
    return value


def with_plus(number: str) -> str:
    """'+2557…' whether the plus came through, became a space (as in a query), or was left out."""
    digits = number.strip().removeprefix("+").strip()
    return "+" + digits if digits else ""
