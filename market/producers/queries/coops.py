"""Co-ops: who they are, who follows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from market.kernel import direct
from market.producers.errors import CoopMissing
from market.producers.models import Coop, Follow


@dataclass(frozen=True, slots=True)
class CoopView:
    """A co-op as other capabilities and pages need it; percentages are of the buyer's side of a price."""

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
    delivery_from_days: int
    delivery_to_days: int
    account_holder: str
    iban: str | None
    bic: str | None
    street: str
    building: str
    town: str
    postcode: str
    latitude: Decimal | None
    longitude: Decimal | None
    transfer_hold_days: int
    part_paid_days: int
    book_alone_minor: int
    charge_when_packed: bool


def coop(session: Session, coop_id: UUID) -> CoopView:
    """Return a co-op. Raises CoopMissing."""
    row = session.get(Coop, coop_id)
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def lock_coop(session: Session, coop_id: UUID) -> None:
    """Lock a co-op's row, so that a number of its own is given to one caller at a time."""
    session.execute(select(Coop.id).where(Coop.id == coop_id).with_for_update())


def coop_by_slug(session: Session, slug: str) -> CoopView:
    """Return the co-op at this address. Raises CoopMissing."""
    row = session.scalars(select(Coop).where(Coop.slug == slug)).one_or_none()
    if row is None:
        raise CoopMissing("There is no such co-op.")
    return _coop(row)


def coops(session: Session, *, ids: list[UUID] | None = None) -> list[CoopView]:
    """Return co-ops by name: all, or those with `ids`."""
    statement = select(Coop).order_by(Coop.name, Coop.id)
    if ids is not None:
        statement = statement.where(Coop.id.in_(ids))
    return [_coop(row) for row in session.scalars(statement)]


def followed(session: Session, account_id: UUID) -> set[UUID]:
    """Return the co-ops that somebody follows."""
    return set(session.scalars(select(Follow.coop_id).where(Follow.account_id == account_id)))


def followers_due(session: Session, coop_ids: Iterable[UUID], *, day: datetime) -> list[tuple[UUID, UUID, datetime]]:
    """Return who follows these co-ops and got no news since `day` began: account, co-op, up to when they know its goods."""
    other = aliased(Follow)
    told_today = select(other).where(other.account_id == Follow.account_id, other.told_at >= day).exists()
    statement = (
        select(Follow.account_id, Follow.coop_id, func.coalesce(Follow.told_at, Follow.since))
        .where(Follow.coop_id.in_(list(coop_ids)), ~told_today)
        .order_by(Follow.account_id, Follow.coop_id)
    )
    return [(account_id, coop_id, known) for account_id, coop_id, known in session.execute(statement)]


def coops_by_id(session: Session, coop_ids: Iterable[UUID]) -> dict[UUID, CoopView]:
    """Return co-ops by id in one statement; unknown ids are absent."""
    return {row[0]: CoopView(*row) for row in direct.run(session, _COOPS, {"ids": direct.array(coop_ids)})}


_COOPS = f"SELECT {', '.join(CoopView.__slots__)} FROM coop WHERE id = ANY(%(ids)s::uuid[])"  # noqa: S608


def _coop(row: Coop) -> CoopView:
    return CoopView(**{field: getattr(row, field) for field in CoopView.__slots__})
