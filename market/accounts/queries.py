"""Reads about people, roles and keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from market.accounts.errors import AccountMissing
from market.accounts.models import Account, AccountRole, ApiKey
from market.kernel import direct
from market.kernel.actor import Actor

_WITH_ROLES = """
SELECT a.id, a.email, a.name, a.locale, r.role, r.coop_id
  FROM account a LEFT JOIN account_role r ON r.account_id = a.id
 WHERE a.id = %(account)s AND a.erased_at IS NULL
 ORDER BY r.id"""


@dataclass(frozen=True, slots=True)
class Person:
    """An account as pages and letters need it."""

    id: UUID
    email: str
    name: str
    locale: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody holds, for a co-op or (admin) for the site."""

    id: UUID
    account_id: UUID
    role: str
    coop_id: UUID | None
    granted_at: datetime
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class KeyCard:
    """What may be shown of an API key; its secret is not known here."""

    id: UUID
    label: str
    prefix: str
    scopes: tuple[str, ...]
    coop_id: UUID | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return self.revoked_at is None and now < self.expires_at


def person(session: Session, account_id: UUID) -> Person:
    """Return the account. Raises AccountMissing, also for an erased one."""
    found = _person(session, select(Account).where(Account.id == account_id))
    if found is None:
        raise AccountMissing("There is no such account.")
    return found


def people(session: Session, account_ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return accounts by id in one statement; unknown and erased ones are absent."""
    rows = session.scalars(select(Account).where(Account.id.in_(list(account_ids)), Account.erased_at.is_(None)))
    return {row.id: Person(row.id, row.email, row.name, row.locale) for row in rows}


def names_of_staff(session: Session, labels: Iterable[str | None], *, coop_id: UUID) -> dict[str, str]:
    """Return the names behind labels of actors (`account:...`), of those alone who work for the co-op."""
    works = select(AccountRole.account_id).where(AccountRole.coop_id == coop_id)
    named = select(Account.id, Account.name).where(Account.id.in_(works))
    names = {Actor(account_id=account_id).label: name for account_id, name in session.execute(named)}
    return {label: names[label] for label in labels if label in names}


def person_by_email(session: Session, email: str) -> Person | None:
    """Return the account with this address in lower case, or None."""
    return _person(session, select(Account).where(Account.email == email))


def _person(session: Session, statement: Select[Account]) -> Person | None:
    row = session.scalars(statement.where(Account.erased_at.is_(None))).one_or_none()
    return None if row is None else Person(row.id, row.email, row.name, row.locale)


def person_with_roles(session: Session, account_id: UUID) -> tuple[Person, list[tuple[str, UUID | None]]]:
    """Return the account and the roles it holds, as pairs of role and co-op, in the order in which they were granted.

    Raises AccountMissing, also for an erased one. Each request of somebody signed in asks this.
    """
    rows = direct.run(session, _WITH_ROLES, {"account": account_id})
    if not rows:
        raise AccountMissing("There is no such account.")
    return Person(*rows[0][:4]), [(role, coop_id) for *_, role, coop_id in rows if role is not None]


def grants(session: Session, *, coop_id: UUID | None = None) -> list[Grant]:
    """Return who holds which role, newest last; of one co-op, or of all."""
    statement = select(AccountRole, Account).join(Account, Account.id == AccountRole.account_id).order_by(AccountRole.id)
    if coop_id is not None:
        statement = statement.where(AccountRole.coop_id == coop_id)
    return [
        Grant(role.id, account.id, role.role, role.coop_id, role.granted_at, account.email, account.name)
        for role, account in session.execute(statement)
    ]


def api_keys(session: Session, *, actor: Actor) -> list[KeyCard]:
    """Return the keys that the actor made, newest first."""
    statement = select(ApiKey).where(ApiKey.account_id == actor.account_id).order_by(ApiKey.id.desc())
    return [_card(row) for row in session.scalars(statement)]


def _card(row: ApiKey) -> KeyCard:
    return KeyCard(
        id=row.id,
        label=row.label,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        coop_id=row.coop_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
