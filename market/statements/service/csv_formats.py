"""How the bank of an account writes its CSV: said once by a person, checked on the file at hand, used ever after."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.words import say
from market.statements.errors import BadMapping
from market.statements.models import CsvFormat, StatementFile
from market.statements.rules.readers.delimited import CsvMapping, fingerprint, header_of, read_csv
from market.statements.rules.readers.source import Source
from market.statements.rules.shapes import Line, Statement, Unreadable
from market.statements.service.accounts import account_of
from market.statements.service.keeping import file_of, packed
from market.statements.service.preparing import Unpacked

PREVIEW = 20


def mappings_of(session: Session, money_account_id: UUID) -> list[CsvMapping]:
    """Return the saved mappings of an account, the newest first."""
    statement = (
        select(CsvFormat.mapping)
        .where(CsvFormat.money_account_id == money_account_id, CsvFormat.replaced_at.is_(None))
        .order_by(CsvFormat.made_at.desc())
    )
    return [mapping_from(stored) for stored in session.execute(statement).scalars()]


def mapping_from(stored: Mapping[str, Any]) -> CsvMapping:
    """Return a mapping from its stored or posted form. Raises BadMapping for names that there are not."""
    try:
        return CsvMapping(**stored)
    except TypeError as error:
        raise BadMapping(say("The mapping cannot be used: %(error)s.", error=error), pointer="/mapping") from error


def try_mapping(session: Session, file: StatementFile, mapping: CsvMapping, currency: str) -> tuple[list[Line], Statement]:
    """Read a kept file by a mapping; return its first lines and its statement. Raises BadMapping with what does not fit."""
    first: list[Line] = []
    try:
        for event in read_csv(Source(Unpacked(packed(session, file))), mapping, default_currency=currency):
            if isinstance(event, Statement):
                return first, event
            if len(first) < PREVIEW:
                first.append(event)
    except Unreadable as refusal:
        raise BadMapping(say("So the file cannot be read: %(refusal)s.", refusal=refusal), pointer="/columns") from refusal
    raise BadMapping("There is nothing in this file.", pointer="/columns")


def save_mapping(
    session: Session, *, file_id: UUID, mapping: CsvMapping, actor: Actor, now: datetime
) -> tuple[Sequence[Line], Statement]:
    """Save how the bank of a kept file's account writes its CSV, once the file reads by it; return what was read.

    It replaces an earlier mapping for the same header. Raises BadMapping, FileNotFound.
    """
    file = file_of(session, file_id)
    account = account_of(session, file.money_account_id)
    read = try_mapping(session, file, mapping, account.currency)
    header = header_of(Source(Unpacked(packed(session, file))), mapping)
    mark = fingerprint(header)
    session.execute(
        update(CsvFormat)
        .where(CsvFormat.money_account_id == account.id, CsvFormat.fingerprint == mark, CsvFormat.replaced_at.is_(None))
        .values(replaced_at=now)
        .execution_options(synchronize_session=False)
    )
    row = CsvFormat(
        coop_id=account.coop_id,
        money_account_id=account.id,
        fingerprint=mark,
        header=header,
        mapping=asdict(mapping),
        made_by=actor.label,
        made_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(session, actor=actor, action="statements.csv_mapped", subject_kind="money_account", subject_id=account.id,
                 coop_id=account.coop_id, now=now, new={"columns": dict(mapping.columns)})  # fmt: skip
    return read
