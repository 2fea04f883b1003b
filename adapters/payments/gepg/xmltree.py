"""Reading XML: one strict parser, and elements asked for by name, never by place."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from .limits import MAX_BODY_BYTES, MAX_DEPTH, TooLargeError, UnreadableError


@dataclass(slots=True)
class Element:
    """An element with either text or children; ``text`` has no white space around it. Nobody changes one.

    Not frozen all the same: that makes each of a message's twenty three times as dear to make.
    """

    name: str
    text: str
    children: tuple[Element, ...] = ()
    _index: dict[str, list[Element]] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def _named(self) -> dict[str, list[Element]]:
        """A message is asked for a dozen of its children."""
        if self._index is None:
            self._index = {}
            for child in self.children:
                self._index.setdefault(child.name, []).append(child)
        return self._index

    def groups(self, name: str) -> tuple[Element, ...]:
        """Every child of this name; peers give the order as they like."""
        return tuple(self._named.get(name, ()))

    def group(self, name: str) -> Element:
        """The only child of this name. Raises UnreadableError when there is none or more than one."""
        found = self.groups(name)
        if len(found) != 1:
            raise UnreadableError(f"{self.name} has {'no' if not found else 'more than one'} {name}")
        return found[0]

    def optional(self, name: str) -> str | None:
        """The child's text, None when it is absent or empty. Raises UnreadableError for a repeated or nested one."""
        if name not in self._named:
            return None
        child = self.group(name)
        if child.children:
            raise UnreadableError(f"{name} holds elements where text belongs")
        return child.text or None

    def required(self, name: str) -> str:
        """The child's text. Raises UnreadableError when it is absent or empty, too."""
        value = self.optional(name)
        if value is None:
            raise UnreadableError(f"{self.name} has no {name}")
        return value


def parse(document: bytes) -> Element:
    """Read one element, UTF-8 and without a declaration.

    Raises UnreadableError for what is not well formed and for what a payment message has no use for: a document type,
    entities of its own, comments, processing instructions, namespaces, text between elements, a value said twice.
    """
    if len(document) > MAX_BODY_BYTES:
        raise TooLargeError("the message is too large")
    if b"<!doctype" in document.lower():  # before any parser sees it
        raise UnreadableError("the message has a document type")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # The parser's own words may quote a value.
        raise UnreadableError("the message is not well-formed UTF-8 XML") from error
    return _element(root, depth=1)


def _element(node: etree._Element, depth: int) -> Element:
    if not isinstance(node.tag, str) or node.tag.startswith("{"):
        raise UnreadableError("the message holds comments, entities or namespaces")
    if depth > MAX_DEPTH:
        raise UnreadableError("the message is nested too deeply")
    if len(node) == 0:
        return Element(node.tag, (node.text or "").strip())
    children = tuple([_element(child, depth + 1) for child in node])
    if any((text or "").strip() for text in (node.text, *(child.tail for child in node))):
        raise UnreadableError(f"{node.tag} mixes text and elements")
    element = Element(node.tag, "", children)
    if len(element._named) < len(children) and any(len(element._named[c.name]) > 1 for c in children if not c.children):
        raise UnreadableError(f"{node.tag} says a value twice")
    return element
