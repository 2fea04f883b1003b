"""The envelope ``<Gepg>message<signature>…</signature></Gepg>`` (v4: ``gepgSignature``), on raw bytes.

GePG signs the message element as it goes over the wire, from the ``<`` of its start tag to the ``>`` of its end tag,
with no canonicalisation. So the bytes are cut out before any XML parser runs, and what is parsed later is this very
slice. The cutter follows tags and depth, hence the word "signature" in a value or a name means nothing to it, and an
element hidden in another one is never taken for a message. It is tolerant only of what peers were seen to send
around the elements: a BOM, a declaration (whatever encoding it claims; the bytes are UTF-8), white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from .generation import GENERATIONS, V5, Generation, generation_of
from .limits import MAX_BODY_BYTES, MAX_DEPTH, MAX_TAGS, TooLargeError, UnreadableError
from .signing import sign, verify

_BOM = b"\xef\xbb\xbf"
_ENVELOPE = b"Gepg"
_SIGNATURES = {each.signature.encode(): each for each in GENERATIONS.values()}
_CDATA = b"<![CDATA["
_CDATA_END = b"]]>"
_SPACE = re.compile(rb"[ \t\r\n]*+")
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n][^<>?]*+\?>")
# XML allows ">" but no "<" in a quoted attribute. Single characters are repeated possessively and no two neighbours
# share one, so hostile bytes make nothing back-track. Groups are not: Python before 3.11.5 goes on where a possessive
# group has failed half-way, and takes <Gepg a> for a tag. Sixteen attributes: messages have none, each costs memory.
_TAG = re.compile(
    rb"<(?:"
    rb"/(?P<end>[A-Za-z_][A-Za-z0-9_.:-]*+)[ \t\r\n]*+>"
    rb"|(?P<start>[A-Za-z_][A-Za-z0-9_.:-]*+)(?:>|"  # nearly all end here
    rb"""(?:[ \t\r\n]++[A-Za-z_][A-Za-z0-9_.:-]*+[ \t\r\n]*+=[ \t\r\n]*+(?:"[^"<]*+"|'[^'<]*+')){0,16}"""
    rb"(?P<empty>[ \t\r\n]*+/)?[ \t\r\n]*+>))"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message element: its name, and its exact bytes at ``[start:end]`` of the body."""

    name: str
    start: int
    end: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stood between ``<Gepg>`` and ``</Gepg>``, in order. ``signatures`` are base64, not yet decoded."""

    body: bytes
    messages: tuple[Message, ...]
    signatures: tuple[tuple[Generation, bytes], ...]

    def signatures_of(self, generation: Generation) -> tuple[bytes, ...]:
        """Those in the element that this generation's messages are signed in."""
        return tuple(content for own, content in self.signatures if own is generation)

    def is_signed(self, message: Message, keys: Iterable[RSAPublicKey]) -> bool:
        """Whether the last signature of the message's own generation is by one of the keys, over its exact bytes.

        The last counts, as with the receivers that most peers were tested against.
        """
        generation = generation_of(message.name)
        found = self.signatures_of(generation)
        return bool(found) and verify(keys, message.raw, found[-1], generation.algorithm)

    def only_message(self) -> Message:
        """The one message. Raises UnreadableError when there is none, or a second one that could be mistaken for it."""
        if len(self.messages) != 1:
            raise UnreadableError(f"the envelope holds {len(self.messages)} messages")
        return self.messages[0]

    def is_signed_beside_another(self, message: Message, keys: Sequence[RSAPublicKey]) -> bool:
        """The same for one of two messages in one body, as some installations answer.

        What the signature covers then is not said anywhere: the message by itself, or the whole between.
        """
        generation = generation_of(message.name)
        last = self.signatures_of(generation)[-len(self.messages) :]
        return any(
            verify(keys, data, each, generation.algorithm) for each in last for data in (message.raw, self.between())
        )

    def between(self) -> bytes:
        """The bytes from the first message's start to the last one's end."""
        return self.body[self.messages[0].start : self.messages[-1].end] if self.messages else b""


def seal(element: str, key: RSAPrivateKey, generation: Generation = V5) -> bytes:
    """Sign an element and put it in its envelope.

    No white space anywhere between: some receivers verify everything up to the signature element.
    """
    signature = sign(key, element.encode("utf-8"), generation.algorithm)
    return f"<Gepg>{element}<{generation.signature}>{signature}</{generation.signature}></Gepg>".encode()


def open_envelope(body: bytes) -> Envelope:
    """Cut a body into messages and signatures. Believes nothing: the caller verifies, then parses.

    Raises TooLargeError beyond the size limit, UnreadableError for anything but the envelope, whole and alone.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLargeError("the body is too large")
    if body.count(b"<") > MAX_TAGS:
        raise UnreadableError("the body has too many elements")
    opening = _tag(body, _prologue_end(body))
    if opening["start"] != _ENVELOPE or opening["empty"]:
        raise UnreadableError("there is no Gepg element around the message")
    messages: list[Message] = []
    signatures: list[tuple[Generation, bytes]] = []
    position = _skip_space(body, opening.end())
    while (tag := _tag(body, position))["end"] is None:
        inner_end, end = _element_end(body, tag)
        generation = _SIGNATURES.get(tag["start"])
        if generation is not None:
            signatures.append((generation, _signature(body[tag.end() : inner_end])))
        else:
            messages.append(Message(tag["start"].decode("ascii"), position, end, body[position:end]))
        position = _skip_space(body, end)
    if tag["end"] != _ENVELOPE or _skip_space(body, tag.end()) != len(body):
        raise UnreadableError("the envelope does not end as it should")
    return Envelope(body, tuple(messages), tuple(signatures))


def _prologue_end(body: bytes) -> int:
    start = _skip_space(body, len(_BOM) if body.startswith(_BOM) else 0)
    declaration = _DECLARATION.match(body, start)
    return _skip_space(body, declaration.end()) if declaration else start


def _skip_space(body: bytes, position: int) -> int:
    space = _SPACE.match(body, position)
    return space.end() if space else position


def _tag(body: bytes, position: int) -> re.Match[bytes]:
    tag = _TAG.match(body, position)
    if tag is None:
        raise UnreadableError("there is something else where an element's tag belongs")
    return tag


def _element_end(body: bytes, start: re.Match[bytes]) -> tuple[int, int]:
    """Where the element's end tag begins and where it ends."""
    if start["empty"]:
        return start.end(), start.end()
    depth, position = 1, start.end()
    find, match = body.find, _TAG.match  # every tag of every message comes by here
    while True:
        position = find(b"<", position)
        if position < 0:
            raise UnreadableError("the message is cut off")
        tag = match(body, position)
        if tag is None:
            position = _cdata_end(body, position)
            continue
        kind = tag.lastgroup
        if kind == "start":
            depth += 1
            if depth > MAX_DEPTH:
                raise UnreadableError("the message is nested too deeply")
        elif kind == "end":
            depth -= 1
            if depth == 0:
                break
        position = tag.end()
    if tag["end"] != start["start"]:
        raise UnreadableError("an end tag does not belong to its start tag")
    return position, tag.end()


def _cdata_end(body: bytes, position: int) -> int:
    """Where the CDATA section ends that begins here. Raises UnreadableError where there is none."""
    if not body.startswith(_CDATA, position):
        raise UnreadableError("there is something else where an element's tag belongs")
    end = body.find(_CDATA_END, position)
    if end < 0:
        raise UnreadableError("the message is cut off")
    return end + len(_CDATA_END)


def _signature(content: bytes) -> bytes:
    if b"<" in content:
        raise UnreadableError("the signature holds something else")
    return content


def plain_id(raw: bytes, name: str) -> str | None:
    """A message's id for an acknowledgement that refuses it: plain characters, said once, else None.

    The bytes are not believed, so no XML parser sees them. ``name`` is empty where messages have no id.
    """
    if not name:
        return None
    tag = name.encode("ascii")
    if raw.count(b"<" + tag) != 1:
        return None
    found = re.search(b"<" + tag + rb">[ \t\r\n]*([A-Za-z0-9._:/-]{1,100})[ \t\r\n]*</" + tag + b">", raw)
    return found[1].decode("ascii") if found else None
