"""Reports of a co-op's money that need more than the books: tax by rate, fees by party, what is owed by age."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.producers.queries import CoopView

AGES = (0, 30, 60, 90)
"""Days over due at which a new column of an aged list begins; before the first lies what is not due yet."""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """Tax on what was earned in the days, by country of the buyer, kind of supply and rate; refunds are taken off."""

    country: str
    kind: str
    rate: Decimal
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class FeeRow:
    """What one party got of the prices earned in the days, by kind of part and who paid it."""

    kind: str
    payer: str
    payee: str
    lines: int
    money: Money


@dataclass(frozen=True, slots=True)
class AgedRow:
    """What stands open with one party in one currency: not due, and by days over due (1-30, 31-60, 61-90, more)."""

    party: str
    currency: str
    not_due: Money
    overdue: tuple[Money, Money, Money, Money]

    @property
    def total(self) -> Money:
        """All of it."""
        return sum(self.overdue, self.not_due)


_EARNED = """
FROM seller_order s
JOIN orders o ON o.id = s.order_id
JOIN order_line l ON l.seller_order_id = s.id
JOIN price_component c ON c.order_line_id = l.id
WHERE s.coop_id = :coop AND (s.confirmed_at AT TIME ZONE :zone)::date BETWEEN :since AND :until AND s.state = 'settled'"""
_PARTS = f"""
SELECT o.country, c.order_line_id, c.seq, c.kind, c.tax_rate, c.currency, c.amount_minor - c.returned_minor AS net, c.tax_minor,
       CASE WHEN c.amount_minor = 0 THEN 0
         ELSE c.tax_minor::numeric * (c.amount_minor - c.returned_minor) / c.amount_minor END AS left_of_it
{_EARNED}"""
# A line's tax is one amount, of which refunds take whole cents: what is left of it is what the books owe the tax office. It
# goes to the parts by what is left of each, rounded as it adds up, so that the rows come to it; by what each had where nothing is
# left of any, since money given back elsewhere is spread by component.
_TAX = """
SELECT country, kind, tax_rate, currency, sum(net)::bigint AS net,
       sum(CASE WHEN whole = 0 THEN 0 ELSE round(tax * upto / whole) - round(tax * (upto - weight) / whole) END)::bigint AS tax
FROM (
  SELECT *, sum(CASE WHEN kind = 'tax' THEN net ELSE 0 END) OVER line AS tax, sum(weight) OVER line AS whole,
         sum(weight) OVER (PARTITION BY order_line_id ORDER BY seq) AS upto
  FROM (SELECT *, CASE WHEN sum(left_of_it) OVER (PARTITION BY order_line_id) = 0 THEN tax_minor ELSE left_of_it END AS weight
        FROM ({parts}) part) part
  WINDOW line AS (PARTITION BY order_line_id)) parts
