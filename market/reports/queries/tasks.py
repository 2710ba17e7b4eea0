"""What waits for a person of a co-op: one list over everything that can wait, with age, amount and who sees to it.

Each kind is a SELECT of the same columns; together they are one UNION that the staff's first page filters, sorts and counts
like any other list. Things that come in thousands (statement lines, payouts without a line) stand here once per account or run.
"""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Executable,
    FromClause,
    Numeric,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from market.accounts.models import Account
from market.desks.models import Assignment
from market.orders.models import Complaint, Order, SellerOrder
from market.payables import queries as payables
from market.payables.models import Payable
from market.payments.models import CardAuthorisation, Dispute, Payment, PaymentPartRow, Refund
from market.payments.rules import WANTS_EVIDENCE
from market.payouts.models import Cheque, Payout, PayoutFile, PayoutRun, PayoutSetting
from market.payouts.queries import without_account
from market.payouts.queries.runs import stuck
from market.payouts.rules.schedule import PayoutSettings
from market.producers.models import Certificate, Member, PayeeAccount, Producer, TaxIdentity
from market.producers.rules import CERTIFICATE_WARNING
from market.reports.queries.desks import WORTH
from market.reports.queries.lists import Listed, Sorting, Source, Viewer, contains, one_named
from market.statements.match_models import BookingProposal
from market.statements.models import MoneyAccount, PeriodClose, PeriodReopening, StatementFile, StatementLine
from market.treasury.models import OpeningBalance

LATE = timedelta(days=3)
"""A paid order that nobody has sent for this long is a task for the co-op [P]."""
UNSEEN = timedelta(days=5)
"""A payout that was sent and stands on no statement for this long needs a look (payouts.queries.alarms)."""
ENDS = timedelta(days=2)
"""An authorisation of a card that ends so soon, with nothing said of what is sent, needs a look; and one that is refused."""
KINDS = (
    "complaint", "order_problem", "order_to_pack", "refund_problem", "dispute_waits", "payout_person", "payout_unseen",
    "run_stuck", "cheque_stale", "payable_overdue", "account_missing", "run_draft", "file_waits",
    "booking_proposed", "refund_by_bank", "order_late", "lines", "file_draft", "close_prepared", "reopening_proposed",
    "opening_proposed", "account_waits", "account_name", "certificate_entered", "certificate_ends", "seller_facts",
)  # fmt: skip
GROUPED = ("payout_unseen", "run_stuck", "payable_overdue", "lines", "seller_facts")
"""Kinds of which one row stands for as many things as its number says."""


PRINTED = re.compile("^(RUN|PO)-0*")
"""What stands before a number where it is printed."""
COOP: Any = bindparam("task_coop", type_=Uuid())
NOW: Any = bindparam("task_now", type_=DateTime(timezone=True))
TODAY: Any = bindparam("task_today", type_=Date())
YEAR: Any = bindparam("task_year", type_=Date())
"""For whom and when: the statements are made once, since making one takes longer than most of its kinds take to read."""


def _values(viewer: Viewer) -> dict[str, Any]:
    assert viewer.now is not None
    # The report of a year is due at the end of January (DAC7, section III A 6), so that month still counts to the year before.
    year = date((viewer.now - timedelta(days=31)).year, 1, 1)
    given = {COOP: viewer.coop_id, NOW: viewer.now, TODAY: viewer.today, YEAR: year}
    return {parameter.key: value for parameter, value in given.items()}


def tasks(viewer: Viewer, *, kinds: Collection[str] = ()) -> Source:
    """Return what waits for a person, the oldest first; where somebody has counted, of the kinds that wait alone."""
    statement, columns = _statement(frozenset(kinds))
    owners = {"mine": Assignment.account_id == viewer.account_id, "free": Assignment.account_id.is_(None)}
    return Source(
        statement,
        {
            "oldest": Sorting(((columns.since, datetime.fromisoformat), (columns.kind, str), (columns.id, UUID))),
            "largest": Sorting(((func.coalesce(columns.amount_minor, 0), int), (columns.kind, str), (columns.id, UUID)), True),
        },
        {
            "kind": lambda text: columns.kind == text,
            "owner": one_named(owners),
            "q": lambda text: contains(columns.words, text) | (columns.number == PRINTED.sub("", text.strip().upper())),
        },
        columns.amount_minor,
        columns.currency,
        keyed=False,
        values=_values(viewer),
    )


