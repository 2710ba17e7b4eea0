"""What the tax office asks about a seller: entered by the producer, or by the staff of their co-op from a paper."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.producers import rules
from market.producers.errors import ProducerMissing
from market.producers.models import Producer, TaxIdentity
from market.producers.rules import Identity


def enter_identity(session: Session, *, actor: Actor, producer_id: UUID, identity: Identity, now: datetime) -> None:
    """Record who a seller is for the tax office; what is not known stays empty and is asked for again.

    Locks the producer. Raises ProducerMissing, BadIdentity.
    """
    (producer,) = locks.lock(session, Producer, [producer_id]) or (None,)
    allowed = producer is not None and producer.coop_id == actor.coop_id and (actor.is_staff or producer_id == actor.producer_id)
    if producer is None or not allowed:
        raise ProducerMissing("There is no such producer.")
    wanted = rules.checked_identity(identity, today=now.date())
    row = session.get(TaxIdentity, producer_id)
    if row is None:
        row = TaxIdentity(producer_id=producer_id, coop_id=producer.coop_id, entered_by=actor.label, entered_at=now)
        session.add(row)
        changed = [name for name in Identity.__slots__ if getattr(wanted, name)]
    else:
        changed = [name for name in Identity.__slots__ if getattr(row, name) != getattr(wanted, name)]
    for name in Identity.__slots__:
        setattr(row, name, getattr(wanted, name))
    row.entered_by, row.entered_at = actor.label, now
    if changed:
        # The trail names fields and not what stands in them: it outlives the person's wish to be forgotten.
        audit.record(
            session, actor=actor, action="producers.enter_identity", subject_kind="producer", subject_id=producer_id, now=now,
            new={"fields": changed},
        )  # fmt: skip
