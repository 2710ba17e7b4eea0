"""The desks of the treasury: the premium fund's plan, conversions between currencies, loans."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, literal, select

from market.producers.models import Producer
from market.reports.queries.lists import Sorting, Source, Viewer, contains, one_of
from market.treasury.community_models import UNIT, CommunityHolder
from market.treasury.models import FxConversion, Loan, LoanRepayment, OpeningBalance, PremiumInvoice, PremiumItem, PremiumSpending

ITEM_STATES = ("proposed", "approved", "declined", "closed")
HOLDER_STATES = ("proposed", "open", "declined", "left")
LOAN_STATES = ("proposed", "accepted", "declined", "closed")
INVOICE_STATES = ("proposed", "booked", "declined", "taken_back")
OPENING_STATES = ("proposed", "booked", "declined", "withdrawn")
CONVERSION_STATES = ("proposed", "booked", "declined", "settled")


def premium_items(viewer: Viewer) -> Source:
    """Return the plan items of the fund, newest first, with what was paid of each and what waits for a second person."""
    spent = PremiumSpending.item_id == PremiumItem.id
    total = cast(func.coalesce(func.sum(PremiumSpending.amount_minor), 0), BigInteger)
    paid = select(total).where(spent, PremiumSpending.state == "booked")
    waits = select(func.count()).where(spent, PremiumSpending.state == "proposed")
    statement = select(
        PremiumItem.id,
        PremiumItem.name,
        PremiumItem.currency,
        PremiumItem.amount_minor,
        paid.correlate(PremiumItem).scalar_subquery().label("spent_minor"),
        waits.correlate(PremiumItem).scalar_subquery().label("waiting"),
        PremiumItem.state,
        PremiumItem.proposed_at,
    ).where(PremiumItem.coop_id == viewer.coop_id)
    return Source(
        statement,
        {"newest": Sorting(((PremiumItem.proposed_at, datetime.fromisoformat), (PremiumItem.id, UUID)), descending=True)},
        {"q": lambda text: contains(PremiumItem.name, text), "state": one_of(PremiumItem.state, ITEM_STATES)},
        PremiumItem.amount_minor,
        PremiumItem.currency,
    )


def premium_invoices(viewer: Viewer) -> Source:
    """Return the premium on account, what is due first first."""
    statement = select(
        PremiumInvoice.id,
        PremiumInvoice.buyer,
        PremiumInvoice.contract,
        PremiumInvoice.currency,
        PremiumInvoice.amount_minor,
        PremiumInvoice.due_on,
        PremiumInvoice.state,
    ).where(PremiumInvoice.coop_id == viewer.coop_id)
    return Source(
        statement,
        {"due": Sorting(((PremiumInvoice.due_on, date.fromisoformat), (PremiumInvoice.id, UUID)))},
        {
            "q": lambda text: contains(PremiumInvoice.buyer, text) | contains(PremiumInvoice.contract, text),
            "state": one_of(PremiumInvoice.state, INVOICE_STATES),
        },
        PremiumInvoice.amount_minor,
        PremiumInvoice.currency,
    )


def community_holders(viewer: Viewer) -> Source:
    """Return the holders of the community currency, newest first, with how far each may fall."""
    statement = (
        select(
            CommunityHolder.id,
            Producer.name.label("member"),
            literal(UNIT).label("currency"),
            CommunityHolder.limit_down_minor,
            CommunityHolder.growth_cap_minor,
            CommunityHolder.state,
            CommunityHolder.proposed_at,
        )
        .outerjoin(Producer, Producer.id == CommunityHolder.producer_id)
        .where(CommunityHolder.coop_id == viewer.coop_id)
    )
    newest = Sorting(((CommunityHolder.proposed_at, datetime.fromisoformat), (CommunityHolder.id, UUID)), descending=True)
    return Source(
        statement,
        {"newest": newest},
        {"q": lambda text: contains(Producer.name, text), "state": one_of(CommunityHolder.state, HOLDER_STATES)},
    )


def conversions(viewer: Viewer) -> Source:
    """Return the conversions, newest first."""
    statement = (
        select(
            FxConversion.id,
            Producer.name.label("payee"),
            FxConversion.currency,
            FxConversion.amount_minor,
            FxConversion.agreed_minor,
            FxConversion.agreed_currency,
            FxConversion.rate,
            FxConversion.rate_on,
            FxConversion.state,
        )
        .outerjoin(Producer, Producer.id == FxConversion.producer_id)
        .where(FxConversion.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"newest": Sorting(((FxConversion.proposed_at, datetime.fromisoformat), (FxConversion.id, UUID)), descending=True)},
        {"q": lambda text: contains(Producer.name, text), "state": one_of(FxConversion.state, CONVERSION_STATES)},
        FxConversion.amount_minor,
        FxConversion.currency,
    )


def loans(viewer: Viewer) -> Source:
    """Return the loans, those to be repaid first first, with the principal that went back or is on its way."""
    mine = LoanRepayment.loan_id == Loan.id
    total = cast(func.coalesce(func.sum(LoanRepayment.principal_minor), 0), BigInteger)
    repaid = select(total).where(mine, LoanRepayment.state == "booked")
    waits = select(func.count()).where(mine, LoanRepayment.state == "proposed")
    statement = select(
        Loan.id,
        Loan.lender,
        Loan.contract,
        Loan.currency,
        Loan.amount_minor,
        repaid.correlate(Loan).scalar_subquery().label("repaid_minor"),
        waits.correlate(Loan).scalar_subquery().label("waiting"),
        Loan.due_on,
        Loan.state,
    ).where(Loan.coop_id == viewer.coop_id)
    return Source(
        statement,
        {"due": Sorting(((Loan.due_on, date.fromisoformat), (Loan.id, UUID)))},
        {"q": lambda text: contains(Loan.lender, text) | contains(Loan.contract, text), "state": one_of(Loan.state, LOAN_STATES)},
        Loan.amount_minor,
        Loan.currency,
    )


def openings(viewer: Viewer) -> Source:
    """Return the opening balances that were handed in, the newest first."""
    statement = select(
        OpeningBalance.id,
        OpeningBalance.name,
        OpeningBalance.source,
        OpeningBalance.on_day,
        OpeningBalance.balances,
        OpeningBalance.state,
        OpeningBalance.proposed_at,
    ).where(OpeningBalance.coop_id == viewer.coop_id)
    return Source(
        statement,
        {"newest": Sorting(((OpeningBalance.proposed_at, datetime.fromisoformat), (OpeningBalance.id, UUID)), descending=True)},
        {"state": one_of(OpeningBalance.state, OPENING_STATES)},
    )
