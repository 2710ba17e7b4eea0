"""Row locks, always in one order: kinds orders, stock, payments, payables, ledger; rows by id within a kind."""

from collections.abc import Iterable, Sequence
from enum import UNIQUE, IntEnum, verify
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.kernel.errors import Missing

T = TypeVar("T")


@verify(UNIQUE)
class Turn(IntEnum):
    """What people and tasks wait for one after another: two of one number would wait for each other."""

    BOOK = 7201
    """Taken by the ledger's functions in the database, beside the number of a book."""
    OFFSET = 7301
    CLOSE = 7302
    """The closes of a co-op are prepared, taken back and made one after the other."""
    LOT_PAGE = 7_320_001
    CHECKOUT = 0x63686B


@verify(UNIQUE)
class Alone(IntEnum):
    """What runs once at a time on the whole site: two of one number would keep each other from running."""

    CATALOGUE_EXPIRE = 710_001
    CATALOGUE_REEVALUATE = 710_002
    CATALOGUE_REMAKE = 710_003
    NEWS = 710_010
    MIGRATION = 7_200_001
    ORDERS_EXPIRE = 7_310_001
    ORDERS_CONFIRM = 7_310_002
    ORDERS_SETTLE = 7_310_003
    RECORDING = 0x45504349
    """Events get their sequence, and whoever comes meanwhile waits."""


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


def advisory(session: Session, key: Alone) -> bool:
    """Try to take the transaction's advisory lock `key`; False when another process holds it."""
    return bool(session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key.value}).scalar_one())


def turn(session: Session, kind: Turn, row_id: UUID) -> None:
    """Wait for one's turn at something that has no row yet, and keep it to the end of the transaction.

    What is read afterwards is what the one before has committed.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:kind, hashtext(:id))"), {"kind": kind.value, "id": str(row_id)})
