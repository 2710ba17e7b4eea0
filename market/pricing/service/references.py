"""Rows move forward: corrected by a new row, approved by a second person, confirmed against the document (2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.outbox import announce
from market.kernel.words import Term, say
from market.pricing import events
from market.pricing.errors import ReferenceNotReady, SamePerson
from market.pricing.models import PackagingRow, PriceReference
from market.pricing.service.imports import _VALUES

CORRECTABLE = frozenset(
    {
        "scheme", "incoterm", "unit", "currency", "valid_from", "valid_to", "minimum_price", "premium", "organic_rule",
        "organic_differential", "relevant_market", "index_name", "special_terms", "quality", "geo_level", "geo_code", "setup",
        "price_kind", "variety", "form", "characteristic", "confidence", "source_name", "note",
    }
)  # fmt: skip
"""What a person may state anew; the product stays, another product is another row."""


def correct_reference(
    session: Session, *, reference_id: UUID, changes: Mapping[str, Any], actor: Actor, now: datetime
) -> PriceReference:
    """Enter a new row that says what the old one lacks or got wrong; it waits for a second person.

    So a person supplies the scheme's market, the organic differential, a day, an incoterm. Raises ReferenceNotReady
    for a name that is not a value of a row.
    """
    old = lock_one(session, PriceReference, reference_id)
    if not changes or not set(changes) <= CORRECTABLE:
        raise ReferenceNotReady(say("Only these can be corrected: %(correctable)s.", correctable=sorted(CORRECTABLE)))
    if old.status in ("superseded", "rejected"):
        raise ReferenceNotReady(
            say("The row is %(status)s; correct the one that took its place.", status=Term(old.status.replace("_", " ")))
        )
    values = {name: getattr(old, name) for name in (*_VALUES, "packaging_id", "note", "document_hash")} | dict(changes)
    if "unit" in changes:
        code = select(PackagingRow.id).where(PackagingRow.code == changes["unit"])
        values["packaging_id"] = session.execute(code).scalar_one_or_none()
    if "valid_from" in changes:
        values["valid_from_text"] = changes["valid_from"].isoformat()
    new = PriceReference(
        id=new_id(), **values, status="needs_review", entered_by=actor.label, entered_at=now, supersedes_id=old.id
    )
    try:
        with session.begin_nested():
            session.add(new)
            session.flush()  # the database says at once whether the values can stand
    except IntegrityError as error:
        raise ReferenceNotReady("These values cannot stand together in a row. Look at each of them again.") from error
    audit.record(
        session,
        actor=actor,
        action="reference.corrected",
        subject_kind="price_reference",
        subject_id=new.id,
        now=now,
        old={name: _plain(getattr(old, name)) for name in changes},
        new={name: _plain(value) for name, value in changes.items()},
    )
    return new


def approve_reference(session: Session, *, reference_id: UUID, actor: Actor, now: datetime) -> PriceReference:
    """Activate a row as a second person, and mark the one that it supersedes in the same transaction.

    Raises SamePerson, and ReferenceNotReady for a row without a whole day, or whose key another active row holds.
    """
    row = lock_one(session, PriceReference, reference_id)
    if row.status != "needs_review":
        raise ReferenceNotReady(say("The row is %(status)s already.", status=Term(row.status.replace("_", " "))))
    if row.entered_by == actor.label:
        raise SamePerson("A second person must approve the row: you entered it yourself.")
    if row.valid_from is None or not row.scheme:
        raise ReferenceNotReady("The row has no whole day or no scheme; correct it with what its source says.")
    if row.minimum_price is not None and not row.incoterm and row.price_kind in ("FMP", "SPP_MIN", "PCT_INDEX"):
        raise ReferenceNotReady("A scheme's minimum needs its incoterm; correct the row with what its source says.")
    if row.supersedes_id is not None:
        old = lock_one(session, PriceReference, row.supersedes_id)
        old.status = "superseded" if old.approved_by else "rejected"
        session.flush()  # the old row leaves the key before the new one takes it
    row.status, row.approved_by, row.approved_at = "active", actor.label, now
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise ReferenceNotReady("Another active row holds this key and day; a correction must name it.") from None
    _note(session, actor, "reference.approved", row, now)
    announce(session, events.ROWS_CHANGED, {"kind": row.product}, key=row.product)
    return row


def confirm_reference(
    session: Session, *, reference_id: UUID, actor: Actor, now: datetime, document_hash: str = ""
) -> PriceReference:
    """Say that the row agrees with its source; from then on a row of medium confidence decides (E11).

    A row of low confidence needs the SHA-256 of the official document, and becomes one of high confidence by it: so
    the row of 2026-12-01 blocks only after somebody has seen it printed. Activates a row that was waiting. Raises
    SamePerson, ReferenceNotReady.
    """
    row = lock_one(session, PriceReference, reference_id)
    if row.entered_by == actor.label:
        raise SamePerson("A second person must confirm the row: you entered it yourself.")
    if row.status not in ("active", "needs_review"):
        raise ReferenceNotReady(say("The row is %(status)s.", status=Term(row.status.replace("_", " "))))
    if row.confidence == "low" and not document_hash:
        raise ReferenceNotReady("A row of low confidence needs the hash of the official document that shows it.")
    if row.status == "needs_review":
        approve_reference(session, reference_id=reference_id, actor=actor, now=now)
    row.confirmed_by, row.confirmed_at = actor.label, now
    if document_hash:
        row.document_hash, row.confidence = document_hash, "high"
    _note(session, actor, "reference.confirmed", row, now)
    announce(session, events.ROWS_CHANGED, {"kind": row.product}, key=row.product)
    session.flush()  # a check in the same transaction must see it
    return row


def reject_reference(session: Session, *, reference_id: UUID, actor: Actor, now: datetime, reason: str) -> None:
    """Set a waiting row aside, with the reason in the audit. Raises ReferenceNotReady for one that is active."""
    row = lock_one(session, PriceReference, reference_id)
    if row.status != "needs_review":
        raise ReferenceNotReady(
            say("The row is %(status)s; only a waiting row can be rejected.", status=Term(row.status.replace("_", " ")))
        )
    row.status = "rejected"
    _note(session, actor, "reference.rejected", row, now, reason=reason)


def _note(session: Session, actor: Actor, action: str, row: PriceReference, now: datetime, **more: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject_kind="price_reference",
        subject_id=row.id,
        now=now,
        new={"status": row.status, "confidence": row.confidence, **more},
    )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | str) else str(value)
