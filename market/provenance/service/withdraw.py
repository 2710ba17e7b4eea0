"""A lot is withdrawn, with what was made from it, or a withdrawal is taken back; events and lineage stay as they are."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock, lock_one
from market.kernel.words import N_, say
from market.provenance import queries
from market.provenance.errors import LotMissing, LotNotWithdrawn, LotWithdrawn, WithdrawalFaulty
from market.provenance.models import Lot, LotPage, LotWithdrawal, WithdrawnLot
from market.provenance.service.pages import refresh_later
from market.provenance.withdrawal_queries import WithdrawalView, in_force, withdrawal

ADVICE = ("discard", "return", "keep")
"""What those do with the goods who have them already."""
MOST_LETTERS = 1000


def withdraw(
    session: Session, *, actor: Actor, lot_id: UUID, with_lots: Iterable[UUID], reason: str, advice: str, now: datetime
) -> WithdrawalView:
    """Withdraw a lot of the actor's co-op and, of what was made from it, `with_lots`; the others are kept on purpose.

    Locks the lots; their stored pages go in this transaction, and are built anew after it. Raises LotMissing for a lot of
    somebody else and for one in `with_lots` that was not made from it, LotWithdrawn when it is withdrawn already,
    WithdrawalFaulty.
    """
    lot = _own(session, actor, lot_id)
    reason = _checked(reason)
    if advice not in ADVICE:
        raise WithdrawalFaulty("Say what those shall do who have it already.", pointer="/advice")
    chosen, made = set(with_lots), {UUID(key) for key in queries.lineage(session, lot_id, down=True).lots} - {lot_id}
    if not chosen <= made:
        raise LotMissing("One of these lots was not made from this one.", pointer="/with_lots")
    lock(session, Lot, {lot_id, *chosen})
    if session.scalar(select(LotWithdrawal.id).where(LotWithdrawal.lot_id == lot_id, LotWithdrawal.ended_at.is_(None))):
        raise LotWithdrawn("This lot is withdrawn already. Take that back first, to say something else of it.")
    row = LotWithdrawal(
        id=new_id(), coop_id=lot.coop_id, lot_id=lot_id, reason=reason, advice=advice, withdrawn_by=actor.label, withdrawn_at=now
    )
    session.add(row)
    session.flush()  # its lots point at it
    session.add_all(
        WithdrawnLot(withdrawal_id=row.id, coop_id=lot.coop_id, lot_id=each, kept=each not in {lot_id, *chosen})
        for each in sorted({lot_id, *made})
    )
    session.flush()  # what lots say is read from these rows
    _follow(session, {lot_id, *chosen})
    view = withdrawal(session, row.id)
    _note(session, actor, "lot.withdrawn", view, now, {"reason": reason, "advice": advice})
    return view


def take_back(session: Session, *, actor: Actor, lot_id: UUID, reason: str, now: datetime) -> WithdrawalView:
    """Take back the withdrawal that names this lot; lots that another one is about stay withdrawn by that.

    Locks as `withdraw`. Raises LotMissing, LotNotWithdrawn, WithdrawalFaulty.
    """
    _own(session, actor, lot_id)
    reason = _checked(reason)
    found = session.scalar(select(LotWithdrawal.id).where(LotWithdrawal.lot_id == lot_id, LotWithdrawal.ended_at.is_(None)))
    row = lock_one(session, LotWithdrawal, found) if found is not None else None
    if row is None or row.ended_at is not None:
        raise LotNotWithdrawn("This lot is not withdrawn, or its withdrawal was taken back already.")
    row.ended_reason, row.ended_by, row.ended_at = reason, actor.label, now
    session.flush()  # what lots say is read from these rows
    view = withdrawal(session, row.id)
    lock(session, Lot, view.lots)
    _follow(session, view.lots)
    _note(session, actor, "lot.withdrawal_ended", view, now, {"reason": reason})
    return view


def hold_for_sale(session: Session, lot_id: UUID) -> None:
    """Let nobody withdraw a lot before this transaction has ended; who comes second waits."""
    session.execute(select(Lot.id).where(Lot.id == lot_id).with_for_update(read=True))


def _own(session: Session, actor: Actor, lot_id: UUID) -> queries.LotView:
    lot = queries.own_lot(session, lot_id, actor=actor)
    if not actor.is_staff:
        raise LotMissing("There is no such lot.")
    return lot


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise WithdrawalFaulty(N_("Please say why. Everybody can read it."), pointer="/reason")
    if len(reason) > MOST_LETTERS:
        raise WithdrawalFaulty(
            say("Please say it in at most %(most_letters)s letters.", most_letters=MOST_LETTERS), pointer="/reason"
        )
    return reason


def _follow(session: Session, lot_ids: Iterable[UUID]) -> None:
    """Write on locked lots what the withdrawals in force say of them, and let their pages be made anew."""
    ids = sorted(lot_ids)
    said = in_force(session, ids)
    for lot in session.scalars(select(Lot).where(Lot.id.in_(ids))):
        view = said.get(lot.id)
        lot.withdrawn_at, lot.withdrawn_reason = (view.withdrawn_at, view.reason) if view else (None, None)
    session.execute(delete(LotPage).where(LotPage.lot_id.in_(ids)))
    refresh_later(session, ids)


def _note(session: Session, actor: Actor, action: str, view: WithdrawalView, now: datetime, new: dict[str, str]) -> None:
    """Record it with the lot that is named and with every other one that it is about."""
    slugs = queries.slugs(session, [*view.lots, *view.kept])
    spoken = {"with_lots": view.lots[1:], "kept_lots": view.kept}
    facts = new | {name: sorted(slugs[each] for each in lots) for name, lots in spoken.items() if lots}
    for lot_id in view.lots:
        named = {} if lot_id == view.lot_id else {"lot": slugs[view.lot_id]}
        audit.record(
            session, actor=actor, action=action, subject_kind="lot", subject_id=lot_id, now=now, coop_id=view.coop_id,
            new=(facts if lot_id == view.lot_id else new) | named,
        )  # fmt: skip