@lru_cache(maxsize=32)
def _statement(kinds: frozenset[str]) -> tuple[Listed, Any]:
    """Return the SELECT of some kinds, or of all, with who sees to each, and the columns of a task."""
    every = _kinds(_owed_by_payee())
    waiting = [each for each in every if each.selected_columns["kind"].element.value in kinds]
    columns = union_all(*(waiting or every)).subquery("task").c
    taken = (Assignment.coop_id == COOP) & (Assignment.subject_id == columns.id) & (Assignment.subject_kind == columns.kind)
    statement = (
        select(*columns, Account.name.label("owner"), Assignment.account_id.label("owner_id"))
        .outerjoin(Assignment, taken)
        .outerjoin(Account, Account.id == Assignment.account_id)
    )
    return statement, columns


def counts(session: Session, viewer: Viewer) -> dict[str, int]:
    """Return how many of each kind wait, and as `owed` how many payees are owed something that no run has taken.

    A row that stands for many things counts as many as it names.
    """
    return {kind: int(count) for kind, count in session.execute(_counted(), _values(viewer)) if count}


@cache
def _counted() -> Executable:
    owed = _owed_by_payee()
    found = union_all(*_kinds(owed)).subquery("task")
    many = case((found.c.kind.in_(GROUPED), cast(found.c.number, BigInteger)), else_=1)
    payees = select(literal("owed", String), cast(func.count(owed.c.payee_id.distinct()), Numeric))
    return union_all(select(found.c.kind, func.sum(many)).group_by(found.c.kind), payees)


def _row(kind: str, identity: Any, number: Any, words: Any, minor: Any, currency: Any, since: Any) -> tuple[Any, ...]:
    return (
        literal(kind, String).label("kind"),
        identity.label("id"),
        cast(number, Text).label("number"),
        cast(words, Text).label("words"),
        cast(minor, BigInteger).label("amount_minor"),
        cast(currency, Text).label("currency"),
        since.label("since"),
    )


def _at(day: Any) -> Any:
    """A day as an instant, so that days and instants sort together."""
    return func.timezone("UTC", cast(day, DateTime()))


def _kinds(owed: FromClause) -> list[Listed]:
    return [*_orders(), *_money(), *_owed(owed), *_bank(), *_people()]


def _owed_by_payee() -> FromClause:
    """What is owed, read once in a statement however many kinds ask about it: there may be tens of thousands of rows."""
    return payables.owed(COOP, TODAY).cte("owed")


def _orders() -> list[Listed]:
    number = cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text)
    facts = (SellerOrder.id, number, Order.name, WORTH, SellerOrder.currency, SellerOrder.placed_at)
    mine = (SellerOrder.coop_id == COOP, SellerOrder.state == "paid")
    joined = (Order, Order.id == SellerOrder.order_id)
    said = (SellerOrder.id, number, Complaint.words, WORTH, SellerOrder.currency, Complaint.opened_at)
    return [
        select(*_row("complaint", *said))
        .join(Complaint, Complaint.seller_order_id == SellerOrder.id)
        .join(*joined)
        .where(Complaint.coop_id == COOP, Complaint.answered_at.is_(None)),
        select(*_row("order_problem", *facts)).join(*joined).where(*mine, SellerOrder.problem.is_not(None)),
        select(*_row("order_to_pack", *facts))
        .join(*joined)
        .join(Payment, and_(Payment.subject_id == SellerOrder.order_id, Payment.state == "authorised"))
        .join(CardAuthorisation, CardAuthorisation.payment_id == Payment.id)
        .where(
            SellerOrder.coop_id == COOP,
            SellerOrder.state == "authorised",
            or_(
                and_(SellerOrder.packed_at.is_(None), CardAuthorisation.capture_before < NOW + ENDS), Payment.problem.is_not(None)
            ),
        ),
        select(*_row("order_late", *facts))
        .join(*joined)
        .where(*mine, SellerOrder.problem.is_(None), SellerOrder.placed_at < NOW - LATE),
    ]


