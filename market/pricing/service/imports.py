"""Price tables come in: read and answered by one person, taken over by a second, in one transaction (9.1)."""

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.outbox import announce
from market.kernel.words import Term, say
from market.pricing import events
from market.pricing.errors import BatchClosed, SamePerson
from market.pricing.models import ImportBatch, ImportRow, PackagingRow, PriceReference
from market.pricing.rules import Reference
from market.pricing.rules.tables import FileFacts, ReadRow, read_table
from market.pricing.rules.verdict import from_json, to_json
from market.pricing.service.shelf import load_aliases, load_packagings, reference_of

_VALUES = (
    "scheme", "price_kind", "product", "variety", "form", "characteristic", "quality", "geo_level", "geo_code", "setup",
    "incoterm", "unit", "currency", "valid_from", "valid_from_text", "valid_to", "applies_by", "unit_quantity", "minimum_price",
    "minimum_basis", "index_name", "premium", "premium_kind", "organic_rule", "organic_differential", "relevant_market",
    "special_terms", "source_name", "confidence",
)  # fmt: skip


# A row that came in by another import in the same moment, or whose key somebody activated meanwhile, is left out.
_TAKE_OVER = postgresql.insert(PriceReference).on_conflict_do_nothing().returning(PriceReference.id)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import would do, row by row; `batch_id` is None for a dry run."""

    batch_id: UUID | None
    rows: tuple[ReadRow, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by state, and of the accepted ones how many only inform and how many could block."""
        found = Counter(row.state for row in self.rows)
        accepted = [row for row in self.rows if row.state == "accepted"]
        informs = sum(row.only_informs for row in accepted)
        return {**found, "informs": informs, "could_block": len(accepted) - informs}


def import_prices(
    session: Session, *, data: bytes, facts: FileFacts, actor: Actor, now: datetime, on: date, dry_run: bool = False
) -> ImportResult:
    """Read a price table and keep it, with an answer to every row, for a second person to approve.

    Raises TableUnreadable (E01) when the file as a whole is not the table. Rows held already are `unchanged`.
    """
    packagings = load_packagings(session)
    held = session.execute(select(PriceReference).where(PriceReference.status != "rejected")).scalars()
    existing = [(row.row_hash or "", reference_of(row, packagings)) for row in held]
    rows = read_table(
        data,
        facts,
        on=on,
        existing=existing,
        aliases=load_aliases(session),
        packagings={packaging.code: packaging for packaging in packagings.values()},
    )
    if dry_run:
        return ImportResult(None, tuple(rows))
    batch = ImportBatch(
        id=new_id(),
        profile=facts.profile,
        scheme=facts.scheme,
        source_name=facts.source_name,
        document_hash=facts.document_hash or hashlib.sha256(data).hexdigest(),
        entered_by=actor.label,
        entered_at=now,
    )
    session.add(batch)
    session.flush()  # the rows point at it
    session.execute(insert(ImportRow), [_row(batch.id, row) for row in rows])
    audit.record(session, actor=actor, action="prices.imported", subject_kind="import_batch", subject_id=batch.id, now=now)
    return ImportResult(batch.id, tuple(rows))


def _row(batch_id: UUID, row: ReadRow) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "number": row.number,
        "row_hash": row.row_hash,
        "cells": dict(row.cells),
        "state": row.state,
        "notes": [asdict(note) for note in row.notes],
        "values": None if row.values is None else to_json(row.values),
    }


def approve_import(session: Session, *, batch_id: UUID, actor: Actor, now: datetime) -> list[UUID]:
    """Take a batch over as a second person: accepted rows become active, rows to review wait; returns the new ids.

    Conflicts and rejected rows are left out: a correction supersedes the old row by name. Raises BatchClosed,
    SamePerson, Missing.
    """
    batch = lock_one(session, ImportBatch, batch_id)
    if batch.state != "waiting":
        raise BatchClosed(
            say("This import was %(state)s before by %(decided_by)s.", state=Term(batch.state), decided_by=batch.decided_by)
        )
    if batch.entered_by == actor.label:
        raise SamePerson("A second person must approve the import: you entered it yourself.")
    batch.state, batch.decided_by, batch.decided_at = "approved", actor.label, now
    known = set(session.execute(select(PriceReference.row_hash)).scalars())
    rows = session.execute(
        select(ImportRow)
        .where(ImportRow.batch_id == batch_id, ImportRow.state.in_(("accepted", "needs_review")))
        .order_by(ImportRow.number)
    ).scalars()
    packagings = {code: row_id for row_id, code in session.execute(select(PackagingRow.id, PackagingRow.code))}
    new = [_reference(row, batch, packagings, actor, now) for row in rows if row.row_hash not in known]
    taken = set(session.execute(_TAKE_OVER, new).scalars()) if new else set()
    for product in sorted({row["product"] for row in new if row["status"] == "active" and row["id"] in taken}):
        announce(session, events.ROWS_CHANGED, {"kind": product}, key=product)
    audit.record(
        session,
        actor=actor,
        action="prices.approved",
        subject_kind="import_batch",
        subject_id=batch_id,
        now=now,
        new={"rows": len(taken)},
    )
    return [row["id"] for row in new if row["id"] in taken]


def refuse_import(session: Session, *, batch_id: UUID, actor: Actor, now: datetime) -> None:
    """Close a batch without taking anything over. Raises BatchClosed, Missing."""
    batch = lock_one(session, ImportBatch, batch_id)
    if batch.state != "waiting":
        raise BatchClosed(
            say("This import was %(state)s before by %(decided_by)s.", state=Term(batch.state), decided_by=batch.decided_by)
        )
    batch.state, batch.decided_by, batch.decided_at = "refused", actor.label, now
    audit.record(session, actor=actor, action="prices.refused", subject_kind="import_batch", subject_id=batch_id, now=now)


def _reference(row: ImportRow, batch: ImportBatch, packagings: dict[str, UUID], actor: Actor, now: datetime) -> dict[str, Any]:
    values: Reference = replace(from_json(Reference, row.values), status=row.state)
    accepted = row.state == "accepted"
    return {
        "id": new_id(),
        **{name: getattr(values, name) for name in _VALUES},
        "packaging_id": packagings.get(values.unit) if values.unit else None,
        "note": row.cells.get("note", ""),
        "source_name": values.source_name or batch.source_name,
        "document_hash": batch.document_hash,
        "status": "active" if accepted else "needs_review",
        "review": [note for note in row.notes if note["effect"] != "note"],
        "entered_by": batch.entered_by,
        "entered_at": batch.entered_at,
        "approved_by": actor.label if accepted else None,
        "approved_at": now if accepted else None,
        "row_hash": row.row_hash,
    }
