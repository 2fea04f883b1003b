"""What is written: every text used, the same facts told in every language, each message one segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from gateway.domain.segments import SMS_SEPTETS, is_gsm7, plain, septets
from gateway.domain.ussd.book import OWN_NAMES, Book, Language, needed_texts
from gateway.domain.ussd.frame import Frame, clean, cost
from gateway.domain.ussd.machine import BACK, MORE
from gateway.domain.ussd.render import lacking, paginate
from gateway.domain.ussd.samples import SMS
from gateway.menu_tools.faults import Fault


def text_faults(book: Book, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    """``frames``: by the name of the channel or kind of screen."""
    needed, first = needed_texts(book), book.languages[book.default_language]
    for language in book.languages.values():
        for key in language.texts.keys() - needed:
            if key != "name" and not key.startswith(OWN_NAMES):
                yield Fault("no screen shows this text", language.code, key=key)
        if language is not first:
            yield from _other_fields(first, language)
        yield from _nav(language, frames)
        yield from _lines(book, language)
        yield from _messages(language)
        yield from _ends(language, frames)
        yield from _letters(language, frames)


def _other_fields(first: Language, language: Language) -> Iterator[Fault]:
    for key in first.texts.keys() & language.texts.keys():
        here, there = (Counter(one.texts[key].paths()) for one in (language, first))
        for path in there - here:
            yield Fault(f"does not tell {{{path}}}, which {first.code} tells", language.code, key=key)
        for path in here - there:
            yield Fault(f"tells {{{path}}}, which {first.code} does not", language.code, key=key)


def _nav(language: Language, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    for key, pressed in (("nav.back", BACK), ("nav.more", MORE)):
        if not language.say(key, {}).startswith(f"{pressed} "):
            yield Fault(f"must begin with the key: {pressed!r} and a space", language.code, key=key)
    over = {name: much for name, frame in frames.items() if (much := no_room(language, frame))}
    if over:
        said = f"{too_long(over, frames)}: with 'nav.back' it leaves no line of a screen"
        yield Fault(said, language.code, key="nav.more")


def _lines(book: Book, language: Language) -> Iterator[Fault]:
    """A line that begins with its key is one line: a second one would stand there without a key."""
    keys = {option.text for screen in book.screens.values() for option in screen.options} | {"nav.back", "nav.more"}
    for key in sorted(keys):
        if "\n" in language.texts[key].source:
            yield Fault("must be one line", language.code, key=key)


def no_room(language: Language, frame: Frame) -> int:
    """Units that the ways about take too much of a page, so that nothing can be laid out there."""
    return lacking(language.say("nav.back", {}), language.say("nav.more", {}), frame)


def _messages(language: Language) -> Iterator[Fault]:
    for key in language.texts:
        if not key.startswith("sms."):
            continue
        said = plain(language.say(key, dict(SMS)))
        if not is_gsm7(said):
            odd = "".join(sorted({letter for letter in said if not is_gsm7(letter)}))
            yield Fault(f"a message cannot hold {odd!r}: it would be of 70 letters only", language.code, key=key)
        elif septets(said) > SMS_SEPTETS:
            over = septets(said) - SMS_SEPTETS
            yield Fault(f"{over} septets over {SMS_SEPTETS}, what one message holds", language.code, key=key)


def _ends(language: Language, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    """What is said when a conversation cannot go on has no second page."""
    for key in language.texts:
        if not key.startswith("end."):
            continue
        said = language.say(key, {}).split("\n")
        over = {
            name: cost(frame, clean(frame, "\n".join(said))) - frame.room
            for name, frame in frames.items()
            if len(paginate(said, "", "", frame)) > 1
        }
        if over:
            yield Fault(f"{too_long(over, frames)}: it has no second page", language.code, key=key)


def _letters(language: Language, frames: Mapping[str, Frame]) -> Iterator[Fault]:
    for key, template in language.texts.items():
        if key.startswith("sms."):
            continue
        for name, frame in frames.items():
            lost = [letter for letter in template.source if letter != "?" and clean(frame, letter) == "?"]
            if lost:
                letters = "".join(dict.fromkeys(lost))
                yield Fault(f"{letters!r} would read as ? on {name}", language.code, key=key)
                break


def too_long(over: Mapping[str, int], frames: Mapping[str, Frame]) -> str:
    """``12 septets over 160 on wire and 2 others``: the worst, by the units that it is over."""
    worst = max(over, key=lambda name: over[name])
    others = f" and {len(over) - 1} others" if len(over) > 2 else " and another" if len(over) == 2 else ""
    return f"{over[worst]} {frames[worst].counted} over {frames[worst].units} on {worst}{others}"
