"""Payee accounts, and who their holders are for the tax office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.producers.errors import PayeeAccountMissing
from market.producers.models import PayeeAccount, TaxIdentity
from market.producers.queries.members import PAGE
from market.producers.rules import Identity


@dataclass(frozen=True, slots=True)
class PayeeAccountView:
    """Where a producer is paid in one currency."""

    id: UUID
    coop_id: UUID
    producer_id: UUID
    rail: str
    currency: str
    holder: str
    iban: str | None
    bic: str | None
    stripe_account: str | None
    msisdn: str | None
    known_name: str | None
    name_doubt: str | None
    name_agreed_by: str | None
    name_reason: str | None
    street: str
    building: str
    town: str
    postcode: str
    country: str
    entered_by: str
    entered_at: datetime
    confirmed_by: str | None
    confirmed_at: datetime | None
    replaced_at: datetime | None

    @property
    def state(self) -> str:
        """`waiting` for a second person, `live`, or `replaced`."""
        if self.replaced_at is not None:
            return "replaced"
        return "live" if self.confirmed_at is not None else "waiting"


def payee_account_for(session: Session, producer_id: UUID, currency: str) -> PayeeAccountView | None:
    """Return where a producer is paid in `currency`, confirmed by a second person; None when nowhere yet."""
    statement = select(PayeeAccount).where(
        PayeeAccount.producer_id == producer_id,
        PayeeAccount.currency == currency,
        PayeeAccount.confirmed_at.is_not(None),
        PayeeAccount.replaced_at.is_(None),
    )
    row = session.scalars(statement).one_or_none()
    return None if row is None else _payee_account(row)


def payee_account(session: Session, payee_account_id: UUID, *, actor: Actor) -> PayeeAccountView:
    """Return one payee account. Raises PayeeAccountMissing."""
    row = session.get(PayeeAccount, payee_account_id)
    if row is None or (not actor.is_staff and row.producer_id != actor.producer_id):
        raise PayeeAccountMissing("There is no such account to pay to.")
    return _payee_account(row)


def payee_accounts(
    session: Session, *, actor: Actor, producer_id: UUID | None = None, waiting: bool = False
) -> list[PayeeAccountView]:
    """Return payee accounts of the actor's co-op (for a producer, their own), newest first.

    `waiting` keeps those that a second person has still to confirm.
    """
    statement = select(PayeeAccount).where(PayeeAccount.coop_id == actor.coop_id).order_by(PayeeAccount.id.desc())
    if not actor.is_staff:
        statement = statement.where(PayeeAccount.producer_id == actor.producer_id)
    if producer_id is not None:
        statement = statement.where(PayeeAccount.producer_id == producer_id)
    if waiting:
        statement = statement.where(PayeeAccount.confirmed_at.is_(None), PayeeAccount.replaced_at.is_(None))
    return [_payee_account(row) for row in session.scalars(statement)]


def doubted_accounts(session: Session, *, coop_id: UUID) -> list[PayeeAccountView]:
    """Return accounts that are paid to or wait, whose holder has another name than the member or the wallet, oldest first."""
    statement = (
        select(PayeeAccount)
        .where(
            PayeeAccount.coop_id == coop_id,
            PayeeAccount.name_doubt.is_not(None),
            PayeeAccount.name_agreed_by.is_(None),
            PayeeAccount.replaced_at.is_(None),
        )
        .order_by(PayeeAccount.id)
        .limit(PAGE)
    )
    return [_payee_account(row) for row in session.scalars(statement)]


def wallet_to_check(session: Session, payee_account_id: UUID) -> str | None:
    """Return the number of a wallet whose name nobody has asked the provider for; None when there is none to ask."""
    statement = select(PayeeAccount.msisdn).where(PayeeAccount.id == payee_account_id, PayeeAccount.known_name.is_(None))
    return session.execute(statement).scalar_one_or_none()


def live_payee_accounts(session: Session, coop_id: UUID) -> list[PayeeAccountView]:
    """Return where every producer of a co-op is paid now: confirmed and not replaced, at most one per currency."""
    columns = [getattr(PayeeAccount, name) for name in PayeeAccountView.__slots__]
    statement = select(*columns).where(
        PayeeAccount.coop_id == coop_id, PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None)
    )
    return [PayeeAccountView(*row) for row in session.execute(statement)]


def live_accounts(session: Session, producer_ids: Sequence[UUID]) -> list[PayeeAccountView]:
    """Return where each of some producers is paid now, by currency."""
    live = (PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None))
    statement = select(PayeeAccount).where(PayeeAccount.producer_id.in_(producer_ids), *live).order_by(PayeeAccount.currency)
    return [_payee_account(row) for row in session.scalars(statement)]


def reportable_account(session: Session, producer_id: UUID) -> bool:
    """Whether a producer has a confirmed account with an identifier that a report can name; cash has none."""
    return any(one.iban or one.stripe_account for one in live_accounts(session, [producer_id]))


def identities(session: Session, producer_ids: Sequence[UUID]) -> dict[UUID, Identity]:
    """Return what is known of some sellers for the tax office; who has said nothing is absent. Callers ask for whom they may."""
    rows = session.scalars(select(TaxIdentity).where(TaxIdentity.producer_id.in_(producer_ids)))
    return {row.producer_id: Identity(**{name: getattr(row, name) for name in Identity.__slots__}) for row in rows}


def live_accounts_of(coop_id: UUID) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of where every producer of a co-op is paid now, for statements over whole runs."""
    names = ["id", "producer_id", "rail", "currency", "holder", "iban", "bic", "stripe_account", "msisdn"]
    names += ["street", "building", "postcode", "town", "country"]
    doubt = (PayeeAccount.name_doubt == "provider") & PayeeAccount.name_agreed_by.is_(None)
    unlike = case((doubt, PayeeAccount.known_name)).label("unlike")
    return select(*(getattr(PayeeAccount, name) for name in names), unlike).where(
        PayeeAccount.coop_id == coop_id, PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None)
    )


def _payee_account(row: PayeeAccount) -> PayeeAccountView:
    return PayeeAccountView(**{field: getattr(row, field) for field in PayeeAccountView.__slots__})
