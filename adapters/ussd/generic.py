"""A channel described by settings alone: a form, a GET's query or JSON in, text or JSON out.

``inputs`` tells what the input field holds: ``all`` inputs of the session joined with ``*``, or the ``last`` one.
Fields are named by their place: ``payload.response`` is a field of an object inside the JSON object.

The JSON reply is a template. In it ``$text`` stands for the screen, ``$state`` for the word that says whether an input
is awaited, and ``$in.NAME`` for the request's field of that name, as it came: a text, a number, true or false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.ussd._wire import (
    JSON,
    TEXT,
    UnreadableError,
    code,
    dialled,
    echoed,
    form_fields,
    json_object,
    last_input,
    phone,
    present,
    query_fields,
    said,
    session_id,
    turn_id,
)
from gateway.domain.ussd.frame import sent
from gateway.ports import (
    ChannelProfile,
    Ended,
    EndStatus,
    HttpReply,
    InboundRequest,
    Malformed,
    Noted,
    Screen,
    Turn,
)

_ECHO: Final = "$in."


@dataclass(frozen=True)
class GenericUssd:
    """See ``config.settings.GenericUssdSettings`` for what each field means."""

    profile: ChannelProfile
    request: str = "form"  # form, query, json
    inputs: str = "all"  # all, last
    session_field: str = "sessionId"
    phone_field: str = "phoneNumber"
    input_field: str = "text"
    code_field: str = ""
    network_field: str = ""
    networks: Mapping[str, str] = field(default_factory=dict, hash=False)
    network: str = ""
    turn_field: str = ""
    event_field: str = ""
    first_events: tuple[str, ...] = ()
    end_events: tuple[str, ...] = ()
    continue_word: str | bool | int = "CON "
    end_word: str | bool | int = "END "
    reply: Mapping[str, Any] | None = field(default=None, hash=False)  # None: the word and the text

    def parse(self, request: InboundRequest) -> Turn | Ended | Malformed:
        """The turn, or the end of the session, by the fields that the settings name."""
        found: Mapping[str, Any] | None = None
        try:
            found = self._fields(request)
            return self._heard(found)
        except UnreadableError as why:
            return Malformed(str(why), echo=found)

    def _fields(self, request: InboundRequest) -> Mapping[str, Any]:
        if self.request == "json":
            return json_object(request)
        return query_fields(request) if self.request == "query" else form_fields(request)

    def _heard(self, found: Mapping[str, Any]) -> Turn | Ended:
        names = (self.session_field, self.phone_field, self.input_field, self.code_field, self.network_field)
        fields = {name: text for name in names if name and (text := _at(found, name)) is not None}
        session, msisdn = session_id(fields, self.session_field), phone(fields, self.phone_field)
        event = _at(found, self.event_field) or ""
        if event in self.end_events:
            return Ended(session, msisdn, EndStatus.INCOMPLETE, echo=found)
        text = present(fields, self.input_field)
        service_code = dialled(fields.get(self.code_field, ""), self.code_field) if self.code_field else ""
        told = code(fields, self.network_field) if self.network_field else ""
        network = self._called(told) or self.network or None
        if self.inputs == "all":
            return Turn(session, msisdn, service_code, text, network=network, echo=found)
        number = _at(found, self.turn_field) or ""
        same = turn_id(event, number, text) if number else ""
        first = event in self.first_events if self.first_events else None
        if first:
            opened = dialled(text, self.input_field) or service_code
            return Turn(session, msisdn, opened, network=network, first=True, turn_id=same, echo=found)
        key = last_input(fields, self.input_field)
        return Turn(session, msisdn, service_code, key=key, network=network, first=first, turn_id=same, echo=found)

    def _called(self, told: str) -> str:
        """In the menus. Without regard to case: a setting that comes as an environment variable has none."""
        return next((called for name, called in self.networks.items() if name.lower() == told.lower()), told)

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """The word that continues or ends, and the text, in the shape of the settings."""
        text, word = sent(self.profile.frame, screen.text), self.end_word if screen.final else self.continue_word
        return self._reply(text, word, heard.echo if heard else None)

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """The session is over: no text."""
        return self._reply("", self.end_word, event.echo if isinstance(event, Ended) else None)

    def _reply(self, text: str, word: str | bool | int, echo: Mapping[str, Any] | None) -> HttpReply:
        if self.reply is None:
            return HttpReply(200, TEXT, f"{word}{text}".encode("utf-8", "replace"))
        body = _filled(self.reply, text, word, echo or {})
        return HttpReply(200, JSON, json.dumps(body, separators=(",", ":")).encode())


def _at(found: Mapping[str, Any], place: str) -> str | None:
    """The text at a place; None where there is none. JSON's true and false read as 1 and 0."""
    value = _raw(found, place)
    if isinstance(value, bool):
        return "1" if value else "0"
    return None if value is None else said({place: value}, place)


def _raw(found: Mapping[str, Any], place: str) -> Any:
    value: Any = found
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _filled(template: Any, text: str, word: str | bool | int, echo: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {name: _filled(inner, text, word, echo) for name, inner in template.items()}
    if isinstance(template, list):
        return [_filled(inner, text, word, echo) for inner in template]
    if template == "$text":
        return text
    if template == "$state":
        return word
    if isinstance(template, str) and template.startswith(_ECHO):
        return echoed(_raw(echo, template.removeprefix(_ECHO)))
    return template


CHANNEL = GenericUssd
