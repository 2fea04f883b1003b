"""GePG envelopes: `<Gepg>` + message element + `<signature>…</signature></Gepg>`, nothing between them.

v4 says `gepgSignature`. The signature covers the message element with its own tags, exactly as sent. What is parsed
afterwards is those very bytes, so no second element can ride along unsigned. Stricter than real peers on purpose: a
witness should notice.
"""

import html
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import TypeAlias

from sandbox.generation import BY_NAME, V5, Generation
from sandbox.keys import KeyRing

Node: TypeAlias = "tuple[str, str | Sequence[Node]]"

_ENVELOPES = {
    each.name: re.compile(
        rb"(?:<\?xml[^>]{0,100}\?>\s*)?<Gepg>(?P<element><(?P<tag>[A-Za-z]{1,40})>.*</(?P=tag)>)"
        rb"<%(name)b>(?P<signature>[A-Za-z0-9+/=]{1,2000})</%(name)b></Gepg>\s*" % {b"name": each.signature.encode()},
        re.DOTALL,
    )
    for each in BY_NAME.values()
}


class Unreadable(ValueError):
    """Not a message of the expected form (7242)."""


class BadSignature(ValueError):
    """No signature, or one that does not belong to these bytes and this peer (7303)."""


def render(node: Node) -> str:
    """XML text of a tree of (tag, text or children); no whitespace, no declaration."""
    tag, content = node
    inner = html.escape(content, quote=False) if isinstance(content, str) else "".join(map(render, content))
    return f"<{tag}>{inner}</{tag}>"


def seal(node: Node, keys: KeyRing, generation: Generation = V5, layout: int = 0) -> bytes:
    """The signed envelope that goes on the wire. `layout` sets the message apart from others of the same content."""
    element, name = _spread(render(node), layout), generation.signature
    return f"<Gepg>{element}<{name}>{keys.sign(element.encode(), generation)}</{name}></Gepg>".encode()


def _spread(element: str, layout: int) -> str:
    """A line break after the elements that the bits of `layout` name. White space inside is signed like all else."""
    ends = itertools.count()
    return re.sub(r"(</\w+>)(?=<)", lambda end: end[0] + ("\n" if layout >> next(ends) & 1 else ""), element)


def unseal(raw: bytes, keys: KeyRing, tag: str, generation: Generation = V5) -> ET.Element:
    """Verify the raw bytes, then parse what was verified.

    Raises BadSignature, or Unreadable when the envelope has another form or holds another message than `tag`.
    """
    if f"<{generation.signature}>".encode() not in raw:
        raise BadSignature("no signature element")
    match = _ENVELOPES[generation.name].fullmatch(raw)
    if match is None:
        raise Unreadable("not <Gepg>, one element, its signature, </Gepg> without whitespace between")
    if not keys.verify(match["element"], match["signature"].decode("ascii"), generation):
        raise BadSignature("the signature does not fit the bytes")
    if match["tag"].decode("ascii") != tag:
        raise Unreadable(f"{tag} expected")
    return parse(match["element"])


def parse(element: bytes) -> ET.Element:
    """Parse UTF-8 XML that declares no document type. Raises Unreadable."""
    try:
        text = element.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise Unreadable("a document type is refused")
    try:
        return ET.fromstring(text)  # noqa: S314 - no DTD can be present, so no entity can be declared or fetched
    except ET.ParseError as error:
        raise Unreadable(f"not well-formed: {error}") from None


def text_of(parent: ET.Element, tag: str) -> str:
    """The text of a direct child; '' when it is missing or empty."""
    return parent.findtext(tag) or ""
