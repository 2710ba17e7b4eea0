"""What payees earned, gave back and were paid, by quarters: a producer's year, and the texts about payments.

Earnings come from the postings of `payable:<payee>` by the other side of each, so that they agree with the books (the report of
sellers counts those of `claim:<payee>`, too); what was paid comes from the payouts that the bank has shown (money.md 9).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import extract, func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.words import N_
from market.ledger import reports as books
from market.ledger.reports import QuarterRow
from market.ledger.service import book_of
from market.payouts.models import Payout
from market.payouts.ports import PayeeYear, YearLine, YearSection
from market.payouts.queries.recovered import gross_minor
from market.producers import queries as producers
from market.producers.models import Coop, Producer
from market.reports.queries.lists import Sorting, Source, Viewer, between_dates, contains, one_named

EARNED = {
    "held": N_("Goods sold"),
    "purchases": N_("Deliveries and corrections"),
    "season_pool": N_("Second payments"),
    "surplus": N_("Patronage refunds"),
    "refund_payable": N_("Refunds to buyers"),
}
KEPT = {
    "claim": N_("Refunds after payment, kept back"),
    "advance": N_("Advances: given less recovered"),
    "goods_sales": N_("Goods taken instead of money"),
    "bank_charges": N_("Charges of returned payments"),
    "fx": N_("Changed between currencies"),
    "twice": N_("Paid once too often, owed back"),
}
FEES = ("bank_charges", "fee_income")
TAXES = ("tax_payable",)
_PAID = N_("Paid out")
Quarters = dict[int, int]


ALL = "________-____-____-____-____________"
"""Any payee, as a pattern of LIKE over ids: claims stand against cashiers and organisations too."""


def accounts_of(payee: UUID | str) -> tuple[str, str]:
    """Return the codes of the accounts of a payee's earnings."""
    return f"payable:{payee}", f"claim:{payee}"


def counts(row: QuarterRow) -> bool:
    """Whether a movement is one of earnings.

    On a claim only what arose from refunds is: that it was netted or paid back is the other side of the same money.
    """
    return row.code.startswith("payable:") or row.other == "refund_payable"


def moved(rows: Iterable[QuarterRow]) -> Mapping[tuple[str, str], Quarters]:
    """Return what payees got (less what they gave) per currency, kind of other account and quarter."""
    found: dict[tuple[str, str], Quarters] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        found[row.credit.currency, row.other][row.quarter] += row.credit.minor - row.debit.minor
    return found


def year_of(session: Session, *, coop_id: UUID, producer_id: UUID, year: int) -> PayeeYear:
    """Return a producer's year: earned by kind, kept back by kind, paid, each by quarter and currency. Raises ProducerMissing."""
    coop, producer = producers.coop(session, coop_id), producers.producer(session, producer_id)
    member = producers.member(session, coop_id=coop_id, producer_id=producer_id)
    # What a payee owes back after a payment stands here once it is kept back: on the claim it would be taken off twice.
    owed, claim = accounts_of(producer_id)
    sums = dict(moved(books.by_quarter(session, book_of(session, coop_id), [owed], year=year)))
    paid = _paid(session, producer_id, year)
    # What a bank paid once too often was paid all the same: without it the year would show less than the payee's account.
    for (currency, other), quarters in moved(books.by_quarter(session, book_of(session, coop_id), [claim], year=year)).items():
        if other == "suspense":
            twice = {quarter: -minor for quarter, minor in quarters.items()}
            sums[currency, "twice"] = twice
            paid[currency] = {each: paid[currency].get(each, 0) + twice.get(each, 0) for each in (1, 2, 3, 4)}
    currencies = sorted({currency for currency, _ in sums} | set(paid))
    street, town = f"{coop.street} {coop.building}".strip(), f"{coop.postcode} {coop.town}, {coop.country}".strip(" ,")
    return PayeeYear(
        language=producer.language,
        coop_name=coop.name,
        coop_address=tuple(line for line in (street, town) if line),
        payee_name=producer.name,
        payee_number=str(member.number),
        year=year,
        sections=tuple(
            YearSection(
                currency,
                _lines(EARNED, sums, currency),
                _lines(KEPT, sums, currency),
                _line(_PAID, paid.get(currency, {}), currency),
            )
            for currency in currencies
        ),
    )


def years_of(session: Session, *, coop_id: UUID, producer_id: UUID, until: int) -> list[int]:
    """Return the years of a membership, the newest first."""
    joined = producers.member(session, coop_id=coop_id, producer_id=producer_id).joined_on.year
    return list(range(until, min(joined, until) - 1, -1))


def _paid(session: Session, producer_id: UUID, year: int) -> dict[str, Quarters]:
    quarter = extract("quarter", Payout.settled_on)
    found: dict[str, Quarters] = defaultdict(dict)
    statement = (
        select(Payout.currency, quarter, func.sum(Payout.amount_minor))
        .where(
            Payout.payee_id == producer_id,
            Payout.state == "settled",
            Payout.settled_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(Payout.currency, quarter)
    )
    for currency, number, minor in session.execute(statement):
        found[currency][int(number)] = int(minor)
    return found


def _lines(words: Mapping[str, str], sums: Mapping[tuple[str, str], Quarters], currency: str) -> tuple[YearLine, ...]:
    lines = (_line(text, sums.get((currency, other), {}), currency) for other, text in words.items())
    return tuple(line for line in lines if any(line.quarters))


def _line(text: str, quarters: Mapping[int, int], currency: str) -> YearLine:
    parts = tuple(Money(quarters.get(number, 0), currency) for number in (1, 2, 3, 4))
    return YearLine(text, parts, sum(parts[1:], parts[0]))


def texts(viewer: Viewer) -> Source:
    """Return the payments that arrived, newest first, with what a text message about each needs."""
    statement = (
        select(
            Payout.id,
            Payout.number,
            Producer.name.label("payee"),
            Producer.sms_phone.label("phone"),
            Producer.language,
            Coop.name.label("coop"),
            gross_minor().label("gross_minor"),
            Payout.amount_minor,
            Payout.currency,
            Payout.reference,
            Payout.settled_on,
        )
        .outerjoin(Producer, Producer.id == Payout.payee_id)
        .outerjoin(Coop, Coop.id == Payout.coop_id)
        .where(Payout.coop_id == viewer.coop_id, Payout.state == "settled", Payout.settled_on.is_not(None))
    )
    phones = {"yes": Producer.sms_phone.is_not(None), "no": Producer.sms_phone.is_(None)}
    return Source(
        statement,
        {"newest": Sorting(((Payout.number, int),), descending=True)},
        {
            "q": lambda text: contains(Producer.name, text),
            "phone": one_named(phones),
            **between_dates(Payout.settled_on),
        },
    )