def _money() -> list[Listed]:
    refund = (Refund.id, Refund.number, Refund.reason, Refund.amount_minor, Refund.currency, Refund.decided_at)
    dispute = (Dispute.id, literal(""), Payment.title, Dispute.amount_minor, Dispute.currency, Dispute.opened_at)
    ours = select(PaymentPartRow.payment_id).where(PaymentPartRow.coop_id == COOP)
    payout = (Payout.id, Payout.number, Producer.name, Payout.amount_minor, Payout.currency, Payout.changed_at)
    unseen = (func.count(), func.sum(Payout.amount_minor), func.min(Payout.currency), func.min(Payout.changed_at))
    cheque = (Payout.id, Cheque.number, Payout.details["holder"].astext, Payout.amount_minor, Payout.currency, Cheque.issued_at)
    patience = func.coalesce(PayoutSetting.cheque_stale_days, PayoutSettings().cheque_stale_days)
    # Sums of two currencies are no amount.
    alone = func.min(Payout.currency) == func.max(Payout.currency)
    due = func.to_char(PayoutRun.due_by, "YYYY-MM-DD")
    run = (PayoutRun.id, PayoutRun.number, due, case((alone, unseen[1])), case((alone, unseen[2])), PayoutRun.prepared_at)
    file = (PayoutFile.run_id, PayoutFile.count, PayoutFile.message_id, PayoutFile.total_minor, PayoutFile.currency)
    return [
        select(*_row("refund_problem", *refund)).where(Refund.coop_id == COOP, Refund.state.in_(("failed", "needs_person"))),
        select(*_row("refund_by_bank", *refund)).where(
            Refund.coop_id == COOP, Refund.method == "transfer", Refund.state == "decided"
        ),
        select(*_row("dispute_waits", *dispute))
        .join(Payment, Payment.id == Dispute.payment_id)
        .where(Dispute.payment_id.in_(ours), Dispute.submitted_at.is_(None), Dispute.state.in_(WANTS_EVIDENCE)),
        select(*_row("payout_person", *payout))
        .join(Producer, Producer.id == Payout.payee_id)
        .where(Payout.coop_id == COOP, Payout.state.in_(("needs_person", "unknown"))),
        select(*_row("payout_unseen", Payout.run_id, unseen[0], literal(""), *unseen[1:]))
        .where(Payout.coop_id == COOP, Payout.state == "sent", Payout.rail != "cheque", Payout.changed_at < NOW - UNSEEN)
        .group_by(Payout.run_id, Payout.currency),
        select(*_row("cheque_stale", *cheque))
        .join(Payout, Payout.id == Cheque.payout_id)
        .outerjoin(PayoutSetting, PayoutSetting.coop_id == Cheque.coop_id)
        .where(Cheque.coop_id == COOP, Payout.state == "sent", Cheque.issued_on < TODAY - patience),
        select(*_row("run_stuck", Payout.run_id, unseen[0], literal(""), *unseen[1:]))
        .where(Payout.coop_id == COOP, stuck(NOW))
        .group_by(Payout.run_id, Payout.currency),
        select(*_row("run_draft", *run))
        .join(Payout, Payout.run_id == PayoutRun.id)
        .where(PayoutRun.coop_id == COOP, PayoutRun.state == "draft")
        .group_by(PayoutRun.id),
        select(*_row("file_waits", *file, PayoutFile.written_at)).where(
            PayoutFile.coop_id == COOP, PayoutFile.submitted_at.is_(None)
        ),
    ]


def _owed(owed: FromClause) -> list[Listed]:
    """Return what is owed and late by currency, and to whom nothing can be paid: an alarm is mailed about both (law 5)."""
    currency = owed.c.currency
    identity = cast(func.md5(cast(COOP, Text) + currency), Uuid)
    sums = (func.sum(owed.c.late), literal(""), func.sum(owed.c.late_minor), currency, _at(func.min(owed.c.due_on)))
    nowhere = without_account(COOP, TODAY, owed).subquery("nowhere")
    payee = (nowhere.c.payee_id, literal(""), Producer.name, null(), null(), _at(nowhere.c.due_on))
    return [
        select(*_row("payable_overdue", identity, *sums)).where(owed.c.late > 0).group_by(currency),
        select(*_row("account_missing", *payee)).join(Producer, Producer.id == nowhere.c.payee_id),
    ]


