"""Row locks, always in one order: kinds orders, stock, payments, payables, ledger; rows by id within a kind."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.kernel.errors import Missing

T = TypeVar("T")


def lock(session: Session, model: type[T], ids: Iterable[Any], *, column: str = "id") -> Sequence[T]:
    """Lock rows FOR UPDATE in the order of `column` and return them fresh in that order.

    Without `populate_existing` the session would hand back the stale object it already holds.
    """
    key = getattr(model, column)
    statement = (
        select(model)
        .where(key.in_(sorted(set(ids))))
        .order_by(key)
        .with_for_update(of=model)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def lock_one(session: Session, model: type[T], row_id: Any) -> T:
    """Lock one row and return it fresh. Raises Missing when this actor's scope holds no such row."""
    rows = lock(session, model, [row_id])
    if not rows:
        raise Missing("There is no such record here. Check the address or go back to the list.")
    return rows[0]


def advisory(session: Session, key: int) -> bool:
    """Try to take the transaction's advisory lock `key`; False when another process holds it."""
    return bool(session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}).scalar_one())


def turn(session: Session, kind: int, row_id: UUID) -> None:
    """Wait for one's turn at something that has no row yet, and keep it to the end of the transaction.

    `kind` is the caller's number. What is read afterwards is what the one before has committed.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:kind, hashtext(:id))"), {"kind": kind, "id": str(row_id)})
