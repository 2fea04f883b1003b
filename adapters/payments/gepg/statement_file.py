"""A day's account as a file of any size: cut, verified as a stream, and framed, before its lines are parsed.

What is believed, and why:

1. The cut. The file's first and last 64 KiB without what lies between the message's start tag and its end tag are a
   small envelope, which ``open_envelope`` opens under the rules of every other message. So there is one message, one
   place where it starts and one where it ends, and nothing beside it but signatures and white space; where the ends are
   decided by bytes alone. What is hidden between is not looked at yet.
2. The signature covers exactly the bytes ``[start:end]``, hashed as they go by. No parser sees a byte before it held.
3. Nothing but tags. Between ``start`` and ``end`` no ``<!`` and no ``<?`` occurs, so there is no comment, CDATA
   section, document type or processing instruction, and XML allows a bare ``<`` nowhere else but at a tag. Hence the
   end tag of a line, found as bytes, is the end tag of a line, and never text that somebody wrote into a name.
4. The frame. Everything around the lines, from ``start`` to the container's start tag and from its end tag to ``end``,
   is put together and parsed strictly as one small element that holds one empty container.
5. The lines (``statement_lines``). What is between the two tags of the container is split after every end tag of a
   line, without a gap, wherever it is read from; each piece must be, but for white space before it, one well-formed
   line, or it is a fault.

If no piece is a fault, the signed bytes as a whole are therefore one well-formed element of the expected structure. A
file that is anything else (a second message within the signed bytes, a line inside another, text between lines) has a
fault that is shown, and what is taken from it is still nothing but whole lines that GePG signed. The file must not
change between the verification and the reading; the caller owns it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .envelope import open_envelope
from .generation import V4, generation_of
from .limits import UnreadableError
from .signing import verify_digest
from .xmltree import Element, parse

_WINDOW = 1 << 16  # at either end: the frame around the lines takes a few hundred bytes, a signature 344
_BLOCK = 1 << 20
_NO_TAG = re.compile(rb"<[!?]")


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the message is: its bytes at ``[start:end]`` of the file.

    ``signature`` is the last of its generation, base64 and not decoded, None without any. ``head`` are the message's
    first bytes, not believed.
    """

    name: str
    start: int
    end: int
    signature: bytes | None
    head: bytes


def cut(file: BinaryIO, roots: Collection[str]) -> Cut:
    """Find the one message, which must be called like one of ``roots``. Raises UnreadableError; parses nothing."""
    size = file.seek(0, os.SEEK_END)
    head, tail = read_at(file, 0, min(size, _WINDOW)), read_at(file, max(0, size - _WINDOW), _WINDOW)
    names = "|".join(map(re.escape, roots))
    opening = re.search(rf"<({names})(?:[ \t\r\n][^<>]*)?>".encode(), head)
    if opening is None:
        raise UnreadableError("the file holds no statement")
    name = opening[1].decode("ascii")
    closing = tail.rfind(f"</{name}".encode())
    if closing < 0 or size - len(tail) + closing < opening.end():
        raise UnreadableError("the statement is cut off")
    small = head[: opening.end()] + tail[closing:]
    envelope = open_envelope(small)
    message = envelope.only_message()
    if message.start != opening.start():
        raise UnreadableError("the file holds no statement")
    signatures = envelope.signatures_of(generation_of(name))
    start, end = message.start, size - (len(small) - message.end)
    return Cut(name, start, end, signatures[-1] if signatures else None, head[start:end])


@dataclass(frozen=True, slots=True)
class Verified:
    """``is_signed``: by one of the keys, over exactly the message's bytes. ``only_tags``: each ``<`` begins a tag."""

    is_signed: bool
    only_tags: bool


def verify_file(file: BinaryIO, found: Cut, keys: Iterable[RSAPublicKey]) -> Verified:
    """One pass over the message's bytes, in bounded memory. Raises UnreadableError where they are not all there."""
    generation = generation_of(found.name)
    digest = hashlib.sha1(usedforsecurity=False) if generation is V4 else hashlib.sha256()
    position, last, only_tags = found.start, b"", True
    while position < found.end:
        block = read_at(file, position, min(_BLOCK, found.end - position))
        if not block:
            raise UnreadableError("the statement is cut off")
        digest.update(block)
        only_tags = only_tags and has_only_tags(last + block)
        position, last = position + len(block), block[-1:]
    signature = found.signature
    is_signed = signature and verify_digest(keys, digest.digest(), signature, generation.algorithm)
    return Verified(bool(is_signed), only_tags)


def has_only_tags(data: bytes) -> bool:
    """Whether no comment, CDATA section, document type or processing instruction begins in these bytes."""
    # The two characters are rare, and one is found much faster than a pair.
    return (b"!" not in data and b"?" not in data) or _NO_TAG.search(data) is None


@dataclass(frozen=True, slots=True)
class Frame:
    """The message without its lines, and where these are in the file: ``[first:last]``, empty for a day without any."""

    message: Element
    first: int
    last: int


def frame(file: BinaryIO, start: int, end: int, container: str) -> Frame:
    """Parse what is around the lines, strictly. Only for bytes whose signature held. Raises UnreadableError."""
    head = read_at(file, start, min(end - start, _WINDOW))
    opening = re.search(rf"<{container}(?:[ \t\r\n][^<>]*)?>".encode(), head)
    if opening is None or opening[0].endswith(b"/>"):
        return _frame_without_lines(head, start, end, container)
    tail_start = max(start + opening.end(), end - _WINDOW)
    tail = read_at(file, tail_start, end - tail_start)
    closing = tail.rfind(f"</{container}".encode())
    if closing < 0:
        raise UnreadableError(f"{container} does not end where it should")
    message = parse(head[: opening.end()] + tail[closing:])
    _check_empty(message.group(container))
    return Frame(message, start + opening.end(), tail_start + closing)


def _frame_without_lines(head: bytes, start: int, end: int, container: str) -> Frame:
    if len(head) != end - start:
        raise UnreadableError(f"{container} does not begin where it should")
    message = parse(head)
    for found in message.groups(container):
        _check_empty(found)
    return Frame(message, end, end)


def _check_empty(container: Element) -> None:
    if container.children or container.text:
        raise UnreadableError(f"the lines of {container.name} cannot be told apart")


def read_at(file: BinaryIO, position: int, length: int) -> bytes:
    """The file's bytes at a place; fewer only at its end."""
    file.seek(position)
    return file.read(length)
