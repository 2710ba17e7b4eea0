"""What staff see of the premium fund and of conversions."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.treasury.errors import NoRecord
from market.treasury.models import FxConversion, OpeningBalance, PremiumItem, PremiumSpending


@dataclass(frozen=True, slots=True)
class Fund:
    """The premium fund in one currency: what can be planned, what is planned and not paid, what is on its way."""

    available: Money
    committed: Money
    on_its_way: Money
    bank: Money


@dataclass(frozen=True, slots=True)
class SpendingView:
    """A payment of a plan item."""

    id: UUID
    money: Money
    payee: str
    evidence: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """A plan item with its spendings; `left` is what is committed and not paid."""

    id: UUID
    name: str
    money: Money
    left: Money
    minutes: str
    state: str
    proposed_by: str
    decided_by: str | None
    spendings: tuple[SpendingView, ...]


@dataclass(frozen=True, slots=True)
class ConversionView:
    """A conversion with its evidence."""

    id: UUID
    producer_id: UUID
    owed: Money
    agreed: Money
    rate: Decimal
    rate_on: date
    source: str
    given: Money | None
    state: str
    proposed_by: str
    decided_by: str | None


def fund(session: Session, coop_id: UUID, currency: str) -> Fund:
    """Return where the fund stands."""
    standing = {
        one.code: one.money for one in books.balances(session, ledger.book_of(session, coop_id)) if one.money.currency == currency
    }
    nothing = Money.zero(currency)
    committed = [money for code, money in standing.items() if code.startswith("fund_committed:")]
    return Fund(
        standing.get("fund_available", nothing),
        sum(committed, nothing),
        standing.get("premium_in_transit", nothing),
        standing.get("premium_bank", nothing),
    )


def item(session: Session, item_id: UUID) -> ItemView:
    """Return a plan item. Raises NoRecord outside this scope."""
    row = session.get(PremiumItem, item_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    left = books.balance(session, ledger.book_of(session, row.coop_id), f"fund_committed:{row.id}", row.currency)
    spent = select(PremiumSpending).where(PremiumSpending.item_id == item_id).order_by(PremiumSpending.proposed_at)
    return ItemView(
        row.id, row.name, Money(row.amount_minor, row.currency), left, row.minutes, row.state, row.proposed_by, row.decided_by,
        tuple(
            SpendingView(
                one.id, Money(one.amount_minor, one.currency), one.payee, one.evidence, one.state, one.proposed_by,
                one.proposed_at, one.decided_by,
            )
            for one in session.scalars(spent)
        ),
    )  # fmt: skip


def item_of(session: Session, spending_id: UUID) -> UUID:
    """Return the item that a spending belongs to. Raises NoRecord outside this scope."""
    row = session.get(PremiumSpending, spending_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    return row.item_id


def conversion(session: Session, conversion_id: UUID) -> ConversionView:
    """Return a conversion. Raises NoRecord outside this scope."""
    row = session.get(FxConversion, conversion_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    given = None if row.given_minor is None else Money(row.given_minor, row.currency)
    return ConversionView(
        row.id, row.producer_id, Money(row.amount_minor, row.currency), Money(row.agreed_minor, row.agreed_currency), row.rate,
        row.rate_on, row.source, given, row.state, row.proposed_by, row.decided_by,
    )  # fmt: skip


def fx_position(session: Session, coop_id: UUID) -> list[Money]:
    """Return what stands on `fx` per currency: nothing once all conversions are settled and their lines matched."""
    standing = books.balances(session, ledger.book_of(session, coop_id))
    return [one.money for one in standing if one.code == "fx" and one.money]


@dataclass(frozen=True, slots=True)
class OpeningView:
    """Opening balances as they were handed in; `body` is the file, or the rows of what `corrects` single ones for a reason."""

    id: UUID
    on_day: date
    source: str
    name: str
    body: str
    balances: int
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    corrects: bool


def openings(session: Session, coop_id: UUID) -> list[OpeningView]:
    """Return what was handed over to the books of a co-op and what was corrected of it, the newest first."""
    rows = select(OpeningBalance).where(OpeningBalance.coop_id == coop_id)
    return [_opening(row) for row in session.scalars(rows.order_by(OpeningBalance.proposed_at.desc(), OpeningBalance.id.desc()))]


def opening(session: Session, opening_id: UUID) -> OpeningView:
    """Return opening balances. Raises NoRecord outside this scope."""
    row = session.get(OpeningBalance, opening_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    return _opening(row)


def _opening(row: OpeningBalance) -> OpeningView:
    return OpeningView(
        row.id, row.on_day, row.source, row.name, row.body, row.balances, row.state, row.proposed_by, row.proposed_at,
        row.decided_by, row.decided_at, row.corrects,
    )  # fmt: skip
