"""A chart as Mermaid text: https://mermaid.js.org/syntax/flowchart.html"""

from __future__ import annotations

import re

from gateway.menu_tools.chart import DIAL, PORT, Chart, Node

# what stands before and after a node's text: its shape
_SHAPES = {
    "route": ("{{", "}}"),
    "menu": ("(", ")"),
    "input": ("[/", "/]"),
    "choose": ("[[", "]]"),
    "list": ("[", "]"),
    "end": ("([", "])"),
    PORT: (">", "]"),
    DIAL: ("((", "))"),
}
_STYLES = """  classDef guard stroke:#b00020,stroke-width:3px
  classDef end_ fill:#eeeeee
  classDef port fill:#fff8d6,stroke-dasharray:4 3"""


def mermaid(chart: Chart) -> str:
    """The whole text, top down."""
    lines = ["flowchart TD"]
    lines += [_node(node) for node in chart.nodes]
    for arrow in chart.arrows:
        line = "-.->" if arrow.late else "-->"
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {_id(arrow.source)} {line}{label} {_id(arrow.target)}")
    return "\n".join([*lines, _STYLES]) + "\n"


def _node(node: Node) -> str:
    opened, closed = _SHAPES[node.kind]
    said = [f"<b>{_escaped(node.title)}</b>", *map(_escaped, node.text), *(f"<i>{_escaped(n)}</i>" for n in node.notes)]
    style = ":::guard" if node.guard else {"end": ":::end_", PORT: ":::port"}.get(node.kind, "")
    return f'  {_id(node.id)}{opened}"{"<br>".join(said)}"{closed}{style}'


def _id(name: str) -> str:
    """A prefix, since ``end`` and others are words of Mermaid's own."""
    return f"s_{name}"


def _escaped(text: str) -> str:
    """Letters that mean something to Mermaid by their numbers; a list mark at the beginning would be read as one."""
    text = re.sub(r"[\"#<>&`]", lambda found: f"#{ord(found.group())};", text)
    return re.sub(r"^(\d+)\.", r"\1#46;", text)
