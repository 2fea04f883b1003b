"""Small helpers for the JSON side of the sandbox."""

import json

from aiohttp import web


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
