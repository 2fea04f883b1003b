"""What menus may name, as Markdown: from the catalogue of the code, so that it is never behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.domain.ussd.accepts import ACCEPTS
from gateway.domain.ussd.by_sms import messages_of
from gateway.domain.ussd.effects import DOES, OF_MONEY, SAYS
from gateway.domain.ussd.facts import FACTS, VALUES, FactSpec
from gateway.domain.ussd.samples import ANSWERS, CALLERS, SMS, TYPED, Fact


def catalogue() -> str:
    """The whole page."""
    return "\n".join([
        "# What menus may name",
        "",
        "Written by `make menus-drawn` from the catalogue that `imis-gateway menus check` checks with.",
        "",
        "## Facts",
        "",
        "A screen asks for them with `needs`. A text tells a field as `{fact.field}`; a route or a text is picked by",
        "`fact.state`. A `list` screen shows one in `source`, as `fact.list`, and its items' fields as `{item.field}`.",
        "Where a fact does not come in time, a screen that does `answer_by_sms` promises those that are told so.",
        "",
        *_table(("fact", "is found by", "states", "fields, each with the longest it can be", "by SMS"), _facts()),
        "",
        *_table(("list", "states of an item", "fields of an item"), _lists()),
        "",
        "## What was chosen, typed or is known of the call",
        "",
        *_table(("value", "states", "fields"), ((f"`{n}`", _states(s), _plain(s)) for n, s in VALUES.items())),
        "",
        "## What can be typed",
        "",
        "An `input` screen names one in `accept`.",
        "",
        *_table(("accept", "such as"), ((f"`{name}`", _listed(TYPED.get(name, []))) for name in ACCEPTS)),
        "",
        "## Effects",
        "",
        "A screen names them in `does`; they are committed before it is shown.",
        "",
        *_table(
            ("does", "of money", "sends"),
            (
                (f"`{name}`", "yes: behind a `guard` only" if name in OF_MONEY else "no", _listed(SAYS.get(name, ())))
                for name in DOES
            ),
        ),
        "",
        "## Fields of messages",
        "",
        "A text under `sms` tells these, by their bare names, as far as its kind knows them.",
        "",
        *_table(("field", "the longest it can be"), ((f"`{name}`", f"`{SMS[name]}`") for name in sorted(SMS))),
        "",
    ])  # fmt: skip


def _facts() -> Iterator[tuple[str, ...]]:
    for name, spec in FACTS.items():
        samples = list(CALLERS.values()) if name == "caller" else ANSWERS.get(name, [])
        found_by = _listed(path for _, path in spec.args)
        fields = "; ".join(f"`{field}` {_longest(samples, field)}".strip() for field in spec.variables)
        yield f"`{name}`", found_by, _states(spec), fields or "-", "yes" if messages_of(name) else "no"


def _lists() -> Iterator[tuple[str, ...]]:
    for name, spec in FACTS.items():
        yield from ((f"`{name}.{inner}`", _states(item), _plain(item)) for inner, item in spec.lists)


def _longest(samples: Iterable[Fact], field: str) -> str:
    values = [str(sample[field]) for sample in samples if sample.get(field) is not None]
    return f"({max(values, key=len)})" if values else ""


def _states(spec: FactSpec) -> str:
    return _listed(str(state) for state in spec.states)


def _plain(spec: FactSpec) -> str:
    return _listed(field for field in spec.variables if field)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    ruled = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return [ruled[0], "|" + " --- |" * len(head), *ruled[1:]]
