"""The phone in the browser: its page, and the list of demo numbers."""

import json
import logging
from importlib import resources

from aiohttp import web

from sandbox.settings import Settings

log = logging.getLogger("sandbox")

_PAGES = {
    "/": ("phone.html", "text/html"),
    "/phone": ("phone.html", "text/html"),
    "/phone.css": ("phone.css", "text/css"),
    "/phone.js": ("phone.js", "text/javascript"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def routes(settings: Settings) -> list[web.RouteDef]:
    async def page(request: web.Request) -> web.Response:
        name, content_type = _PAGES[request.path]
        text = (resources.files("sandbox") / name).read_text("utf-8")
        return web.Response(text=text, content_type=content_type, headers=_HEADERS)

    async def phones(request: web.Request) -> web.Response:
        return web.json_response(_read_phones(settings))

    async def set_up(request: web.Request) -> web.Response:
        return web.json_response({"service_codes": settings.service_codes})

    pages = [web.get(path, page) for path in _PAGES]
    return [*pages, web.get("/sandbox/phones", phones), web.get("/sandbox/setup", set_up)]


def _read_phones(settings: Settings) -> list[dict[str, str]]:
    """[{"msisdn", "who"}] from the file, read anew each time so that a later seeding shows; [] if there is none."""
    if settings.phones is None:
        return []
    try:
        entries = json.loads(settings.phones.read_text("utf-8"))
        return [{"msisdn": str(entry["msisdn"]), "who": str(entry.get("who", ""))} for entry in entries][:1000]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("phones file: %s", type(error).__name__)
        return []
