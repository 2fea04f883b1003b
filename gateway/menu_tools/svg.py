"""A chart as SVG, laid out here: no program beside us is needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gateway.menu_tools.chart import DIAL, PORT, Chart, Node
from gateway.menu_tools.layers import Point, Size, lay_out

_LETTER, _LINE = 6.7, 15.0  # of 12 px type: the widest mean of a line, and its height
_PAD = 10.0
_FILLS = {
    "route": "#eaf1fb",
    "menu": "#ffffff",
    "input": "#eef8ee",
    "choose": "#f4eefb",
    "list": "#f4eefb",
    "end": "#eeeeee",
    PORT: "#fff8d6",
    DIAL: "#ffffff",
}
_STYLE = (
    "text{font:12px Verdana,DejaVu Sans,sans-serif}.t{font-weight:bold;font-size:11px;fill:#555}"
    ".n{font-style:italic;font-size:11px;fill:#8a4b00}.l{font-size:11px;fill:#0b4a8f}"
    "path.a{fill:none;stroke:#667;stroke-width:1.3}path.late{stroke-dasharray:4 3}"
    ".b{stroke:#445;stroke-width:1.2}.guard{stroke:#b00020;stroke-width:3}"
)


def svg(chart: Chart) -> str:
    """The whole picture."""
    sizes = {node.id: _size(node) for node in chart.nodes}
    labels = [(len(arrow.label) * _LETTER + 6 if arrow.label else 4.0, 14.0) for arrow in chart.arrows]
    placed = lay_out(sizes, [(a.source, a.target, size) for a, size in zip(chart.arrows, labels, strict=True)])
    width, height = placed.size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<title>{escape(chart.title)}</title><style>{_STYLE}</style>",
        '<defs><marker id="h" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#667"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
    ]
    for arrow, way in zip(chart.arrows, placed.ways, strict=True):
        late = " late" if arrow.late else ""
        lines.append(f'<path class="a{late}" d="{_curve(way)}" marker-end="url(#h)"/>')
    for arrow, (x, y), (wide, high) in zip(chart.arrows, placed.labels, labels, strict=True):
        if arrow.label:
            lines.append(
                f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high}" fill="#fff"/>'
                f'<text class="l" text-anchor="middle" x="{x:.1f}" y="{y + 4:.1f}">{escape(arrow.label)}</text>'
            )
    for node in chart.nodes:
        lines += _drawn(node, placed.boxes[node.id], sizes[node.id])
    return "\n".join([*lines, "</svg>", ""])


def _size(node: Node) -> Size:
    longest = max(len(line) for line in (node.title, *node.text, *node.notes))
    slant = 24 if node.kind in ("route", "input", PORT) else 0  # room that the shape's sides take
    lines = 1 + len(node.text) + len(node.notes)
    return longest * _LETTER + 2 * _PAD + slant, lines * _LINE + 2 * _PAD - 4


def _curve(way: Sequence[Point]) -> str:
    (x, y), *rest = way
    said = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        half = (y + to_y) / 2
        said.append(f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(said)


def _drawn(node: Node, at: Point, size: Size) -> list[str]:
    (x, y), (width, height) = at, size
    left, top = x - width / 2, y - height / 2
    style = f'class="b{" guard" if node.guard else ""}" fill="{_FILLS[node.kind]}"'
    lines = [_shape(node.kind, left, top, width, height, style)]
    if node.kind == "choose":  # a list: a second line at each side
        sides = (left + 5, left + width - 5)
        lines += [f'<path class="b" d="M{side:.1f} {top:.1f}v{height:.1f}"/>' for side in sides]
    said = [("t", node.title), *(("x", line) for line in node.text), *(("n", note) for note in node.notes)]
    for number, (kind, line) in enumerate(said):
        place = f'x="{x:.1f}" y="{top + _PAD + 9 + number * _LINE:.1f}"'
        lines.append(f'<text class="{kind}" text-anchor="middle" {place}>{escape(line)}</text>')
    return lines


def _shape(kind: str, left: float, top: float, width: float, height: float, style: str) -> str:
    right, bottom = left + width, top + height
    middle = top + height / 2
    match kind:
        case "port":
            points = [(left, top), (right, top), (right, bottom), (left, bottom), (left + 12, middle)]
        case "route":
            points = [(left, middle), (left + 12, top), (right - 12, top), (right, middle), (right - 12, bottom)]
            points.append((left + 12, bottom))
        case "input":
            points = [(left + 12, top), (right, top), (right - 12, bottom), (left, bottom)]
        case _:
            radius = {"end": 16.0, "menu": 6.0, "dial": 16.0}.get(kind, 0.0)
            return (
                f'<rect {style} x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}"/>'
            )
    return f'<polygon {style} points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