WHERE kind <> 'tax' GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 2, 4"""
_FEES = f"""
SELECT c.kind, c.payer, c.payee, c.currency, count(*) AS lines, sum(c.amount_minor - c.returned_minor)::bigint AS minor
{_EARNED} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
_BUCKETS = """
SELECT party, currency, coalesce(sum(minor) FILTER (WHERE days <= 0), 0)::bigint AS d0,
       coalesce(sum(minor) FILTER (WHERE days BETWEEN 1 AND 30), 0)::bigint AS d1,
       coalesce(sum(minor) FILTER (WHERE days BETWEEN 31 AND 60), 0)::bigint AS d31,
       coalesce(sum(minor) FILTER (WHERE days BETWEEN 61 AND 90), 0)::bigint AS d61,
       coalesce(sum(minor) FILTER (WHERE days > 90), 0)::bigint AS d91
FROM ({open}) x GROUP BY who, party, currency ORDER BY party, who, currency"""
_BOOK = "(SELECT id FROM ledger_book WHERE coop_id = :coop)"
# What one fact moved is taken together, so that a refund lowers its own sale and a payout that failed was none. What else was
# paid settles the oldest debt first, so that the newest layers stand open: a sum for each age is enough to say which. A source
# raises one payable, whose day gives the age; what came without one (a payout that came back, a balance taken over) is as old
# as its booking, less what the same fact took. The part on hold is owed too: a move between the two accounts moves nothing.
# Bookings follow the days but for facts that became known late: those before the first of a later day count without a look at
# their day, those after it that belong to the day are looked up.
_AGE = " + ".join(f"(CAST(:on AS date) - {days} > {{day}})::int" for days in AGES)
_PAST = """
WITH acc AS MATERIALIZED (
  SELECT id, split_part(code, ':', 2) AS who, currency FROM ledger_account
  WHERE book_id = {book} AND (code LIKE 'payable:%' OR code LIKE 'payable_on_hold:%')),
mark AS MATERIALIZED (
  SELECT (SELECT min(id) FROM (
            SELECT id FROM ledger_transaction WHERE book_id = {book} AND effective_on > :on OFFSET 0) after) AS later,
         (SELECT max(id) FROM ledger_transaction WHERE book_id = {book} AND effective_on <= :on) AS last),
moved AS MATERIALIZED (
  SELECT id, age, CASE WHEN age IS NULL AND minor > 0 THEN transaction_id END AS fact, subject, sum(minor)::bigint AS minor FROM (
    SELECT g.id, age, minor, transaction_id, CASE WHEN age IS NULL AND minor > 0 THEN subject END AS subject
    FROM (
      SELECT credit_id AS id, transaction_id, subject, amount_minor AS minor FROM ledger_posting
      WHERE book_id = {book} AND credit_id = ANY(ARRAY(SELECT id FROM acc))
      UNION ALL SELECT debit_id, transaction_id, subject, -amount_minor FROM ledger_posting
      WHERE book_id = {book} AND debit_id = ANY(ARRAY(SELECT id FROM acc))) g
    LEFT JOIN (
      SELECT source_id, {due_age} AS age FROM payable WHERE coop_id = :coop AND part = 0) due ON due.source_id = g.subject
    WHERE transaction_id < (SELECT coalesce(later, last + 1) FROM mark) OR transaction_id IN (
      SELECT id FROM ledger_transaction
      WHERE book_id = {book} AND id > (SELECT later FROM mark) AND id <= (SELECT last FROM mark) AND effective_on <= :on)) x
  GROUP BY 1, 2, 3, 4),
undated AS MATERIALIZED (
  SELECT a.who, a.currency, m.subject, min(m.fact) AS first, sum(m.minor) AS minor FROM moved m JOIN acc a ON a.id = m.id
  WHERE m.fact IS NOT NULL GROUP BY a.who, a.currency, m.subject, CASE WHEN m.subject IS NULL THEN m.fact END),
dated AS (
  SELECT who, currency, (SELECT effective_on FROM ledger_transaction WHERE book_id = {book} AND id = first) AS first_on,
         minor - coalesce((
           SELECT sum(p.amount_minor) FROM ledger_posting p
           JOIN acc a ON a.id = p.debit_id AND a.who = u.who AND a.currency = u.currency
           JOIN ledger_transaction t ON t.book_id = {book} AND t.id = p.transaction_id AND t.effective_on <= :on
           WHERE p.book_id = {book} AND p.subject = u.subject), 0) AS net
  FROM undated u)
SELECT who, coalesce(p.name, who) AS party, currency, owed, layers FROM (
  SELECT who, currency, sum(owed)::bigint AS owed, ARRAY[{layers}] AS layers FROM (
    SELECT a.who, a.currency, age, minor AS owed, minor AS net FROM moved JOIN acc a USING (id)
    UNION ALL SELECT who, currency, {fact_age}, 0, net FROM dated WHERE net > 0) layer
  GROUP BY who, currency) open
LEFT JOIN producer p ON p.id::text = who WHERE owed > 0 ORDER BY party, who, currency"""
# What is owed now stands in its own rows, whose sums are those of the accounts (a law of the books), each with its day.
_OWED_NOW = """
SELECT y.payee_id::text AS who, coalesce(p.name, y.payee_id::text) AS party, y.currency, y.amount_minor AS minor,
       CAST(:on AS date) - y.due_on AS days
FROM payable y LEFT JOIN producer p ON p.id = y.payee_id
WHERE y.coop_id = :coop AND y.state IN ('open', 'taken', 'held')"""
# What came back settles the oldest debt first, so what is open of a day's debt is what the credits do not reach.
_RECEIVABLES = """
SELECT who, party, currency, least(debit, greatest(sum(debit) OVER (PARTITION BY id ORDER BY day) - credits, 0)) AS minor,
       CAST(:on AS date) - day AS days
FROM (
  SELECT a.id, coalesce(p.id::text, a.code) AS who, coalesce(p.name, a.code) AS party, a.currency, t.effective_on AS day,
         sum(g.debit) AS debit, sum(sum(g.credit)) OVER (PARTITION BY a.id) AS credits
  FROM ledger_account a
  JOIN (SELECT debit_id AS id, transaction_id, amount_minor AS debit, 0 AS credit FROM ledger_posting WHERE book_id = {book}
        UNION ALL SELECT credit_id, transaction_id, 0, amount_minor FROM ledger_posting WHERE book_id = {book}) g ON g.id = a.id
  JOIN ledger_transaction t ON t.book_id = {book} AND t.id = g.transaction_id AND t.effective_on <= :on
  LEFT JOIN advance v ON a.code = 'advance:' || v.id
  LEFT JOIN producer p ON a.code = 'claim:' || p.id OR p.id = v.producer_id
  WHERE a.book_id = {book}
   AND (a.code LIKE 'claim:%' OR a.code LIKE 'advance:%' OR a.code IN ('buyer_receivable', 'premium_receivable', 'disputed'))
  GROUP BY a.id, p.id, p.name, a.code, a.currency, t.effective_on) days"""


