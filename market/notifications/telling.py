"""What a mail to be is made of: to whom, of what kind, about which fact; shared by all who say who hears of what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts.queries import Person
from market.kernel.money import Money
from market.producers import queries as producers


@dataclass(frozen=True, slots=True)
class Telling:
    """One mail to be: to whom, of what kind, about which fact."""

    fact: str
    kind: str
    email: str
    name: str
    locale: str
    account_id: UUID | None = None
    link: tuple[str, str] | str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    about: tuple[UUID, ...] = ()
    """The co-ops whose business it is, where the fact itself names none."""


Payload = Mapping[str, str]
Teller = Callable[[Session, Payload], list[Telling]]


def as_money(amount: Money) -> dict[str, Any]:
    """Return an amount as a fact of a mail."""
    return {"money": [amount.minor, amount.currency]}


def as_instant(at: datetime) -> dict[str, str]:
    """Return an instant as a fact of a mail."""
    return {"instant": at.isoformat()}


def to_person(person: Person, *, fact: str, kind: str, link: tuple[str, str] | str, facts: dict[str, Any]) -> Telling:
    """Return a mail to somebody with an account, about their own business."""
    return Telling(fact, kind, person.email, person.name, person.locale, person.id, link, facts)


def staff_of(session: Session, coop_id: UUID) -> list[Person]:
    """Return the people with a role for a co-op."""
    grants = [grant for grant in accounts.grants(session, coop_id=coop_id) if grant.coop_id == coop_id]
    return [accounts.person(session, account_id) for account_id in dict.fromkeys(grant.account_id for grant in grants)]


def person_of(session: Session, producer_id: UUID) -> Person | None:
    """Return who signs in for a producer; None when nobody does."""
    account_id = producers.producer(session, producer_id).account_id
    return accounts.person(session, account_id) if account_id else None
