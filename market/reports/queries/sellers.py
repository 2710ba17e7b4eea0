"""What a platform reports of its sellers for a year: the fields of DAC7 (Directive (EU) 2021/514, Annex V, section III B).

Amounts and counts come from the postings of each payee by quarter. Nothing is invented: a field that nobody has entered is
empty, and named in `missing`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Integer, Text, Uuid, select, text, true
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from market.kernel.money import Money
from market.ledger import reports as books
from market.ledger.reports import QuarterRow
from market.ledger.service import book_of
from market.producers import queries as producers
from market.producers.models import Member, Producer
from market.producers.queries import PayeeAccountView
from market.producers.rules import Identity, missing_facts
from market.reports.queries.lists import Line, Sorting, Source, Viewer, contains, one_named
from market.reports.queries.payees import ALL, EARNED, FEES, TAXES, accounts_of, counts

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
        return small(self.currency, self.sales, self.total.minor)


def sellers(session: Session, *, coop_id: UUID, year: int) -> Iterator[Seller]:
    """Yield everybody who earned in a year, by payee and currency; a few hundred are held in memory at a time."""
    rows = books.by_quarter(session, book_of(session, coop_id), accounts_of(ALL), year=year)
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


# What a member's accounts moved is read for the members of a page alone, whatever the books hold beside.
_LISTED = """
SELECT p.id, m.number, p.name, q.currency, q.sales, q.total_minor, NOT (coalesce({known}, false) AND {account}) AS lacks,
       {account} AS has_account, {facts}
FROM (SELECT DISTINCT ON (producer_id) producer_id, number FROM member WHERE coop_id = :coop
      ORDER BY producer_id, joined_on DESC) m
JOIN producer p ON p.id = m.producer_id
LEFT JOIN tax_identity i ON i.producer_id = p.id
CROSS JOIN LATERAL (
  SELECT f.currency, coalesce(sum(f.facts) FILTER (WHERE f.of = 'payable' AND f.got AND f.other = ANY(:sales)), 0)::int AS sales,
         coalesce(sum(f.net) FILTER (WHERE f.counts), 0)::bigint AS total_minor, bool_or(f.counts AND f.net <> 0) AS moved
  FROM (
    SELECT g.*, g.other = ANY(:counted) AND (g.of = 'payable' OR g.other = 'refund_payable') AS counts
    FROM (
      SELECT a.currency, split_part(a.code, ':', 1) AS of, extract(quarter FROM t.effective_on) AS quarter,
             split_part(o.code, ':', 1) AS other, sum(x.minor) AS net, bool_or(x.minor > 0) AS got,
             count(DISTINCT coalesce(x.subject::text, t.id::text)) AS facts
      FROM ledger_account a
      JOIN LATERAL (
        SELECT g.transaction_id, g.amount_minor AS minor, g.debit_id AS other, g.subject
        FROM ledger_posting g WHERE g.book_id = a.book_id AND g.credit_id = a.id
        UNION ALL
        SELECT g.transaction_id, -g.amount_minor, g.credit_id, g.subject
        FROM ledger_posting g WHERE g.book_id = a.book_id AND g.debit_id = a.id) x ON true
      JOIN ledger_transaction t ON t.book_id = a.book_id AND t.id = x.transaction_id AND t.effective_on BETWEEN :since AND :until
      JOIN ledger_account o ON o.book_id = a.book_id AND o.id = x.other
      WHERE a.book_id = (SELECT id FROM ledger_book WHERE coop_id = :coop)
        AND a.code IN ('payable:' || p.id, 'claim:' || p.id)
      GROUP BY a.currency, 2, 3, 4) g) f
  GROUP BY f.currency) q
WHERE q.moved OR q.sales > 0"""
_KNOWN = """(i.legal_name <> '' AND i.town <> '' AND (i.street <> '' OR i.postcode <> '') AND i.country <> ''
  AND (i.tax_number <> '' OR (i.kind = 'person' AND i.birth_place <> '')) AND (i.tax_country <> '' OR i.tax_number = '')
  AND (i.born_on IS NOT NULL OR i.kind <> 'person') AND (i.registration_number <> '' OR i.kind = 'person'))"""
_ACCOUNT = """EXISTS (SELECT 1 FROM payee_account c WHERE c.producer_id = p.id AND c.confirmed_at IS NOT NULL
  AND c.replaced_at IS NULL AND (coalesce(c.iban, '') <> '' OR coalesce(c.stripe_account, '') <> ''))"""


def listed(viewer: Viewer, *, year: int) -> Source:
    """Return everybody who earned in a year with what the report says of them, by member number."""
    facts = ", ".join(f"i.{name}" for name in Identity.__slots__)
    sql = text(_LISTED.format(known=_KNOWN, account=_ACCOUNT, facts=facts))
    kinds: dict[str, TypeEngine[Any]] = {
        "id": Uuid(),
        "number": Integer(),
        "name": Text(),
        "currency": Text(),
        "sales": Integer(),
        "total_minor": BigInteger(),
    }
    kinds |= {"lacks": Boolean(), "has_account": Boolean()} | dict.fromkeys(Identity.__slots__, Text()) | {"born_on": Date()}
    row = sql.columns(**kinds).subquery("sellers").c
    ties = ((row.id, UUID), (row.currency, str))
    return Source(
        select(*row),
        {"number": Sorting(((row.number, int), *ties)), "name": Sorting(((row.name, str), *ties))},
        {
            "q": lambda text: row.number == int(text) if text.isdigit() else contains(row.name, text),
            "missing": one_named({"yes": row.lacks, "no": ~row.lacks}),
            "year": one_named({f"{year}": true()}),
        },
        keyed=False,
        values={
            "coop": viewer.coop_id,
            "since": date(year, 1, 1),
            "until": date(year, 12, 31),
            "sales": list(_SALES),
            "counted": [*EARNED, *FEES, *TAXES],
        },
    )


def lacking(row: Line) -> tuple[str, ...]:
    """Return what is missing about a seller of the list."""
    known = {name: getattr(row, name) for name in Identity.__slots__}
    identity = Identity(**known) if row.kind is not None else Identity()
    return missing_facts(identity, has_account=row.has_account)


def small(currency: str, sales: int, total_minor: int) -> bool | None:
    """Whether a seller is below both limits of a year, so that the law leaves them out; None where that cannot be told."""
    return None if currency != "EUR" else sales < FEW_SALES and total_minor <= LITTLE_MINOR


def report(units: Callable[[], AbstractContextManager[Session]], *, coop_id: UUID, year: int) -> Iterator[list[Any]]:
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