def taxes(session: Session, coop: CoopView, *, since: date, until: date) -> Iterator[TaxRow]:
    """Yield what was earned between two days and the tax in it, by country, rate and kind of supply, fees among them."""
    values = {"coop": coop.id, "zone": coop.time_zone, "since": since, "until": until}
    for row in session.execute(text(_TAX.format(parts=_PARTS)), values):
        yield TaxRow(row.country, row.kind, row.tax_rate, Money(row.net, row.currency), Money(row.tax, row.currency))


def fees(session: Session, coop: CoopView, *, since: date, until: date) -> Iterator[FeeRow]:
    """Yield who got what of the prices that were earned between two days, from the rows frozen on the orders."""
    values = {"coop": coop.id, "zone": coop.time_zone, "since": since, "until": until}
    for row in session.execute(text(_FEES), values):
        yield FeeRow(row.kind, row.payer, row.payee, row.lines, Money(row.minor, row.currency))


def aged_payables(session: Session, coop: CoopView, *, on: date) -> Iterator[AgedRow]:
    """Yield what the co-op owed to each producer at the end of a day and had not sent, by days over due on that day.

    From the postings effective until then: the sums are those of the trial balance of that day.
    """
    layers = ", ".join(f"sum(net) FILTER (WHERE age = {age})" for age in range(len(AGES)))
    ages = {"due_age": _AGE.format(day="due_on"), "fact_age": _AGE.format(day="first_on")}
    for row in session.execute(text(_PAST.format(book=_BOOK, layers=layers, **ages)), {"coop": coop.id, "on": on}):
        left, open_of = Money(row.owed, row.currency), []
        for layer in row.layers:
            open_of.append(min(left, Money(int(layer or 0), row.currency)))
            left -= open_of[-1]
        not_due, first, second, third = open_of
        yield AgedRow(row.party, row.currency, not_due, (first, second, third, left))


def owed_now(session: Session, coop: CoopView, *, on: date) -> Iterator[AgedRow]:
    """Yield what the co-op owes to each producer now and has not sent, by days over due on a day that is not past."""
    return _aged(session, _OWED_NOW, coop, on)


def aged_receivables(session: Session, coop: CoopView, *, on: date) -> Iterator[AgedRow]:
    """Yield what others owed the co-op at the end of a day: claims, advances, invoices on account, open disputes; by days
    since it arose."""
    return _aged(session, _RECEIVABLES, coop, on)


def _aged(session: Session, source: str, coop: CoopView, on: date) -> Iterator[AgedRow]:
    statement, options = text(_BUCKETS.format(open=source.format(book=_BOOK))), {"yield_per": 1000}
    for row in session.execute(statement, {"coop": coop.id, "on": on}, execution_options=options):
        not_due, *overdue = (Money(minor, row.currency) for minor in (row.d0, row.d1, row.d31, row.d61, row.d91))
        aged = AgedRow(row.party, row.currency, not_due, (overdue[0], overdue[1], overdue[2], overdue[3]))
        if aged.total:
            yield aged