def _bank() -> list[Listed]:
    left = func.abs(StatementLine.amount_minor) - StatementLine.matched_minor
    lines = (func.count(), MoneyAccount.name, func.sum(left), MoneyAccount.currency, _at(func.min(StatementLine.booked_on)))
    draft = (StatementFile.id, StatementFile.new_lines, StatementFile.name, null(), null(), StatementFile.uploaded_at)
    until = func.to_char(PeriodClose.ends_on, "YYYY-MM-DD")
    proposed = (
        BookingProposal.line_id, literal(""), BookingProposal.reason, BookingProposal.amount_minor, StatementLine.currency,
        BookingProposal.proposed_at,
    )  # fmt: skip
    close = (PeriodClose.id, literal(""), until, null(), null())
    opening = (OpeningBalance.id, literal(""), OpeningBalance.name, null(), null(), OpeningBalance.proposed_at)
    return [
        select(*_row("lines", MoneyAccount.id, *lines))
        .join(StatementLine, StatementLine.money_account_id == MoneyAccount.id)
        .where(MoneyAccount.coop_id == COOP, StatementLine.state.in_(("new", "suggested", "parked")))
        .group_by(MoneyAccount.id),
        select(*_row("file_draft", *draft)).where(StatementFile.coop_id == COOP, StatementFile.outcome == "draft"),
        select(*_row("booking_proposed", *proposed))
        .join(StatementLine, StatementLine.id == BookingProposal.line_id)
        .where(BookingProposal.coop_id == COOP, BookingProposal.state == "proposed"),
        select(*_row("close_prepared", *close, PeriodClose.prepared_at)).where(
            PeriodClose.coop_id == COOP, PeriodClose.state == "prepared"
        ),
        select(*_row("reopening_proposed", *close, PeriodReopening.proposed_at))
        .join(PeriodReopening, PeriodReopening.close_id == PeriodClose.id)
        .where(PeriodClose.coop_id == COOP, PeriodReopening.state == "proposed"),
        select(*_row("opening_proposed", *opening)).where(OpeningBalance.coop_id == COOP, OpeningBalance.state == "proposed"),
    ]


def _people() -> list[Listed]:
    account = (PayeeAccount.id, literal(""), Producer.name, null(), null(), PayeeAccount.entered_at)
    entered = (Certificate.id, Certificate.number, Certificate.scheme, null(), null(), Certificate.entered_at)
    ends = (Certificate.id, Certificate.number, Certificate.scheme, null(), null(), _at(Certificate.valid_to))
    soon = Certificate.valid_to.between(TODAY, TODAY + CERTIFICATE_WARNING)
    return [
        select(*_row("account_waits", *account))
        .join(Producer, Producer.id == PayeeAccount.producer_id)
        .where(PayeeAccount.coop_id == COOP, PayeeAccount.confirmed_at.is_(None), PayeeAccount.replaced_at.is_(None)),
        select(*_row("account_name", *account))
        .join(Producer, Producer.id == PayeeAccount.producer_id)
        .where(
            PayeeAccount.coop_id == COOP,
            PayeeAccount.name_doubt.is_not(None),
            PayeeAccount.name_agreed_by.is_(None),
            PayeeAccount.replaced_at.is_(None),
        ),
        select(*_row("certificate_entered", *entered)).where(Certificate.coop_id == COOP, Certificate.status == "entered"),
        select(*_row("certificate_ends", *ends)).where(Certificate.coop_id == COOP, Certificate.status == "active", soon),
        _sellers(),
    ]


def identity_known() -> Any:
    """Return whether all that the tax office asks about a seller is known, their account aside (`missing_facts`)."""
    who = TaxIdentity
    person = who.kind == "person"
    return and_(
        who.legal_name != "",
        and_(who.town != "", or_(who.street != "", who.postcode != "")),
        who.country != "",
        or_(who.tax_number != "", and_(person, who.birth_place != "")),
        or_(who.tax_country != "", who.tax_number == ""),
        or_(who.born_on.is_not(None), ~person),
        or_(who.registration_number != "", person),
    )


def _sellers() -> Listed:
    """Return once how many members earned in the year to report and have not said what the tax office asks (`missing_facts`).

    An account that is missing is a task of its own.
    """
    who, known = TaxIdentity, identity_known()
    earned = exists().where(Payable.payee_id == Member.producer_id, Payable.coop_id == COOP, Payable.raised_at >= YEAR)
    since = func.min(func.greatest(Member.joined_on, YEAR))
    return (
        select(*_row("seller_facts", Member.coop_id, func.count(), literal(""), null(), null(), _at(since)))
        .outerjoin(who, who.producer_id == Member.producer_id)
        .where(Member.coop_id == COOP, Member.left_on.is_(None), known.is_not(True), earned)
        .group_by(Member.coop_id)
    )
