"""Certificates."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from market.producers.models import Certificate


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate as pages and price checks need it; `producer_id` None means the whole co-op holds it."""

    id: UUID
    coop_id: UUID
    producer_id: UUID | None
    scheme: str
    kind: str
    number: str
    issuer: str
    product_scope: tuple[str, ...]
    valid_from: date
    valid_to: date
    status: str
    checked_by: str | None
    checked_at: datetime | None


def certificates_on(session: Session, coop_id: UUID, producer_id: UUID | None, on: date) -> list[CertificateView]:
    """Return the certificates that count on a day, held by the producer or by the whole co-op (fair-prices.md 7)."""
    holder = or_(Certificate.producer_id.is_(None), Certificate.producer_id == producer_id)
    statement = select(Certificate).where(
        Certificate.coop_id == coop_id,
        holder,
        Certificate.status == "active",
        Certificate.valid_from <= on,
        Certificate.valid_to >= on,
    )
    return [_certificate(row) for row in session.scalars(statement.order_by(Certificate.scheme, Certificate.id))]


def certificates(session: Session, *, coop_id: UUID) -> list[CertificateView]:
    """Return all certificates of a co-op, those that end first first."""
    statement = select(Certificate).where(Certificate.coop_id == coop_id).order_by(Certificate.valid_to, Certificate.id)
    return [_certificate(row) for row in session.scalars(statement)]


def _certificate(row: Certificate) -> CertificateView:
    values = {field: getattr(row, field) for field in CertificateView.__slots__}
    return CertificateView(**values | {"product_scope": tuple(row.product_scope)})
