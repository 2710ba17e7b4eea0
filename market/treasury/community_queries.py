"""What is known of a community currency: its scheme, holders with their balances from the books, transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.producers import queries as producers
from market.treasury.community_models import UNIT, CommunityHolder, CommunityLeaving, CommunityScheme, CommunityTransfer
from market.treasury.errors import NoRecord


@dataclass(frozen=True, slots=True)
class SchemeView:
    """The co-op's scheme, proposed or open."""

    id: UUID
    state: str
    legal_check: str
    authorise_above: Money
    proposed_by: str


@dataclass(frozen=True, slots=True)
class HolderView:
    """A holder: the balance as the books have it, how far it may fall, how far it may rise (None: as far as it goes)."""

    id: UUID
    producer_id: UUID
    name: str
    state: str
    balance: Money
    limit_down: Money
    limit_up: Money | None
    growth_cap: Money
    proposed_by: str

    @property
    def spendable(self) -> Money:
        """What the holder can still pay."""
        return self.balance + self.limit_down


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer between two holders, by name."""

    id: UUID
    payer: str
    payee: str
    money: Money
    words: str
    state: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class LeavingView:
    """A debt that the members are to take over."""

    id: UUID
    holder_id: UUID
    name: str
    minutes: str
    proposed_by: str
    state: str


def unit(minor: int) -> Money:
    """Return an amount of the unit."""
    return Money(minor, UNIT)


def scheme(session: Session, coop_id: UUID) -> SchemeView | None:
    """Return a co-op's scheme; None where none was proposed, or it was declined."""
    live = (CommunityScheme.coop_id == coop_id, CommunityScheme.state != "declined")
    row = session.scalars(select(CommunityScheme).where(*live)).one_or_none()
    if row is None:
        return None
    return SchemeView(row.id, row.state, row.legal_check, unit(row.authorise_above_minor), row.proposed_by)


def holders(session: Session, coop_id: UUID, *, states: Sequence[str] = ("open",)) -> list[HolderView]:
    """Return the holders of a co-op by name, in these states."""
    mine = (CommunityHolder.coop_id == coop_id, CommunityHolder.state.in_(states))
    rows = session.scalars(select(CommunityHolder).where(*mine)).all()
    people = producers.producers_by_id(session, {row.producer_id for row in rows})
    found = books.balances(session, ledger.book_of(session, coop_id), prefix="lc:")
    balances = {row.code: row.money for row in found}
    views = [_view(row, people[row.producer_id].name, balances.get(account_of(row.id), unit(0))) for row in rows]
    return sorted(views, key=lambda one: (one.name, one.id))


def holder(session: Session, holder_id: UUID) -> HolderView:
    """Return a holder. Raises NoRecord outside this scope."""
    row = session.get(CommunityHolder, holder_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    name = producers.producer(session, row.producer_id).name
    return _view(row, name, books.balance(session, ledger.book_of(session, row.coop_id), account_of(row.id), UNIT))


def holder_of(session: Session, producer_id: UUID) -> HolderView | None:
    """Return the open account of a member, None without one."""
    mine = (CommunityHolder.producer_id == producer_id, CommunityHolder.state == "open")
    row = session.scalars(select(CommunityHolder.id).where(*mine)).one_or_none()
    return holder(session, row) if row else None


def transfers(
    session: Session, coop_id: UUID, *, holder_id: UUID | None = None, state: str | None = None, limit: int = 100
) -> list[TransferView]:
    """Return transfers, newest first: of one holder, or in one state."""
    statement = (
        select(CommunityTransfer)
        .where(CommunityTransfer.coop_id == coop_id)
        .order_by(CommunityTransfer.asked_at.desc(), CommunityTransfer.id)
        .limit(limit)
    )
    if holder_id is not None:
        statement = statement.where(or_(CommunityTransfer.payer_id == holder_id, CommunityTransfer.payee_id == holder_id))
    if state is not None:
        statement = statement.where(CommunityTransfer.state == state)
    names = _names(session, coop_id)
    return [
        TransferView(
            row.id,
            names[row.payer_id],
            names[row.payee_id],
            unit(row.amount_minor),
            row.words,
            row.state,
            row.asked_by,
            row.asked_at,
        )
        for row in session.scalars(statement)
    ]


def leavings(session: Session, coop_id: UUID) -> list[LeavingView]:
    """Return the debts that the members are to take over and about which nothing was decided."""
    waiting = (CommunityLeaving.coop_id == coop_id, CommunityLeaving.state == "proposed")
    names = _names(session, coop_id)
    rows = session.scalars(select(CommunityLeaving).where(*waiting).order_by(CommunityLeaving.proposed_at))
    return [LeavingView(row.id, row.holder_id, names[row.holder_id], row.minutes, row.proposed_by, row.state) for row in rows]


def _names(session: Session, coop_id: UUID) -> dict[UUID, str]:
    return {one.id: one.name for one in holders(session, coop_id, states=("proposed", "open", "left"))}


def account_of(holder_id: UUID) -> str:
    """Return the code of a holder's account."""
    return f"lc:{holder_id}"


def net_paid(session: Session, payer_id: UUID, payee_id: UUID) -> int:
    """Return what one holder has paid another less what came back, in minor units: circles count for nothing (M-4)."""
    amount = func.coalesce(func.sum(CommunityTransfer.amount_minor), 0)

    def paid(one: UUID, other: UUID) -> int:
        between = (CommunityTransfer.payer_id == one, CommunityTransfer.payee_id == other, CommunityTransfer.state == "committed")
        return int(session.execute(select(amount).where(*between)).scalar_one())

    return paid(payer_id, payee_id) - paid(payee_id, payer_id)


def _view(row: CommunityHolder, name: str, balance: Money) -> HolderView:
    up = None if row.limit_up_minor is None else unit(row.limit_up_minor)
    limits = (unit(row.limit_down_minor), up, unit(row.growth_cap_minor))
    return HolderView(row.id, row.producer_id, name, row.state, balance, *limits, row.proposed_by)
