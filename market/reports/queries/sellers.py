"""What a platform reports of its sellers for a year: the fields of DAC7 (Directive (EU) 2021/514, Annex V, section III B).

Amounts and counts come from the postings of each payee by quarter. Nothing is invented: a field that nobody has entered is
empty, and named in `missing`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, cast, func, literal, or_, select, true
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.uow import Units
from market.ledger import reports as books
from market.ledger.models import LedgerAccount, LedgerBook
from market.ledger.reports import QuarterRow
from market.ledger.service import book_of
from market.payables.models import Payable
from market.producers import queries as producers
from market.producers.models import Member, PayeeAccount, Producer, TaxIdentity
from market.producers.queries import PayeeAccountView
from market.producers.rules import Identity, missing_facts
from market.reports.queries.lists import Sorting, Source, Viewer, contains, one_named
from market.reports.queries.payees import ALL, EARNED, FEES, TAXES, accounts_of, counts
from market.reports.queries.tasks import identity_known

FEW_SALES, LITTLE_MINOR = 30, 200_000
"""Goods sellers with fewer sales and at most this much (2,000 EUR) in a year need not be reported (section I B 4 d)."""
# The names of the columns are those of the law's fields, in English, whoever reads the file: programs take it in.
HEADINGS = (
    "member", "kind", "name", "street", "building", "postcode", "town", "country", "tax_number", "tax_number_country",
    "vat_number", "date_of_birth", "place_of_birth", "registration_number", "account_holder", "account", "currency",
    *(f"{what}_q{n}" for what in ("consideration", "activities", "fees", "taxes_withheld") for n in (1, 2, 3, 4)),
    "below_limits", "missing",
)  # fmt: skip
_SALES = ("held", "purchases")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter: what was paid or credited net of fees, for how many sales, fees and taxes withheld."""

    consideration: Money
    sales: int
    fees: Money
    taxes: Money


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller's year in one currency; `small` says that the law leaves them out, None where that cannot be told."""

    producer_id: UUID
    number: int | None
    name: str
    identity: Identity
    accounts: tuple[PayeeAccountView, ...]
    currency: str
    quarters: tuple[Quarter, ...]
    missing: tuple[str, ...]

    @property
    def sales(self) -> int:
        """All of the year."""
        return sum(quarter.sales for quarter in self.quarters)

    @property
    def total(self) -> Money:
        """All of the year."""
        return Money(sum(quarter.consideration.minor for quarter in self.quarters), self.currency)

    @property
    def small(self) -> bool | None:
        """Whether the seller is below both limits."""
        if self.currency != "EUR":
            return None
        return self.sales < FEW_SALES and self.total.minor <= LITTLE_MINOR


def sellers(session: Session, *, coop_id: UUID, year: int, only: Sequence[UUID] = ()) -> Iterator[Seller]:
    """Yield everybody who earned in a year (or `only` some), by payee and currency; a few hundred are held in memory at once."""
    codes = [code for each in only for code in accounts_of(each)] or accounts_of(ALL)
    rows = books.by_quarter(session, book_of(session, coop_id), codes, year=year)
    years = groupby(rows, key=lambda row: (UUID(row.code.partition(":")[2]), row.debit.currency))
    counted = ((payee, currency, _quarters(list(found), currency)) for (payee, currency), found in years)
    earning = (one for one in counted if any(each.consideration or each.sales for each in one[2]))
    while some := list(islice(earning, _AT_ONCE)):
        yield from _named(session, coop_id, some)


def _quarters(rows: Sequence[QuarterRow], currency: str) -> tuple[Quarter, ...]:
    got: dict[tuple[int, str], int] = defaultdict(int)
    sales: dict[int, int] = defaultdict(int)
    for row in rows:
        if counts(row):
            got[row.quarter, row.other] += row.credit.minor - row.debit.minor
        if row.code.startswith("payable:") and row.other in _SALES and row.credit:
            sales[row.quarter] += row.count

    def money(quarter: int, *others: str) -> Money:
        return Money(sum(got[quarter, other] for other in others), currency)

    return tuple(
        Quarter(money(each, *EARNED, *FEES, *TAXES), sales[each], -money(each, *FEES), -money(each, *TAXES))
        for each in (1, 2, 3, 4)
    )


