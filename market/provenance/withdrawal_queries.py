"""Reads of withdrawals of lots: which are in force, what they speak of, and which of them keeps a lot from being sold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.provenance.errors import LotNotWithdrawn
from market.provenance.models import LotWithdrawal, WithdrawnLot


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """A withdrawal: `lots` are withdrawn by it, the named one first; `kept` were made of them and stay on sale on purpose."""

    id: UUID
    coop_id: UUID
    lot_id: UUID
    reason: str
    advice: str
    withdrawn_by: str
    withdrawn_at: datetime
    ended_reason: str | None
    ended_by: str | None
    ended_at: datetime | None
    lots: tuple[UUID, ...]
    kept: tuple[UUID, ...]


_OWN = WithdrawalView.__slots__[:-2]


def _views(session: Session, rows: Sequence[LotWithdrawal]) -> list[WithdrawalView]:
    spoken: dict[tuple[UUID, bool], list[UUID]] = {}
    wanted = select(WithdrawnLot).where(WithdrawnLot.withdrawal_id.in_([row.id for row in rows])).order_by(WithdrawnLot.lot_id)
    for one in session.scalars(wanted) if rows else ():
        spoken.setdefault((one.withdrawal_id, one.kept), []).append(one.lot_id)
    return [
        WithdrawalView(
            **{name: getattr(row, name) for name in _OWN},
            lots=(row.lot_id, *(lot_id for lot_id in spoken.get((row.id, False), ()) if lot_id != row.lot_id)),
            kept=tuple(spoken.get((row.id, True), ())),
        )
        for row in rows
    ]


def withdrawal(session: Session, withdrawal_id: UUID) -> WithdrawalView:
    """Return one withdrawal, also one that was taken back. Raises LotNotWithdrawn."""
    row = session.get(LotWithdrawal, withdrawal_id, populate_existing=True)
    if row is None:
        raise LotNotWithdrawn("This lot is not withdrawn.")
    return _views(session, [row])[0]


def withdrawals_of(session: Session, lot_id: UUID) -> list[WithdrawalView]:
    """Return the withdrawals that this lot was ever withdrawn by, newest first."""
    mine = select(WithdrawnLot.withdrawal_id).where(WithdrawnLot.lot_id == lot_id, ~WithdrawnLot.kept)
    wanted = select(LotWithdrawal).where(LotWithdrawal.id.in_(mine)).order_by(LotWithdrawal.withdrawn_at.desc(), LotWithdrawal.id)
    return _views(session, session.scalars(wanted).all())


def in_force(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, WithdrawalView]:
    """Return, of some lots, those that are withdrawn, each with the withdrawal that was made first."""
    asked = set(lot_ids)
    mine = select(WithdrawnLot.withdrawal_id).where(WithdrawnLot.lot_id.in_(asked), ~WithdrawnLot.kept)
    wanted = select(LotWithdrawal).where(LotWithdrawal.id.in_(mine), LotWithdrawal.ended_at.is_(None))
    found = _views(session, session.scalars(wanted.order_by(LotWithdrawal.withdrawn_at.desc(), LotWithdrawal.id)).all())
    return {lot_id: view for view in found for lot_id in view.lots if lot_id in asked}


_BARRED = text(
    """
WITH RECURSIVE up(withdrawal_id, lot_id) AS (
  SELECT w.id, lot.id FROM lot_withdrawal w JOIN lot ON lot.coop_id = w.coop_id
  WHERE lot.id = :lot AND w.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM withdrawn_lot k WHERE k.withdrawal_id = w.id AND k.lot_id = lot.id AND k.kept)
  UNION
  SELECT up.withdrawal_id, e.input_lot FROM up JOIN lineage_edge e ON e.output_lot = up.lot_id AND e.voided_by IS NULL
  WHERE NOT EXISTS (
    SELECT FROM withdrawn_lot k WHERE k.withdrawal_id = up.withdrawal_id AND k.lot_id = e.input_lot AND k.kept))
SELECT withdrawal_id FROM up JOIN withdrawn_lot USING (withdrawal_id, lot_id) WHERE NOT kept ORDER BY withdrawal_id LIMIT 1"""
)


def barred_by(session: Session, lot_id: UUID) -> WithdrawalView | None:
    """Return the withdrawal for which a lot cannot be sold: its own, or one of what it was made from; None where it can.

    A lot that staff kept on purpose, when what it was made from was withdrawn, can be sold, and so can what is made of it.
    """
    found = session.scalar(_BARRED, {"lot": lot_id})
    return withdrawal(session, found) if found is not None else None
