"""Opening a co-op, and changing what it says of itself and what its service costs."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks, postcodes, text
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.outbox import announce
from market.kernel.words import say
from market.ledger import service as ledger
from market.producers import events, rules
from market.producers.errors import CoopMissing, NotYoursToChange, SlugTaken
from market.producers.models import Coop


@dataclass(frozen=True, slots=True)
class CoopTerms:
    """What a co-op says of itself and charges the buyer; the producer's part of a price is untouched by it (R-16)."""

    name: str
    country: str
    region: str = ""
    time_zone: str = "UTC"
    language: str = "en"
    story: str = ""
    service_pct: Decimal = Decimal(0)
    payment_pct: Decimal = Decimal(0)
    tax_pct: Decimal = Decimal(0)
    transport_minor_per_line: int = 0
    delivery_from_days: int = 5
    delivery_to_days: int = 14
    account_holder: str = ""
    iban: str | None = None
    bic: str | None = None
    street: str = ""
    building: str = ""
    town: str = ""
    postcode: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    transfer_hold_days: int = 5
    """How long goods are kept for an order that is paid by bank transfer."""
    part_paid_days: int = 14
    """How long after that a part payment may wait for the rest before it is given back."""
    charge_when_packed: bool = False
    """Cards: the whole is kept on the card with the order, and what is really sent is taken when it was packed."""
    book_alone_minor: int = 0
    """Up to what a preparer books a statement line to charges or writes it off without an approver."""


def create_coop(session: Session, *, actor: Actor, terms: CoopTerms, currency: str, now: datetime, slug: str = "") -> UUID:
    """Open a co-op and its book, and return its id. Only an administrator may.

    Raises NotYoursToChange, BadCoop, BadPayeeAccount (the co-op's own account), BadPostcode, SlugTaken.
    """
    if not actor.roles & {"admin", "system"}:
        raise NotYoursToChange("Only an administrator of the site opens a co-op.")
    values = _checked(terms, currency)
    address = text.slug(slug or terms.name)
    if session.scalars(select(Coop.id).where(Coop.slug == address)).one_or_none() is not None:
        raise SlugTaken(say("Another co-op has the address %(address)s. Choose another one.", address=address), pointer="/slug")
    coop = Coop(id=new_id(), slug=address, currency=currency, created_at=now, **values)
    session.add(coop)
    session.flush()  # the book refers to the co-op
    ledger.ensure_book(session, coop_id=coop.id, base_currency=currency)
    audit.record(
        session, actor=actor, action="producers.create_coop", subject_kind="coop", subject_id=coop.id, now=now,
        coop_id=coop.id, new={"slug": address, "currency": currency},
    )  # fmt: skip
    return coop.id


def update_coop(session: Session, *, actor: Actor, coop_id: UUID, terms: CoopTerms, now: datetime) -> None:
    """Change a co-op's description and charges; its currency stays. An approver of the co-op or an administrator may.

    Orders keep the charges they were placed under. Raises CoopMissing, NotYoursToChange, BadCoop, BadPayeeAccount, BadPostcode.
    """
    if "admin" not in actor.roles and coop_id != actor.coop_id:
        raise CoopMissing("There is no such co-op.")
    if not actor.roles & {"admin", "approver"}:
        raise NotYoursToChange("Only an approver changes what the co-op charges and where it is paid.")
    coop = locks.lock_one(session, Coop, coop_id)
    values = _checked(terms, coop.currency)
    changed = {field: value for field, value in values.items() if getattr(coop, field) != value}
    old = {field: _plain(getattr(coop, field)) for field in changed}
    for field, value in changed.items():
        setattr(coop, field, value)
    if changed:
        audit.record(
            session, actor=actor, action="producers.update_coop", subject_kind="coop", subject_id=coop_id, now=now,
            coop_id=coop_id, old=old, new={field: _plain(value) for field, value in changed.items()},
        )  # fmt: skip
        announce(session, events.SHOWN_CHANGED, {"coop_id": coop_id})


def _checked(terms: CoopTerms, currency: str) -> dict[str, object]:
    rules.check_coop(
        name=terms.name,
        country=terms.country,
        currency=currency,
        time_zone=terms.time_zone,
        percentages={"service_pct": terms.service_pct, "payment_pct": terms.payment_pct, "tax_pct": terms.tax_pct},
        transport_minor=terms.transport_minor_per_line,
        delivery_days=(terms.delivery_from_days, terms.delivery_to_days),
    )
    rules.check_terms(
        transfer_hold_days=terms.transfer_hold_days,
        part_paid_days=terms.part_paid_days,
        book_alone_minor=terms.book_alone_minor,
    )
    return asdict(terms) | {
        "name": terms.name.strip(),
        "postcode": postcodes.checked(terms.postcode, terms.country),
        "iban": rules.checked_iban(terms.iban) if terms.iban else None,
        "bic": rules.checked_bic(terms.bic),
    }


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Decimal) else value