def _named(session: Session, coop_id: UUID, some: Sequence[tuple[UUID, str, tuple[Quarter, ...]]]) -> Iterator[Seller]:
    ids = [payee for payee, _, _ in some]
    people = _people(session, ids)
    identities = producers.identities(session, ids)
    accounts: Mapping[UUID, list[PayeeAccountView]] = defaultdict(list)
    for account in producers.live_accounts(session, ids):
        accounts[account.producer_id].append(account)
    for payee, currency, quarters in some:
        name, number = people[payee]
        identity, paid_to = identities.get(payee, Identity()), tuple(accounts[payee])
        lacks = missing_facts(identity, has_account=any(one.iban or one.stripe_account for one in paid_to))
        yield Seller(payee, number, name, identity, paid_to, currency, quarters, lacks)


def _people(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[str, int | None]]:
    """Return names with the latest member number."""
    statement = (
        select(Producer.id, Producer.name, Member.number)
        .outerjoin(Member, Member.producer_id == Producer.id)
        .where(Producer.id.in_(ids))
        .order_by(Member.joined_on)
    )
    return {producer_id: (name, number) for producer_id, name, number in session.execute(statement)}


def listed(viewer: Viewer, *, year: int) -> Source:
    """Return the members who may have earned in a year, by number; what each earned is read for those of a page alone."""
    first, last = viewer.begin_of(f"{year}-01-01"), viewer.begin_of(f"{year + 1}-01-01")
    since = (Member.coop_id == viewer.coop_id, Member.producer_id == Producer.id)
    number = select(Member.number).where(*since).order_by(Member.joined_on.desc()).limit(1).correlate(Producer).scalar_subquery()
    sold = select(Payable.id).where(
        Payable.coop_id == viewer.coop_id, Payable.payee_id == Producer.id, Payable.raised_at >= first, Payable.raised_at < last
    )
    book = select(LedgerBook.id).where(LedgerBook.coop_id == viewer.coop_id).scalar_subquery()
    code = literal("claim:") + cast(Producer.id, Text)
    claimed = select(LedgerAccount.id).where(LedgerAccount.book_id == book, LedgerAccount.code == code)
    live = (PayeeAccount.producer_id == Producer.id, PayeeAccount.confirmed_at.is_not(None), PayeeAccount.replaced_at.is_(None))
    account = select(PayeeAccount.id).where(*live, or_(PayeeAccount.iban != "", PayeeAccount.stripe_account != "")).exists()
    complete = and_(identity_known().is_(True), account)
    columns = (Producer.id, number.label("number"), Producer.name)
    return Source(
        select(*columns)
        .outerjoin(TaxIdentity, TaxIdentity.producer_id == Producer.id)
        .where(Producer.coop_id == viewer.coop_id, number.is_not(None), or_(sold.exists(), claimed.exists())),
        {
            "number": Sorting(((number, int), (Producer.id, UUID))),
            "name": Sorting(((Producer.name, str), (Producer.id, UUID))),
        },
        {
            "q": lambda text: number == int(text) if text.isdigit() else contains(Producer.name, text),
            "missing": one_named({"yes": ~complete, "no": complete}),
            "year": one_named({f"{year}": true()}),
        },
        keyed=False,
    )


def of_page(session: Session, *, coop_id: UUID, year: int, ids: Sequence[UUID]) -> dict[UUID, list[Seller]]:
    """Return the year of some members, one each per currency; who earned nothing is absent."""
    # Their accounts hold few of the book's postings, which PostgreSQL cannot know: it would read them all.
    names = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
    session.execute(select(*(func.set_config(name, "off", True) for name in names)))
    found: dict[UUID, list[Seller]] = defaultdict(list)
    for one in sellers(session, coop_id=coop_id, year=year, only=ids):
        found[one.producer_id].append(one)
    session.execute(select(*(func.set_config(name, "on", True) for name in names)))
    return found


def report(units: Units, *, coop_id: UUID, year: int) -> Iterator[list[Any]]:
    """Yield the report's rows, in the order of HEADINGS."""
    with units() as session:
        for one in sellers(session, coop_id=coop_id, year=year):
            yield _row(one)


def _row(one: Seller) -> list[Any]:
    who = one.identity
    account = next((each for each in one.accounts if each.iban or each.stripe_account), None)
    amounts = [
        *(each.consideration.decimal for each in one.quarters),
        *(each.sales for each in one.quarters),
        *(each.fees.decimal for each in one.quarters),
        *(each.taxes.decimal for each in one.quarters),
    ]
    return [
        one.number or "", who.kind, who.legal_name, who.street, who.building, who.postcode, who.town, who.country, who.tax_number,
        who.tax_country, who.vat_number, who.born_on or "", who.birth_place, who.registration_number,
        account.holder if account else "", (account.iban or account.stripe_account) if account else "", one.currency, *amounts,
        {True: "yes", False: "no", None: ""}[one.small], "; ".join(one.missing),
    ]  # fmt: skip
