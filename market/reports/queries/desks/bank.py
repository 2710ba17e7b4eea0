"""Bank files, rules of the staff, what banks announced, periods, and the lines of the books."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, exists, func, literal, or_, select, text
from sqlalchemy.orm import Session, aliased

from market.ledger.models import LedgerAccount, LedgerBook, LedgerPosting, LedgerTransaction
from market.reports.queries.lists import (
    Line,
    Sorting,
    Source,
    Viewer,
    between_dates,
    between_days,
    by_amount,
    by_day,
    one_of,
    search_of,
)
from market.statements.match_models import BookingRule, StatementMatch
from market.statements.models import (
    OUTCOMES,
    InterimLine,
    MoneyAccount,
    PeriodClose,
    PeriodReopening,
    Statement,
    StatementFile,
    StatementLine,
)
from market.statements.rules.booking import CONFIRMED
from market.statements.service.booking_rules import RULE


def periods(viewer: Viewer) -> Source:
    """Return the closes of periods, the last one first; one that was opened again stands beside what closed its days anew."""
    differences = func.jsonb_array_length(PeriodClose.items)
    waits = exists().where(PeriodReopening.close_id == PeriodClose.id, PeriodReopening.state == "proposed")
    state = case((waits, "reopening"), else_=PeriodClose.state)
    columns = (
        PeriodClose.id, PeriodClose.ends_on, PeriodClose.starts_on, state.label("state"), differences.label("differences"),
        PeriodClose.prepared_at, PeriodClose.closed_at,
    )  # fmt: skip
    return Source(
        select(*columns).where(PeriodClose.coop_id == viewer.coop_id),
        {"newest": Sorting(((PeriodClose.ends_on, date.fromisoformat), (PeriodClose.id, UUID)), descending=True)},
        {
            "state": one_of(state, ("prepared", "taken_back", "overtaken", "closed", "reopening", "reopened")),
            **between_dates(PeriodClose.ends_on),
        },
    )


def files(viewer: Viewer) -> Source:
    """Return the files of banks as they came, the newest first."""
    columns = (
        StatementFile.id, StatementFile.uploaded_at, StatementFile.name, MoneyAccount.name.label("account"), StatementFile.format,
        StatementFile.size_bytes, StatementFile.new_lines, StatementFile.known_lines, StatementFile.outcome,
    )  # fmt: skip
    return Source(
        select(*columns)
        .outerjoin(MoneyAccount, MoneyAccount.id == StatementFile.money_account_id)
        .where(StatementFile.coop_id == viewer.coop_id),
        {"newest": by_day(StatementFile.uploaded_at, unique=StatementFile.id)},
        {
            "q": search_of(StatementFile.name),
            "account": lambda text: StatementFile.money_account_id == UUID(text),
            "outcome": one_of(StatementFile.outcome, OUTCOMES),
            **between_days(viewer, StatementFile.uploaded_at),
        },
    )


def rules(viewer: Viewer) -> Source:
    """Return the rules that staff made from lines, the newest first; `used` counts the lines that each explains now."""
    named: Any = func.coalesce(func.nullif(BookingRule.counterparty_name, ""), func.nullif(BookingRule.counterparty_account, ""))
    like = func.coalesce(named, func.array_to_string(BookingRule.words, " "))
    state = case(
        (BookingRule.ended_at.is_not(None), "ended"), (BookingRule.confirmations >= CONFIRMED, "automatic"), else_="suggests"
    )
    rule_id = StatementMatch.evidence[RULE].astext.label("rule_id")
    explained = (
        select(rule_id, func.count().label("used"))
        .where(StatementMatch.rule == RULE, StatementMatch.undone_at.is_(None))
        .group_by(rule_id)
        .subquery("explained")
        .c
    )
    used = func.coalesce(explained.used, 0)
    columns = (
        BookingRule.id, like.label("like"), MoneyAccount.name.label("account"), BookingRule.account_code,
        BookingRule.max_minor, MoneyAccount.currency, BookingRule.reason, used.label("used"), BookingRule.made_at,
        state.label("state"),
    )  # fmt: skip
    return Source(
        select(*columns)
        .outerjoin(MoneyAccount, MoneyAccount.id == BookingRule.money_account_id)
        .outerjoin(explained.rule_id.table, explained.rule_id == cast(BookingRule.id, Text))
        .where(BookingRule.coop_id == viewer.coop_id),
        {
            "newest": by_day(BookingRule.made_at, unique=BookingRule.id),
            "largest": by_amount(BookingRule.max_minor, unique=BookingRule.id),
        },
        {
            "q": search_of(BookingRule.counterparty_name, like, BookingRule.reason),
            "account": lambda text: BookingRule.money_account_id == UUID(text),
            "state": one_of(state, ("suggests", "automatic", "ended")),
            "booked": lambda text: BookingRule.account_code == text,
            **between_days(viewer, BookingRule.made_at),
        },
    )


def announced(viewer: Viewer) -> Source:
    """Return what banks announced and no statement has booked yet, the oldest first. Nothing of it is in the books."""
    line, last = (
        StatementLine,
        select(func.max(Statement.to_on)).where(Statement.money_account_id == InterimLine.money_account_id),
    )
    same = or_(line.identity == InterimLine.identity, and_(InterimLine.bank_ref != "", line.bank_ref == InterimLine.bank_ref))
    booked = select(line.id).where(
        line.money_account_id == InterimLine.money_account_id,
        line.amount_minor == InterimLine.amount_minor,
        line.booked_on >= InterimLine.expected_on - 7,
        same,
    )
    columns = (
        InterimLine.id, InterimLine.expected_on, MoneyAccount.name.label("account"), InterimLine.counterparty_name.label("who"),
        func.left(InterimLine.text, 90).label("text"), InterimLine.amount_minor, InterimLine.currency,
    )  # fmt: skip
    return Source(
        select(*columns)
        .outerjoin(MoneyAccount, MoneyAccount.id == InterimLine.money_account_id)
        .where(
            InterimLine.coop_id == viewer.coop_id,
            InterimLine.expected_on > func.coalesce(last.scalar_subquery(), date.min),
            ~booked.exists(),
        ),
        {
            "oldest": Sorting(((InterimLine.expected_on, date.fromisoformat), (InterimLine.id, UUID))),
            "newest": by_day(InterimLine.expected_on, kind=date.fromisoformat, unique=InterimLine.id),
        },
        {
            "q": search_of(InterimLine.counterparty_name, InterimLine.text),
            "account": lambda text: InterimLine.money_account_id == UUID(text),
            "amount": lambda text: InterimLine.amount_minor.in_((viewer.minor(text), -viewer.minor(text))),
            **between_dates(InterimLine.expected_on),
        },
        InterimLine.amount_minor,
        InterimLine.currency,
    )


def postings(viewer: Viewer) -> Source:
    """Return what moved in the co-op's books, the last booked first; of one account where the address names one."""
    posting, fact = LedgerPosting, LedgerTransaction
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    book = select(LedgerBook.id).where(LedgerBook.coop_id == viewer.coop_id).scalar_subquery()
    key = cast(posting.transaction_id, Text) + literal("-") + cast(posting.n, Text)
    columns = (
        key.label("id"), fact.effective_on, fact.booked_at, fact.kind, debit.code.label("debit"),
        credit.code.label("credit"), posting.amount_minor, posting.currency, fact.idem_key, fact.actor, posting.transaction_id,
    )  # fmt: skip

    def touches(text: str) -> Any:
        mine = select(LedgerAccount.id).where(LedgerAccount.book_id == book, LedgerAccount.code == text)
        return or_(posting.debit_id.in_(mine), posting.credit_id.in_(mine))

    return Source(
        select(*columns)
        .outerjoin(fact, (fact.book_id == posting.book_id) & (fact.id == posting.transaction_id))
        .outerjoin(debit, (debit.book_id == posting.book_id) & (debit.id == posting.debit_id))
        .outerjoin(credit, (credit.book_id == posting.book_id) & (credit.id == posting.credit_id))
        .where(posting.book_id == book),
        {
            "newest": Sorting(((posting.transaction_id, int), (posting.n, int)), descending=True),
            "oldest": Sorting(((posting.transaction_id, int), (posting.n, int))),
        },
        {
            "account": touches,
            "fact": lambda text: posting.transaction_id == int(text),
            "kind": lambda text: fact.kind == text,
            "q": lambda text: fact.idem_key == text,
            "amount": lambda text: posting.amount_minor == viewer.minor(text),
            **between_dates(fact.effective_on),
        },
        posting.amount_minor,
        posting.currency,
        keyed=False,
    )


