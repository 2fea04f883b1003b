"""The strict parser by itself: its own refusals hold even where the gate or a reader would refuse later."""

from __future__ import annotations

import pytest

from adapters.payments.gepg.limits import TooLargeError, UnreadableError
from adapters.payments.gepg.xmltree import Element, parse


def test_a_small_tree():
    tree = parse(b"<a>\n <b> x &lt; \xc3\xa9 </b><c/><d><e>1</e></d><d><e>2</e></d></a>")
    assert tree == Element(
        "a", "", (Element("b", "x < é"), Element("c", ""), *(Element("d", "", (Element("e", n),)) for n in "12"))
    )
    assert (tree.required("b"), tree.optional("c"), tree.optional("z")) == ("x < é", None, None)
    assert [each.required("e") for each in tree.groups("d")] == ["1", "2"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"text",
        b"<a>",
        b"<a/><b/>",
        b"<a>&x;</a>",
        b"<a>\xe9</a>",
        b"<a>\x00</a>",
        b"<a><!-- c --></a>",
        b"<a>1<!-- c -->2</a>",
        b"<a><?p i?></a>",
        b"<a xmlns='urn:x'/>",
        b"<a><b xmlns='urn:x'/></a>",
        b"<x:a/>",
        b"<a>text<b/></a>",
        b"<a><b/>text</a>",
        b"<a><b>1</b><b>2</b></a>",
        b"<a><b>1</b><b><c/></b></a>",
        b"<!DOCTYPE a><a/>",
        b"<!doctype a><a/>",
        b"<a><![CDATA[<!DOCTYPE a>]]></a>",
        b'<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        b"<a>" * 17 + b"</a>" * 17,
    ],
)
def test_what_the_parser_refuses(document):
    with pytest.raises(UnreadableError):
        parse(document)


def test_the_limits_themselves_are_allowed():
    assert parse(b"<a>" * 16 + b"</a>" * 16).name == "a"
    assert parse(b"<a>" + b"x" * ((1 << 20) - 7) + b"</a>").name == "a"
    with pytest.raises(TooLargeError):
        parse(b"<a>" + b"x" * ((1 << 20) - 6) + b"</a>")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"<a/>", "a has no b"),
        (b"<a><b/></a>", "a has no b"),
        (b"<a><b><c/></b></a>", "b holds elements"),
        (b"<a><b><c/></b><b><c/></b></a>", "more than one b"),
    ],
)
def test_what_is_no_text(document, words):
    with pytest.raises(UnreadableError, match=words):
        parse(document).required("b")


@pytest.mark.parametrize(
    ("document", "words"), [(b"<a/>", "no b"), (b"<a><b><c/></b><b><c/></b></a>", "more than one b")]
)
def test_what_is_no_group(document, words):
    with pytest.raises(UnreadableError, match=words):
        parse(document).group("b")
