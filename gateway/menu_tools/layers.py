"""Boxes and arrows in layers, so that arrows lead down and nothing lies on anything else.

The usual four steps (Sugiyama, Tagawa and Toda 1981): arrows that close a circle are turned round; each box goes one
layer below all that lead to it; neighbours are put side by side to spare crossings; then places are given. Between two
layers of boxes lies one of labels, so that a label has a place of its own like a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Size = tuple[float, float]
Point = tuple[float, float]
GAP_X, GAP_Y = 24.0, 22.0
_SWEEPS = 24


@dataclass
class _Item:
    """A box, or the place where an arrow passes a layer."""

    width: float
    height: float
    layer: int
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """Centres of boxes and labels, and the points that each arrow passes from its source to its target."""

    size: Size
    boxes: Mapping[str, Point]
    labels: Sequence[Point]
    ways: Sequence[Sequence[Point]]


def lay_out(boxes: Mapping[str, Size], arrows: Sequence[tuple[str, str, Size]]) -> Layout:
    """``arrows``: source, target, the size of the label."""
    names = list(boxes)
    ends = [(names.index(source), names.index(target)) for source, target, _ in arrows]
    turned = _closing(len(names), ends)
    down = [(b, a) if n in turned else (a, b) for n, (a, b) in enumerate(ends)]
    layer = _layers(len(names), down)
    items = [_Item(*boxes[name], layer[n]) for n, name in enumerate(names)]
    chains = []
    for number, (upper, lower) in enumerate(down):
        chain = [upper]
        passed = list(range(layer[upper] + 1, layer[lower])) or [layer[upper] + 1]
        for at in passed:
            near_source = at == (passed[-1] if number in turned else passed[0])
            items.append(_Item(*(arrows[number][2] if near_source else (4.0, 0.0)), at))
            chain.append(len(items) - 1)
        chain.append(lower)
        for one, other in pairwise(chain):
            if items[one].layer < items[other].layer:
                items[one].below.append(other)
                items[other].above.append(one)
        chains.append(chain)
    rows = _ordered(items)
    _place(items, rows)
    return _measured(names, items, rows, chains, turned)


def _closing(count: int, ends: Sequence[tuple[int, int]]) -> set[int]:
    """The arrows that lead back to a box on the way."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for number, (source, _) in enumerate(ends):
        leaving[source].append(number)
    closing: set[int] = set()
    state = [0] * count  # 1: on the way, 2: done

    def visit(at: int) -> None:
        state[at] = 1
        for number in leaving[at]:
            target = ends[number][1]
            if state[target] == 1:
                closing.add(number)
            elif state[target] == 0:
                visit(target)
        state[at] = 2

    for at in range(count):
        if state[at] == 0:
            visit(at)
    return closing


def _layers(count: int, down: Sequence[tuple[int, int]]) -> list[int]:
    """Even numbers for boxes: one between any two is for labels."""
    layer = [0] * count
    for _ in range(count):
        for upper, lower in down:
            if upper != lower:
                layer[lower] = max(layer[lower], layer[upper] + 2)
    return layer


def _ordered(items: Sequence[_Item]) -> list[list[int]]:
    """The items of each layer from left to right, with few crossings."""
    rows: list[list[int]] = [[] for _ in range(max(item.layer for item in items) + 1)]
    for number, item in enumerate(items):
        rows[item.layer].append(number)
    best, fewest = [list(row) for row in rows], _crossings(items, rows)
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        spot = {number: float(at) for row in rows for at, number in enumerate(row)}
        for row in rows if downwards else reversed(rows):
            for number in row:
                near = items[number].above if downwards else items[number].below
                if near:
                    spot[number] = sum(spot[other] for other in near) / len(near)
            row.sort(key=lambda number: spot[number])
            spot |= {number: float(at) for at, number in enumerate(row)}
        crossed = _crossings(items, rows)
        if crossed < fewest:
            best, fewest = [list(row) for row in rows], crossed
    return best


