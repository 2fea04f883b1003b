"""A screen as its pages. Laying out is pure, so what was laid out before is remembered: most screens are static."""

from __future__ import annotations

from functools import lru_cache

from gateway.domain.ussd.book import Language, ScreenSpec
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.render import paginate

_REMEMBERED = 4_096  # layouts; a few hundred bytes each


def pages(
    language: Language,
    screen: ScreenSpec,
    scope: dict[str, object],
    labels: tuple[str, ...],
    back: bool,
    notice: str,
    frame: Frame,
) -> tuple[str, ...]:
    """The screen's pages. ``labels``: the items of a list, numbered where one is chosen; ``notice``: said first."""
    shown = text_key(screen.text, scope)
    holes = _holes(language, screen, shown)
    values = tuple(_scalar(lookup(scope, path)) for path in holes)
    return _laid_out(language, screen, shown, values, labels, back, notice, frame)


def item_text(language: Language, screen: ScreenSpec, item: object) -> str:
    """One item of a list in words."""
    scope: dict[str, object] = {"item": item}
    return language.say(text_key(screen.each, scope), scope)


def _scalar(value: object) -> object:
    return value if value is None or isinstance(value, (str, int)) else str(value)


def text_key(pattern: str, scope: dict[str, object]) -> str:
    """``home.{family.state}`` with the state put in."""
    if "{" not in pattern:
        return pattern
    head, rest = pattern.split("{", 1)
    path, tail = rest.split("}", 1)
    return f"{head}{lookup(scope, path)}{tail}"


@lru_cache(maxsize=_REMEMBERED)
def _holes(language: Language, screen: ScreenSpec, text_key: str) -> tuple[str, ...]:
    """Every path that the screen's texts mention."""
    templates = [language.texts.get(key) for key in (text_key, *(o.text for o in screen.options))]
    return tuple(dict.fromkeys(path for template in templates if template for path in template.paths()))


@lru_cache(maxsize=_REMEMBERED)
def _laid_out(
    language: Language,
    screen: ScreenSpec,
    text_key: str,
    values: tuple[object, ...],
    labels: tuple[str, ...],
    back: bool,
    notice: str,
    frame: Frame,
) -> tuple[str, ...]:
    filled = dict(zip(_holes(language, screen, text_key), values, strict=True))

    def say(key: str) -> str:
        template = language.texts.get(key)
        return template.fill(filled) if template else key

    lines = [say(notice)] if notice else []
    lines += say(text_key).split("\n")
    lines += [f"{option.key} {say(option.text)}" for option in screen.options]
    numbered = screen.kind == "choose"
    for number, label in enumerate(labels, 1):
        whole = " ".join(label.split())
        lines.append(f"{number} {whole}" if numbered else whole)
    return tuple(paginate(lines, say("nav.back") if back else "", say("nav.more"), frame))
