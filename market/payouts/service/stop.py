"""Stop paying when a rail or a bank shows a payout that we do not know, until a person has compared.

After a restore from a backup our tables have forgotten what was sent since, and would pay it again under new keys. The first
comparison with a foreign record finds that out: a transfer or a debit that carries our reference and is in no table of ours.
So does a debit for a payout that failed, was cancelled or came back: what it paid for is owed again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor, system
from market.kernel.ids import new_id
from market.kernel.words import say
from market.payouts.errors import EvidenceNeeded, PayoutsStopped
from market.payouts.models import Payout, PayoutStop
from market.payouts.rules.states import FINAL

_ACTOR = system("payouts")


def stop(session: Session, *, coop_ids: Sequence[UUID], found_in: str, evidence: str, now: datetime) -> None:
    """Stop approving and sending for these co-ops, saying where what was seen; the same evidence stops once."""
    for coop_id in sorted(coop_ids):
        row = {"id": new_id(), "coop_id": coop_id, "found_in": found_in, "evidence": evidence, "found_at": now}
        made = insert(PayoutStop).values(row).on_conflict_do_nothing().returning(PayoutStop.id)
        if session.execute(made).first() is None:
            continue
        audit.record(
            session, actor=_ACTOR, action="payouts.stopped", subject_kind="coop", subject_id=coop_id, coop_id=coop_id, now=now,
            new={"found_in": found_in, "evidence": evidence},
        )  # fmt: skip
        outbox.announce(session, "payouts.stopped", {"coop_id": coop_id})


def stop_for_unknown(session: Session, *, coop_id: UUID, debits: Mapping[str, int], found_in: str, now: datetime) -> list[str]:
    """Stop a co-op whose statement shows debits for payouts that it does not know, or that are owed again; return those.

    `debits` is the minor units by reference. Less than the payout is a bank's charge that names it.
    """
    rows = session.execute(select(Payout.reference, Payout.state, Payout.amount_minor).where(Payout.reference.in_(debits)))
    known = {row.reference: row for row in rows} if debits else {}
    lost = sorted(
        reference
        for reference, minor in debits.items()
        if (row := known.get(reference)) is None or (row.state in FINAL and minor >= row.amount_minor)
    )
    for reference in lost:
        stop(session, coop_ids=[coop_id], found_in=found_in, evidence=reference, now=now)
    return lost


def refuse_stopped(session: Session, coop_id: UUID) -> None:
    """Raise PayoutsStopped while a stop stands."""
    row = session.scalars(
        select(PayoutStop).where(PayoutStop.coop_id == coop_id, PayoutStop.lifted_at.is_(None)).limit(1)
    ).first()
    if row is not None:
        raise PayoutsStopped(
            say(
                "Nothing is sent: %(found_in)s shows the payout %(evidence)s, which is unknown or owed again. Compare first.",
                found_in=row.found_in,
                evidence=row.evidence,
            )
        )


def lift(session: Session, *, actor: Actor, coop_id: UUID, why: str, now: datetime) -> int:
    """Take up paying again after a person has compared; return how many stops were lifted. Raises EvidenceNeeded."""
    if len(why.strip()) < 20:
        raise EvidenceNeeded("Please write what you compared and what you found.", pointer="/why")
    ids = session.scalars(select(PayoutStop.id).where(PayoutStop.coop_id == coop_id, PayoutStop.lifted_at.is_(None)))
    rows = locks.lock(session, PayoutStop, ids)
    for row in rows:
        row.lifted_by, row.lifted_why, row.lifted_at = actor.label, why.strip(), now
    audit.record(
        session, actor=actor, action="payouts.stop_lifted", subject_kind="coop", subject_id=coop_id, coop_id=coop_id, now=now,
        new={"why": why.strip(), "count": len(rows)},
    )  # fmt: skip
    return len(rows)


GOES_OUT = ~exists().where(PayoutStop.coop_id == Payout.coop_id, PayoutStop.lifted_at.is_(None))
"""No stop stands for the co-op of a payout."""