# From the end, since a statement is read so: what an account stands at now, less what moved after each line.
_AFTER = """
WITH acc AS (
  SELECT a.book_id, a.id, a.side, sum(b.debits_minor - b.credits_minor) AS net
  FROM ledger_book k JOIN ledger_account a ON a.book_id = k.id AND a.code = :code
  JOIN ledger_balance b ON b.book_id = a.book_id AND b.account_id = a.id
  WHERE k.coop_id = :coop GROUP BY a.book_id, a.id, a.side),
moved AS (
  SELECT p.transaction_id, p.n, acc.id, acc.side, acc.net,
         CASE WHEN p.debit_id = acc.id THEN p.amount_minor ELSE -p.amount_minor END AS minor
  FROM acc JOIN ledger_posting p ON p.book_id = acc.book_id AND acc.id IN (p.debit_id, p.credit_id)
   AND p.transaction_id {range})
SELECT * FROM (
  SELECT transaction_id || '-' || n AS id, transaction_id, (side * {sum})::bigint AS minor FROM moved) x
WHERE transaction_id = ANY(:wanted)"""
_FROM_NOW = _AFTER.format(
    range=">= :edge",
    sum="(net - coalesce(sum(minor) OVER (PARTITION BY id ORDER BY transaction_id DESC, n DESC"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))",
)
_FROM_FIRST = _AFTER.format(range="<= :edge", sum="sum(minor) OVER (PARTITION BY id ORDER BY transaction_id, n)")


def balances_after(session: Session, viewer: Viewer, code: str, lines: Sequence[Line]) -> dict[str, int]:
    """Return what an account stood at after each of a page's lines, in the order of booking, on the side on which it grows."""
    wanted = [line.transaction_id for line in lines]
    down = wanted[0] >= wanted[-1]
    values = {"coop": viewer.coop_id, "code": code, "wanted": wanted, "edge": wanted[-1]}
    return {row.id: row.minor for row in session.execute(text(_FROM_NOW if down else _FROM_FIRST), values)}
