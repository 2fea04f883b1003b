"""What a day's account says of itself: verified over the whole file first, then its header read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.domain.outcomes import Accepted, Done, Outcome
from gateway.ports import StatementReading, Verdict

from . import reconciliation, reconciliation_codes, reconciliation_v4
from .codes import split_codes
from .envelope import plain_id
from .limits import MAX_ID, UnreadableError
from .payments import bounded
from .statement_file import Cut, cut, frame, verify_file
from .statement_form import StatementForm
from .xmltree import Element

ROUTE = "reconciliations"
FORMS = {form.root: form for form in (reconciliation.FORM, reconciliation_v4.FORM)}
BY_DIALECT = {form.generation.name: form for form in FORMS.values()}


def open_statement(path: Path, keys: Iterable[RSAPublicKey], dialect: str) -> StatementReading:
    """Cut, verify, and only then parse. Never raises for content. ``dialect`` stands in where the file does not say."""
    found, is_signed = None, False
    try:
        with path.open("rb") as file:
            found = cut(file, FORMS)
            form = FORMS[found.name]
            verified = verify_file(file, found, keys)
            if not verified.is_signed:
                return _refused(Verdict.BAD_SIGNATURE, found, dialect, "no accepted key signed the statement")
            is_signed = True
            if not verified.only_tags:
                raise UnreadableError("the statement holds something else than elements and text")
            return _read_header(file, form, found)
    except UnreadableError as error:
        why = f"well signed, but {error}" if is_signed else str(error)
        return _refused(Verdict.UNREADABLE, found, dialect, why, is_signed)


def _read_header(file: BinaryIO, form: StatementForm, found: Cut) -> StatementReading:
    header = frame(file, found.start, found.end, form.container).message.group(form.header)
    codes = split_codes(header.required(form.status_name), form.status_name)
    words = header.optional(form.words_name) if form.words_name else None
    return StatementReading(
        ROUTE,
        Verdict.GENUINE,
        _account(reconciliation_codes.answer(codes, words, None)),
        request_id=_id(header, form.request_name),
        message_id=_id(header, form.id_name) if form.id_name else None,
        provider_code=header.optional(form.provider_name),
        start=found.start,
        end=found.end,
        dialect=form.generation.name,
        is_signed=True,
    )


def _account(answer: Outcome) -> Outcome:
    """In an account itself, "successful" means that here it is."""
    return Done() if isinstance(answer, Accepted) else answer


def _id(header: Element, name: str) -> str | None:
    text = header.optional(name)
    return text and bounded(text, name, MAX_ID)


def _refused(verdict: Verdict, found: Cut | None, dialect: str, why: str, is_signed: bool = False) -> StatementReading:
    if found is None:
        return StatementReading(ROUTE, verdict, dialect=dialect, why=why)
    form = FORMS[found.name]
    message_id = plain_id(found.head, form.id_name)
    dialect = form.generation.name
    return StatementReading(ROUTE, verdict, message_id=message_id, dialect=dialect, why=why, is_signed=is_signed)
