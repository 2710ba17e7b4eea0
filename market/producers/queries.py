"""Reads of co-ops, producers, payee accounts and certificates, as frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from market.kernel.errors import Missing
from market.producers.models import Certificate, Coop, PayeeAccount, Producer


class CoopMissing(Missing):
    """There is no such co-op for this person."""

    code = "producers.coop_missing"


class ProducerMissing(Missing):
    """There is no such producer for this person."""

    code = "producers.producer_missing"


@dataclass(frozen=True, slots=True)
class CoopView:
    """A co-op with its published rates and its bank account."""

    id: UUID
    slug: str
    name: str
    country: str
    region: str
    currency: str
    time_zone: str
    language: str
    story: str
    service_pct: Decimal
    payment_pct: Decimal
    tax_pct: Decimal
    transport_minor_per_line: int
    account_holder: str
    iban: str | None
    bic: str | None
    street: str
    building: str
    town: str
    postcode: str
    latitude: Decimal | None
    longitude: Decimal | None


@dataclass(frozen=True, slots=True)
class ProducerView:
    """A producer under the name they agreed to have shown."""

    id: UUID
    coop_id: UUID
    slug: str
    name: str
    region: str
    story: str
    language: str
    account_id: UUID | None


@dataclass(frozen=True, slots=True)
class PayeeAccountView:
    """Where a producer is paid in one currency; confirmed by a second person."""

    id: UUID
    coop_id: UUID
    producer_id: UUID
    rail: str
    currency: str
    holder: str
    iban: str | None
    bic: str | None
    stripe_account: str | None
    street: str
    building: str
    town: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate; without a producer it is the whole co-op's."""

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


def _as(view: type, row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in view.__dataclass_fields__}  # type: ignore[attr-defined]


def _coop(row: Coop) -> CoopView:
    return CoopView(**_as(CoopView, row))  # type: ignore[arg-type]


def _producer(row: Producer) -> ProducerView:
    return ProducerView(**_as(ProducerView, row))  # type: ignore[arg-type]


def coop(session: Session, coop_id: UUID) -> CoopView:
    """Return a co-op. Raises CoopMissing."""
    row = session.get(Coop, coop_id)
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def coop_by_slug(session: Session, slug: str) -> CoopView:
    """Return the co-op with this address. Raises CoopMissing."""
    row = session.scalars(select(Coop).where(Coop.slug == slug)).one_or_none()
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def coops(session: Session) -> list[CoopView]:
    """Return all co-ops by name."""
    return [_coop(row) for row in session.scalars(select(Coop).order_by(Coop.name, Coop.id))]


def producer(session: Session, producer_id: UUID) -> ProducerView:
    """Return a producer in this scope. Raises ProducerMissing."""
    row = session.get(Producer, producer_id)
    if row is None:
        raise ProducerMissing("There is no such producer.")
    return _producer(row)


def producer_by_slug(session: Session, slug: str) -> ProducerView:
    """Return the producer with this address. Raises ProducerMissing."""
    row = session.scalars(select(Producer).where(Producer.slug == slug)).one_or_none()
    if row is None:
        raise ProducerMissing("There is no such producer.")
    return _producer(row)


def producers_by_id(session: Session, producer_ids: Iterable[UUID]) -> dict[UUID, ProducerView]:
    """Return producers by id in one statement; unknown ids are absent."""
    rows = session.scalars(select(Producer).where(Producer.id.in_(list(producer_ids))))
    return {row.id: _producer(row) for row in rows}


def producers_of(session: Session, *, coop_id: UUID) -> list[ProducerView]:
    """Return the producers of a co-op by name."""
    statement = select(Producer).where(Producer.coop_id == coop_id).order_by(Producer.name, Producer.id)
    return [_producer(row) for row in session.scalars(statement)]


def payee_account_for(session: Session, producer_id: UUID, currency: str) -> PayeeAccountView | None:
    """Return the confirmed account in which a producer is paid in `currency`, or None."""
    statement = select(PayeeAccount).where(
        PayeeAccount.producer_id == producer_id,
        PayeeAccount.currency == currency,
        PayeeAccount.confirmed_at.is_not(None),
        PayeeAccount.replaced_at.is_(None),
    )
    row = session.scalars(statement).one_or_none()
    return PayeeAccountView(**_as(PayeeAccountView, row)) if row else None  # type: ignore[arg-type]


def certificates_on(session: Session, *, coop_id: UUID, producer_id: UUID | None, on: date) -> list[CertificateView]:
    """Return the active certificates that cover a producer on a day: their own and the whole co-op's (fair-prices.md 7)."""
    statement = (
        select(Certificate)
        .where(
            Certificate.coop_id == coop_id,
            or_(Certificate.producer_id.is_(None), Certificate.producer_id == producer_id),
            Certificate.status == "active",
            Certificate.valid_from <= on,
            Certificate.valid_to >= on,
        )
        .order_by(Certificate.scheme, Certificate.number)
    )
    rows = session.scalars(statement)
    return [CertificateView(**_as(CertificateView, row) | {"product_scope": tuple(row.product_scope)}) for row in rows]  # type: ignore[arg-type]