def _crossings(items: Sequence[_Item], rows: Sequence[Sequence[int]]) -> int:
    spot = {number: at for row in rows for at, number in enumerate(row)}
    found = 0
    for row in rows:
        lines = [(spot[number], spot[other]) for number in row for other in items[number].below]
        found += sum(
            (a - c) * (b - d) < 0 for place, (a, b) in enumerate(lines) for c, d in lines[place + 1 :] if a != c
        )
    return found


def _place(items: Sequence[_Item], rows: Sequence[Sequence[int]]) -> None:
    """Each item as near as may be to the middle of those it is joined to, in order and apart."""
    for row in rows:
        _apart(items, row, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else reversed(rows):
            wanted = []
            for number in row:
                item = items[number]
                near = (item.above if downwards else item.below) or item.above + item.below
                wanted.append(sum(items[other].x for other in near) / len(near) if near else item.x)
            _apart(items, row, wanted)


def _apart(items: Sequence[_Item], row: Sequence[int], wanted: Sequence[float]) -> None:
    """The places nearest to ``wanted`` that keep the order and the gaps: those that push each other stand together."""
    offset, offsets = 0.0, []
    for number in row:
        offset += items[number].width / 2
        offsets.append(offset)
        offset += items[number].width / 2 + GAP_X
    blocks: list[list[float]] = []  # sum of the wanted places, and how many
    for place, shift in zip(wanted, offsets, strict=True):
        blocks.append([place - shift, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, many = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += many
    means = [total / many for total, many in blocks for _ in range(int(many))]
    for number, mean, shift in zip(row, means, offsets, strict=True):
        items[number].x = mean + shift


def _measured(
    names: Sequence[str],
    items: Sequence[_Item],
    rows: Sequence[Sequence[int]],
    chains: Sequence[Sequence[int]],
    turned: set[int],
) -> Layout:
    left = min(item.x - item.width / 2 for item in items) - GAP_X
    tops, y = [], GAP_Y
    for row in rows:
        tops.append(y)
        y += max((items[number].height for number in row), default=0.0) + GAP_Y
    heights = [max((items[number].height for number in row), default=0.0) for row in rows]
    middle = {n: (item.x - left, tops[item.layer] + heights[item.layer] / 2) for n, item in enumerate(items)}
    ways, labels = [], []
    for number, chain in enumerate(chains):
        points: list[Point] = [_edge(items, middle, chain[0], chain[1], lower=True)]
        for passed in chain[1:-1]:
            x, top = middle[passed][0], tops[items[passed].layer]
            points += [(x, top), (x, top + heights[items[passed].layer])]
        if chain[0] == chain[-1]:  # an arrow back to its own box
            x, y_ = middle[chain[0]]
            points.append((x + items[chain[0]].width * 0.45, y_ + items[chain[0]].height / 2))
        else:
            points.append(_edge(items, middle, chain[-1], chain[-2], lower=False))
        label = chain[-2] if number in turned else chain[1]
        labels.append(middle[label])
        ways.append(points[::-1] if number in turned else points)
    width = max(item.x + item.width / 2 for item in items) - left + GAP_X
    return Layout((width, y), {name: middle[n] for n, name in enumerate(names)}, labels, ways)


def _edge(
    items: Sequence[_Item],
    middle: Mapping[int, Point],
    box: int,
    following: int,
    lower: bool,
) -> Point:
    """Where an arrow leaves a box: those of one side share it, from left to right as they go on."""
    near = items[box].below if lower else items[box].above
    ordered = sorted(near, key=lambda other: middle[other][0])
    share = (ordered.index(following) + 1) / (len(ordered) + 1) if following in ordered else 0.5
    x, y = middle[box]
    width, height = items[box].width, items[box].height
    return x + (share - 0.5) * width * 0.8, y + (height / 2 if lower else -height / 2)
