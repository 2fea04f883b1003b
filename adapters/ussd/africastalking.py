"""Africa's Talking USSD: the form that comes with every key press, and the ``CON``/``END`` text that answers it.

Source: Africa's Talking USSD pages. The wire is cumulative: ``text`` holds every input of the session joined with
``*``, is empty on the first dial, and holds the extra segments of a dial string (``*384*123*1*2#`` gives ``1*2``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

from gateway.domain.msisdn import normalise
from gateway.ports import ChannelProfile, HttpReply, InboundRequest, Malformed, Screen, Turn

MAX_BODY_BYTES: Final = 16 * 1024
MAX_FIELDS: Final = 32  # six are documented
MAX_SESSION_ID: Final = 100  # characters; theirs have 38
MAX_CODE: Final = 100  # characters of serviceCode, networkCode

_CONTENT_TYPE: Final = "text/plain; charset=utf-8"


class AfricasTalkingUssd:
    """The UssdChannel of Africa's Talking. Nothing in its callback is signed: the route's secret guards it."""

    # 160 is what Africa's Talking states for its narrowest operator; whether "CON " counts it does not say.
    profile: Final = ChannelProfile(name="africastalking", max_units=160, reply_deadline_s=10.0, session_ttl_s=180)

    def parse(self, request: InboundRequest) -> Turn | Malformed:
        """The turn in a POSTed form or a GET query. ``Turn.network`` is their networkCode (64004 = Vodacom TZ)."""
        try:
            form = request.query.encode() if request.method == "GET" else request.body
            if len(form) > MAX_BODY_BYTES:
                return Malformed(f"more than {MAX_BODY_BYTES} bytes")
            fields = _fields(form.decode())
        except UnicodeError:
            return Malformed("not UTF-8")
        except ValueError:
            return Malformed(f"more than {MAX_FIELDS} fields")
        if fields is None:
            return Malformed("a field occurs twice")
        return _turn(fields)

    def render(self, screen: Screen, turn: Turn | None = None) -> HttpReply:
        """``CON `` and the text where an input is expected, ``END `` and the text where the session is over."""
        text = ("END " if screen.final else "CON ") + screen.text
        return HttpReply(200, _CONTENT_TYPE, text.encode("utf-8", "replace"))


def _fields(form: str) -> dict[str, str] | None:
    """As ``urllib.parse.parse_qsl``, strict and with blank values, at a third of its cost: every turn comes this way.

    None when a field occurs twice.
    """
    if form.count("&") >= MAX_FIELDS:
        raise ValueError("too many fields")
    fields: dict[str, str] = {}
    for piece in form.split("&"):
        name, _, value = piece.partition("=")
        if "%" in piece or "+" in piece:
            name, value = _unquoted(name), _unquoted(value)
        if name in fields:
            return None
        if piece:
            fields[name] = value
    return fields


@lru_cache(maxsize=8_192)
def _unquoted(text: str) -> str:
    """A few texts come over and over: the service code, a phone in every turn of its session."""
    return unquote_plus(text, errors="strict")


_normalised = lru_cache(maxsize=8_192)(normalise)


def _turn(fields: dict[str, str]) -> Turn | Malformed:
    session_id = fields.get("sessionId", "")
    if not session_id or session_id.isspace():
        return Malformed("sessionId is missing")
    if len(session_id) > MAX_SESSION_ID or not session_id.isprintable():
        return Malformed("sessionId is too long or not printable")
    phone = fields.get("phoneNumber", "")
    if not phone or phone.isspace():
        return Malformed("phoneNumber is missing")
    msisdn = _normalised(phone)  # an unescaped "+" has come through as a space, which it drops
    if msisdn is None:
        return Malformed("phoneNumber is no Tanzanian mobile number")
    transcript = fields.get("text")
    if transcript is None:
        return Malformed("text is missing")
    service_code = fields.get("serviceCode", "")
    if len(service_code) > MAX_CODE or not service_code.isprintable():
        return Malformed("serviceCode is too long or not printable")
    network = fields.get("networkCode", "")
    if len(network) > MAX_CODE or not network.isprintable():
        return Malformed("networkCode is too long or not printable")
    return Turn(session_id, msisdn, service_code, transcript, network=network or None)
