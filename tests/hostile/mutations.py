"""Valid messages spoilt in every way that came to mind, from a seed: the same seed gives the same bytes.

A message is spoilt one to three times. It then goes out under its old signature, which no longer fits (the gate must
hold), or signed anew by the right key (the parser behind the gate must hold by itself).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Spoil = Callable[[random.Random, bytes], bytes]
Sign = Callable[[bytes], bytes]  # the base64 signature of a message under its own generation

_ELEMENT = re.compile(rb"<([A-Za-z0-9]+)>([^<]*)</\1>")
_TAG = re.compile(rb"</?[A-Za-z0-9]+>")

NUMBERS = [
    "3e4",
    "30000e0",
    "1E400",
    "NaN",
    "Infinity",
    "-0",
    "-30000",
    "+30000",
    "0",
    "0.00",
    "0x7530",
    "030000",
    "30000.",
    ".5",
    "30,000.00",
    "30000.005",
    "30'000",
    "1e-400",
    "99999999999999999",
    "３００００",
    "٣٠٠٠٠",
    "30000;7101",
    "true",
    "null",
]
TEXTS = (
    *NUMBERS,
    "",
    " ",
    "9" * 20_000,
    "0." + "0" * 20_000 + "1",
    "x" * 5_000,
    "\u202e\u200b\ufeff",
    "\U0001f600" * 300,
    "2025-13-45T99:99:99",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59",
    "2025-11-10T12:00:26+99:99",
    "' OR 1=1 --",
    "%s%n{0}${jndi:ldap://127.0.0.1/x}",
    "../../etc/passwd",
    "7101;7242;7101",
    "7101" * 2_000,
    "&amp;amp;lt;",
    "]]&gt;",
)
ENTITIES = (
    b"&x;", b"&#0;", b"&#xD800;", b"&#x110000;", b"&#xFFFE;", b"&#55555555555555555555;", b"&lt;PaidAmt&gt;", b"&amp",
    b"&;", b"&#;", b"&#x;", b"%x;", b"&" * 2_000, b"&amp;" * 20_000, b"&lt;" * 20_000,
)  # fmt: skip
BYTES = (
    b"\x00", b"\x00" * 500, b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc0\xbc", b"\xc1\xbf", b"\xe0\x80\xbc",
    b"\x80",
    b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf0\x80\x80\xbc", b"\xf8\x88\x80\x80\x80", b"\xff", b"\x1b[2J", b"\x08",
    b"\x0b", b"\x7f", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbf\xbe", b"\r", b"\r\n", b"<", b">", b"&", b"<<", b"<>",
    b"</>", b"<!", b"<?",
)  # fmt: skip


def _place(rng: random.Random, message: bytes) -> int:
    return rng.randrange(len(message) + 1)


def _insert(rng: random.Random, message: bytes, inserted: bytes) -> bytes:
    at = _place(rng, message)
    return message[:at] + inserted + message[at:]


def _between_elements(rng: random.Random, message: bytes, inserted: bytes) -> bytes:
    ends = [match.end() for match in _TAG.finditer(message)][:-1] or [0]
    at = rng.choice(ends)
    return message[:at] + inserted + message[at:]


def _with_value(rng: random.Random, message: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """The message with one leaf made anew from its name and text."""
    leaves = list(_ELEMENT.finditer(message))
    if not leaves:
        return message + b"<"
    leaf = rng.choice(leaves)
    return message[: leaf.start()] + change(leaf[1], leaf[2]) + message[leaf.end() :]


def bit_flipped(rng: random.Random, message: bytes) -> bytes:
    at = rng.randrange(len(message) or 1)
    return message[:at] + bytes([message[at] ^ (1 << rng.randrange(8))]) + message[at + 1 :] if message else b"\x01"


def bytes_removed(rng: random.Random, message: bytes) -> bytes:
    at = _place(rng, message)
    return message[:at] + message[at + rng.choice((1, 1, 2, 5, 40, 300)) :]


def bytes_inserted(rng: random.Random, message: bytes) -> bytes:
    return _insert(rng, message, rng.choice((rng.choice(BYTES), rng.randbytes(rng.randint(1, 8)))))


def part_doubled(rng: random.Random, message: bytes) -> bytes:
    start, end = sorted((_place(rng, message), _place(rng, message)))
    return message[:end] + message[start:end] + message[end:]


def truncated(rng: random.Random, message: bytes) -> bytes:
    return message[: _place(rng, message)]


def tags_swapped(rng: random.Random, message: bytes) -> bytes:
    tags = sorted(set(re.findall(rb"</?([A-Za-z0-9]+)>", message))) or [b"a", b"b"]
    one, other = rng.choice(tags), rng.choice(tags)

    def swap(match: re.Match[bytes]) -> bytes:
        return match[1] + (other if match[2] == one else one if match[2] == other else match[2]) + b">"

    return re.sub(rb"(</?)([A-Za-z0-9]+)>", swap, message)


def end_tag_changed(rng: random.Random, message: bytes) -> bytes:
    ends = list(re.finditer(rb"</[A-Za-z0-9]+>", message))
    if not ends:
        return message + b"</a>"
    end = rng.choice(ends)
    return (
        message[: end.start()]
        + rng.choice((b"", b"</a>", b"</>", b"<a/>", b"</a ", end[0].upper()))
        + message[end.end() :]
    )


def element_doubled(rng: random.Random, message: bytes) -> bytes:
    return _with_value(rng, message, lambda name, text: b"<%b>%b</%b>" % (name, text, name) * rng.choice((2, 3, 500)))


def element_removed(rng: random.Random, message: bytes) -> bytes:
    return _with_value(rng, message, lambda _name, _text: b"")


def element_in_itself(rng: random.Random, message: bytes) -> bytes:
    return _with_value(rng, message, lambda name, text: b"<%b><%b>%b</%b></%b>" % (name, name, text, name, name))


def value_replaced(rng: random.Random, message: bytes) -> bytes:
    value = rng.choice(TEXTS).encode()
    return _with_value(rng, message, lambda name, _text: b"<%b>%b</%b>" % (name, value, name))


def value_between_spaces(rng: random.Random, message: bytes) -> bytes:
    space = rng.choice(("\n", "\r\n\t", "\u00a0", "\u3000", "\u2028", " " * 10_000)).encode()
    return _with_value(rng, message, lambda name, text: b"<%b>%b%b%b</%b>" % (name, space, text, space, name))


def entity_inserted(rng: random.Random, message: bytes) -> bytes:
    return _insert(rng, message, rng.choice(ENTITIES))


def in_another_encoding(rng: random.Random, message: bytes) -> bytes:
    text = message.decode("utf-8", "replace").replace("Asha", "Ésha")
    return text.encode(
        rng.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "latin-1", "cp037")), "replace"
    )


def nested(rng: random.Random, message: bytes) -> bytes:
    depth = rng.choice((2, 11, 12, 15, 16, 17, 100, 3_000))
    return _with_value(
        rng, message, lambda _name, text: b"<a>" * depth + text + b"</a>" * rng.choice((depth, 0, depth + 1))
    )


def attribute_added(rng: random.Random, message: bytes) -> bytes:
    attribute = rng.choice(
        (
            b'a="1"', b"a='1' a='2'", b'a="' + b"x" * 9_000 + b'"', b'a="<"', b'a="&x;"', b"a", b"a=1", b'a=">"',
            b"xml:id='1'",
            b" ".join(b'a%d=""' % n for n in range(900)), b'xml:space="preserve"', b'xml:base="http://127.0.0.1/"',
        )
    )  # fmt: skip
    return _with_value(rng, message, lambda name, text: b"<%b %b>%b</%b>" % (name, attribute, text, name))


def namespaced(rng: random.Random, message: bytes) -> bytes:
    return _with_value(
        rng,
        message,
        lambda name, text: rng.choice(
            (
                b'<%b xmlns="urn:x">%b</%b>' % (name, text, name),
                b'<x:%b xmlns:x="urn:x">%b</x:%b>' % (name, text, name),
                b"<x:%b>%b</x:%b>" % (name, text, name),
                b'<%b xmlns:x="urn:x">%b</%b>' % (name, text, name),
            )
        ),
    )


def cdata(rng: random.Random, message: bytes) -> bytes:
    inside = rng.choice((b"", b"</PayRefId>", b"<![CDATA[", b"<!DOCTYPE a>", b"]]", b"\x00", b"x" * 3_000))
    end = rng.choice((b"]]>", b"]]>", b"]]", b""))
    return _with_value(rng, message, lambda name, text: b"<%b><![CDATA[%b%b%b</%b>" % (name, text, inside, end, name))


def commented(rng: random.Random, message: bytes) -> bytes:
    return _between_elements(rng, message, rng.choice((b"<!-- c -->", b"<!--", b"<!-- -- -->", b"<!---->", b"-->")))


def instructed(rng: random.Random, message: bytes) -> bytes:
    return _between_elements(
        rng,
        message,
        rng.choice((b"<?php x?>", b"<?xml version='1.0'?>", b"<?", b"<?xml-stylesheet href='http://127.0.0.1/'?>")),
    )


def text_between_elements(rng: random.Random, message: bytes) -> bytes:
    return _between_elements(rng, message, rng.choice((b"7101", b"signature", b"\xc2\xa0", b"\n \n")))


def signature_inside(rng: random.Random, message: bytes) -> bytes:
    inside = (b"<signature>AAAA</signature>", b"<gepgSignature/>", b"</Gepg>", b"<Gepg>", b"</signature>")
    return _between_elements(rng, message, rng.choice(inside))


ANYWHERE: tuple[Spoil, ...] = (
    bit_flipped, bytes_removed, bytes_inserted, part_doubled, truncated, tags_swapped, end_tag_changed, element_doubled,
    element_removed, element_in_itself, value_replaced, value_replaced, value_between_spaces, entity_inserted,
    in_another_encoding, nested, attribute_added, namespaced, cdata, commented, instructed, text_between_elements,
    signature_inside,
)  # fmt: skip


def doctypes(trap: str, canary: str) -> tuple[bytes, ...]:
    """Document types that expand without end or fetch what is elsewhere. ``trap``: an address that nobody may call."""
    laughs = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return tuple(
        text.encode()
        for text in (
            f"<!DOCTYPE Gepg [{laughs}]>",
            f'<!DOCTYPE Gepg [<!ENTITY l9 "{"x" * 50_000}">]>',  # quadratic, where it is named often
            f'<!DOCTYPE Gepg [<!ENTITY l9 SYSTEM "{canary}">]>',
            f'<!DOCTYPE Gepg [<!ENTITY l9 SYSTEM "{trap}/entity">]>',
            f'<!DOCTYPE Gepg SYSTEM "{trap}/external.dtd">',
            f'<!DOCTYPE Gepg PUBLIC "-//X" "{trap}/public.dtd">',
            f'<!DOCTYPE Gepg [<!ENTITY % p SYSTEM "{trap}/parameter">%p;]>',
            "<!DOCTYPE Gepg [<!ENTITY l9 '&l9;'>]>",
            "<!doctype gepg>",
            "<!DOCTYPE",
        )
    )


def _envelopes(raw: bytes, tag: bytes, signed: bytes) -> tuple[bytes, ...]:
    """One message and its signature, put together as it should not be, or as only some do."""
    s = b"<%b>%b</%b>" % (tag, signed, tag)
    other = b"signature" if tag == b"gepgSignature" else b"gepgSignature"
    return (
        b"<Gepg>%b%b</Gepg>" % (s, raw),
        b"<Gepg>%b%b%b</Gepg>" % (raw, s, s),
        b"<Gepg>%b%b%b</Gepg>" % (raw, raw, s),
        b"<Gepg>%b<%b>%b</%b></Gepg>" % (raw, other, signed, other),
        b"<Gepg>%b</Gepg>" % raw,
        b"<Gepg>%b<%b/></Gepg>" % (raw, tag),
        b"<Gepg>%b<%b>%b</%b></Gepg>" % (raw, tag, b"A" * 100_000, tag),
        b"<Gepg>%b<%b>%b\xff</%b></Gepg>" % (raw, tag, signed, tag),
        b"<Gepg>%b<%b>%b</%b></Gepg>" % (raw, tag, signed[::-1], tag),
        b"<Gepg xmlns='urn:x' a='>'>%b%b</Gepg>" % (raw, s),
        b"<gepg>%b%b</gepg>" % (raw, s),
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?>\r\n<Gepg>%b\r\n%b</Gepg>\r\n" % (raw, s),
        b"<?xml version='1.0'?><?xml version='1.0'?><Gepg>%b%b</Gepg>" % (raw, s),
        b"<Gepg>%b%b</Gepg>\x00" % (raw, s),
        b"<Gepg>%b%b</Gepg><Gepg>%b%b</Gepg>" % (raw, s, raw, s),
        b"%b%b" % (raw, s),
        (b"<Gepg>%b%b</Gepg>" % (raw, s)).decode("utf-8", "replace").encode("utf-16"),
    )


def _large(rng: random.Random, message: bytes) -> bytes:
    """Near the limit of what is read."""
    size = rng.choice((300_000, 900_000))
    kinds = (
        b"<a>",
        b"<a/>",
        b"<a></a>",
        b"<a b='",
        b"<![CDATA[",
        b"x",
        b"&amp;",
        b"<",
        b"</a>",
        b" ",
        b"\x00",
        b"<a b=''/>",
    )
    kind = rng.choice(kinds)
    return _between_elements(rng, message, kind * (size // len(kind)))


@dataclass(frozen=True)
class Mutant:
    """``body`` as it is posted to ``route``. ``is_signed``: signed anew after it was spoilt, by the right key."""

    case: str
    route: str
    body: bytes
    is_signed: bool
    how: tuple[str, ...]


@dataclass
class Mutator:
    """``valid``: messages by name, whose first word is the route. ``large_every``: how rare those of a megabyte are."""

    valid: Mapping[str, bytes]
    sign: Sign
    seed: int = 1
    trap: str = "http://127.0.0.1:9"
    canary: str = "file:///etc/hostname"
    large_every: int = 100
    _signed: dict[str, bytes] = field(default_factory=dict)

    def mutants(self, count: int) -> Iterator[Mutant]:
        """So many, half of them signed anew; each is made when it is asked for."""
        rng = random.Random(self.seed)
        names = sorted(self.valid)
        self._signed = {name: self.sign(self.valid[name]) for name in names}
        expanding = doctypes(self.trap, self.canary)
        for number in range(count):
            yield self._mutant(rng, number, rng.choice(names), expanding)

    def _mutant(self, rng: random.Random, number: int, name: str, expanding: Sequence[bytes]) -> Mutant:
        valid = self.valid[name]
        is_signed, how, raw = number % 2 == 0, [], valid
        if number % self.large_every in (0, 1):
            raw, how = _large(rng, raw), ["large"]
        elif number % 10 in (4, 5):
            raw, how = self._with_doctype(rng, raw, expanding), ["doctype"]
        else:
            for spoil in rng.choices(ANYWHERE, k=rng.choice((1, 1, 1, 2, 3))):
                raw = spoil(rng, raw)
                how.append(spoil.__name__)
        tag = b"gepgSignature" if valid.startswith(b"<gepg") else b"signature"
        signed = self.sign(raw) if is_signed else self._signed[name]
        body = b"<Gepg>%b<%b>%b</%b></Gepg>" % (raw, tag, signed, tag)
        if number % 10 in (6, 7):
            body = rng.choice(_envelopes(raw if number % 20 < 10 else valid, tag, signed))
            how.append("envelope")
        elif number % 10 == 4:
            body = rng.choice(expanding) + body
        elif number % 40 == 9:
            body = rng.choice(ANYWHERE)(rng, body)
            how.append("outside")
        route = rng.choice(("bills", "payments")) if number % 7 == 0 else name.split()[0]
        return Mutant(name, route, body, is_signed, tuple(how))

    def _with_doctype(self, rng: random.Random, raw: bytes, expanding: Sequence[bytes]) -> bytes:
        used = _with_value(
            rng, raw, lambda name, _text: b"<%b>%b</%b>" % (name, b"&l9;" * rng.choice((1, 1, 5_000)), name)
        )
        doctype = rng.choice(expanding)
        return doctype + used if rng.random() < 0.5 else _between_elements(rng, used, doctype)
