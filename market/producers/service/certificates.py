"""Certificates: entered, checked by a person, suspended, withdrawn; never deleted (fair-prices.md 7)."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.outbox import announce
from market.producers import events, rules
from market.producers.errors import CertificateMissing, CertificateTaken, NotYoursToChange, ProducerMissing
from market.producers.models import Certificate, Producer


def enter_certificate(
    session: Session,
    *,
    actor: Actor,
    scheme: str,
    kind: str,
    number: str,
    issuer: str,
    product_scope: Sequence[str],
    valid_from: date,
    valid_to: date,
    now: datetime,
    producer_id: UUID | None = None,
) -> UUID:
    """Record a certificate of the actor's co-op or of one of its producers; it counts once somebody has checked it.

    Raises NotYoursToChange, BadCertificate, ProducerMissing, CertificateTaken.
    """
    if not actor.is_staff or actor.coop_id is None:
        raise NotYoursToChange("Only the staff of a co-op enters certificates.")
    rules.check_certificate(scheme=scheme, kind=kind, number=number, issuer=issuer, valid_from=valid_from, valid_to=valid_to)
    if producer_id is not None:
        holder = session.get(Producer, producer_id)
        if holder is None or holder.coop_id != actor.coop_id:
            raise ProducerMissing("There is no such producer.", pointer="/producer_id")
    same = select(Certificate.id).where(
        Certificate.coop_id == actor.coop_id, Certificate.scheme == scheme.strip(), Certificate.number == number.strip()
    )
    if session.scalars(same).one_or_none() is not None:
        raise CertificateTaken("A certificate of this scheme and number is entered already.", pointer="/number")
    certificate = Certificate(
        id=new_id(),
        coop_id=actor.coop_id,
        producer_id=producer_id,
        scheme=scheme.strip(),
        kind=kind,
        number=number.strip(),
        issuer=issuer.strip(),
        product_scope=sorted({item.strip().lower() for item in product_scope if item.strip()}),
        valid_from=valid_from,
        valid_to=valid_to,
        entered_at=now,
    )
    session.add(certificate)
    audit.record(
        session, actor=actor, action="producers.enter_certificate", subject_kind="certificate", subject_id=certificate.id,
        now=now, new={"scheme": scheme, "number": number, "valid_to": valid_to.isoformat()},
    )  # fmt: skip
    return certificate.id


def set_certificate_status(
    session: Session, *, actor: Actor, certificate_id: UUID, status: str, reason: str, now: datetime
) -> None:
    """Move a certificate on: `active` after a check, `suspended`, `withdrawn`; past orders keep what they were sold under.

    Offers that claim it leave the shop, and the pages of lots say it, as soon as a worker hears of it. Raises
    CertificateMissing, CertificateStateWrong.
    """
    rows = [row for row in locks.lock(session, Certificate, [certificate_id]) if row.coop_id == actor.coop_id]
    if not rows or not actor.is_staff:
        raise CertificateMissing("There is no such certificate.")
    (certificate,) = rows
    rules.check_certificate_step(certificate.status, status)
    old, certificate.status = certificate.status, status
    if status == "active":
        certificate.checked_by, certificate.checked_at = actor.label, now
    audit.record(
        session, actor=actor, action="producers.set_certificate_status", subject_kind="certificate", subject_id=certificate_id,
        now=now, old={"status": old}, new={"status": status, "reason": reason},
    )  # fmt: skip
    announce(session, events.CERTIFICATE_CHANGED, {"certificate_id": certificate_id, "coop_id": certificate.coop_id})
