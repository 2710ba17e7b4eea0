"""Reads of runs and payouts; frozen answers. Lists are pages by number, newest first."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, FromClause, Select, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.money import Money
from market.kernel.paging import Page
from market.payables import queries as payables
from market.payouts.errors import FileNotFound, PayoutNotFound, RunNotFound
from market.payouts.models import CashReceipt, Cheque, Payout, PayoutAttempt, PayoutFile, PayoutItem, PayoutRun, PayoutStatement
from market.payouts.queries.views import Alarm, AttemptRow, FileRow, InTransit, PayoutRow, RunRow, payout_from, run_from
from market.payouts.rules.numbers import payout_number
from market.payouts.rules.reasons import ACCOUNT_IS_WRONG
from market.payouts.rules.states import FINAL, IN_TRANSIT, State
from market.producers import queries as producers

PAGE = 50
UNKNOWN_TOO_LONG = timedelta(hours=1)
QUEUED_TOO_LONG = timedelta(minutes=15)
FILE_WAITS_TOO_LONG = timedelta(days=1)
SENT_TOO_LONG = timedelta(days=5)
DRAFT_TOO_LONG = timedelta(days=2)
_IN_TRANSIT = ("sending", "sent", "unknown", "needs_person")


def run(session: Session, run_id: UUID) -> RunRow:
    """Return a run. Raises RunNotFound outside this scope."""
    row = session.get(PayoutRun, run_id)
    if row is None:
        raise RunNotFound("There is no such payout run here.")
    return run_from(row)


def runs(session: Session, *, coop_id: UUID, cursor: str | None = None, limit: int = PAGE) -> Page[RunRow]:
    """Return a page of a co-op's runs, newest first."""
    statement = select(PayoutRun).where(PayoutRun.coop_id == coop_id).order_by(PayoutRun.number.desc())
    if cursor:
        statement = statement.where(PayoutRun.number < _number(cursor))
    rows = session.execute(statement.limit(limit + 1)).scalars().all()
    return Page([run_from(row) for row in rows[:limit]], paging.encode([rows[limit - 1].number]) if len(rows) > limit else None)


def payout(session: Session, payout_id: UUID) -> PayoutRow:
    """Return a payout. Raises PayoutNotFound outside this scope."""
    row = session.execute(select(Payout).where(Payout.id == payout_id)).scalar_one_or_none()
    if row is None:
        raise PayoutNotFound("There is no such payout here.")
    return payout_from(row)


def payouts_of_run(
    session: Session, run_id: UUID, *, state: str | None = None, cursor: str | None = None, limit: int = PAGE
) -> Page[PayoutRow]:
    """Return a page of a run's payouts by number, of one state if given."""
    statement = select(Payout).where(Payout.run_id == run_id).order_by(Payout.number)
    if state:
        statement = statement.where(Payout.state == state)
    if cursor:
        statement = statement.where(Payout.number > _number(cursor))
    rows = session.execute(statement.limit(limit + 1)).scalars().all()
    return Page(
        [payout_from(row) for row in rows[:limit]], paging.encode([rows[limit - 1].number]) if len(rows) > limit else None
    )


def payouts_of_payee(session: Session, producer_id: UUID, *, cursor: str | None = None, limit: int = PAGE) -> Page[PayoutRow]:
    """Return a page of a producer's payouts that were approved, newest first."""
    statement = select(Payout).where(Payout.payee_id == producer_id, Payout.state != State.DRAFT).order_by(Payout.number.desc())
    if cursor:
        statement = statement.where(Payout.number < _number(cursor))
    rows = session.execute(statement.limit(limit + 1)).scalars().all()
    return Page(
        [payout_from(row) for row in rows[:limit]], paging.encode([rows[limit - 1].number]) if len(rows) > limit else None
    )


def states_of_run(session: Session, run_id: UUID) -> dict[str, int]:
    """Return how many payouts of a run stand in each state."""
    statement = select(Payout.state, func.count()).where(Payout.run_id == run_id).group_by(Payout.state)
    return {state: int(count) for state, count in session.execute(statement)}


def stages(session: Session, runs: Sequence[RunRow], *, coop_id: UUID) -> dict[UUID, str]:
    """Return where each run of a co-op stands: `draft`, `cancelled`, `under_way`, `done`, or `ended` when some were not paid."""

    def having(states: frozenset[State]) -> set[UUID]:
        ids = [run.id for run in runs if run.state == "approved"]
        statement = select(Payout.run_id).where(Payout.coop_id == coop_id, Payout.state.in_(states), Payout.run_id.in_(ids))
        return set(session.execute(statement.distinct()).scalars()) if ids else set()

    moving, lost = having(IN_TRANSIT), having(FINAL)
    return {
        run.id: run.state
        if run.state != "approved"
        else "under_way"
        if run.id in moving
        else "ended"
        if run.id in lost
        else "done"
        for run in runs
    }


def attempts(session: Session, payout_id: UUID) -> list[AttemptRow]:
    """Return the calls that were made for a payout, in order."""
    statement = select(PayoutAttempt).where(PayoutAttempt.payout_id == payout_id).order_by(PayoutAttempt.n)
    return [
        AttemptRow(row.n, row.action, row.started_at, row.ended_at, row.outcome) for row in session.execute(statement).scalars()
    ]


def items(session: Session, payout_id: UUID) -> list[tuple[UUID, int]]:
    """Return the payables inside a payout with their amounts, released ones included."""
    statement = select(PayoutItem.payable_id, PayoutItem.amount_minor).where(PayoutItem.payout_id == payout_id)
    return [(payable_id, int(minor)) for payable_id, minor in session.execute(statement)]


def files_of_run(session: Session, run_id: UUID) -> list[FileRow]:
    """Return the bank files of a run, without their bytes."""
    statement = select(*_file_columns()).where(PayoutFile.run_id == run_id).order_by(PayoutFile.currency)
    return [_file_from(row) for row in session.execute(statement)]


def file_body(session: Session, file_id: UUID) -> tuple[FileRow, bytes]:
    """Return a bank file with its stored bytes. Raises FileNotFound outside this scope."""
    row = session.execute(select(*_file_columns(), PayoutFile.body).where(PayoutFile.id == file_id)).one_or_none()
    if row is None:
        raise FileNotFound("There is no such bank file here.")
    return _file_from(row), bytes(row.body)


def payout_details(session: Session, payout_id: UUID) -> dict[str, str]:
    """Return where a payout went: the account as it was frozen when the run was prepared."""
    return dict(session.execute(select(Payout.details).where(Payout.id == payout_id)).scalar_one())


def printed_statement(session: Session, payout_id: UUID) -> bytes | None:
    """Return the statement as it was printed, None when nobody has asked for it yet."""
    return session.execute(select(PayoutStatement.body).where(PayoutStatement.payout_id == payout_id)).scalar_one_or_none()


def receipt_number(session: Session, payout_id: UUID) -> str | None:
    """Return the number of the receipt of a cash payout."""
    return session.execute(select(CashReceipt.number).where(CashReceipt.payout_id == payout_id)).scalar_one_or_none()


def in_transit(
    session: Session, *, coop_id: UUID, rails: Sequence[str] = ("sepa",), currency: str | None = None
) -> list[InTransit]:
    """Return the payouts that a statement may still show, oldest first: of which an amount stands on `in_transit:<rail>`."""
    return list(each_in_transit(session, coop_id=coop_id, rails=rails, currency=currency))


def each_in_transit(
    session: Session,
    *,
    coop_id: UUID,
    rails: Sequence[str] = ("sepa",),
    currency: str | None = None,
    sent_from: date | None = None,
    sent_before: date | None = None,
) -> Iterator[InTransit]:
    """Yield what `in_transit` returns, never all of it in memory: read it to its end before anything else is asked.

    The days (UTC) leave out what was sent at other times; what was never sent counts as sent before all else.
    """
    sent = [Payout.coop_id == coop_id]
    if sent_from is not None:
        sent.append(Payout.first_sent_at >= datetime.combine(sent_from, time.min, UTC))
    if sent_before is not None:
        before = Payout.first_sent_at < datetime.combine(sent_before, time.min, UTC)
        sent.append(before if sent_from is not None else or_(Payout.first_sent_at.is_(None), before))
    return _matchable(session, and_(*sent), rails, currency, _IN_TRANSIT)


def in_transit_named(
    session: Session, *, coop_id: UUID, rails: Sequence[str], currency: str, references: Collection[str]
) -> list[InTransit]:
    """Return those of `in_transit` that one of the references names."""
    if not references:
        return []
    named = and_(Payout.coop_id == coop_id, Payout.reference.in_(references))
    return list(_matchable(session, named, rails, currency, _IN_TRANSIT))


def in_transit_selected(*, coop_id: UUID, rails: Sequence[str], currency: str) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of what `in_transit` returns, as far as a line that names a payout is compared with it.

    Columns: payout_id, reference, amount_minor, sent_on, iban (without blanks, in capitals).
    """
    return select(
        Payout.id.label("payout_id"),
        Payout.reference,
        Payout.amount_minor,
        cast(func.timezone("UTC", Payout.first_sent_at), Date).label("sent_on"),
        _iban().label("iban"),
    ).where(Payout.coop_id == coop_id, Payout.rail.in_(rails), Payout.currency == currency, Payout.state.in_(_IN_TRANSIT))


def settled(
    session: Session,
    *,
    coop_id: UUID,
    rails: Sequence[str],
    currency: str,
    references: Collection[str],
    amounts: Collection[int] = (),
    ibans: Collection[str] | None = None,
) -> list[InTransit]:
    """Return settled payouts of one of the references or amounts (minor units): what a returned payment may belong to.

    `ibans` (without blanks, in capitals) leave out what went to other accounts, of those that only an amount names.
    """
    if not references and not amounts:
        return []
    alike = Payout.amount_minor.in_(amounts)
    meant = or_(Payout.reference.in_(references), alike if ibans is None else and_(alike, _iban().in_(ibans)))
    return list(_matchable(session, and_(Payout.coop_id == coop_id, meant), rails, currency, ("settled",)))


def undone(session: Session, *, coop_id: UUID, references: Sequence[str], rails: Sequence[str] = ("sepa",)) -> list[InTransit]:
    """Return failed, cancelled and returned payouts among `references`: a debit that names one is an alarm."""
    mine = and_(Payout.coop_id == coop_id, Payout.reference.in_(references))
    return list(_matchable(session, mine, rails, None, ("failed", "cancelled", "returned")))


def voided_cheques(session: Session, *, coop_id: UUID, rails: Sequence[str], currency: str) -> list[InTransit]:
    """Return payouts whose cheque was voided: a debit that shows its number is an alarm, whatever the bank was told."""
    if "cheque" not in rails:
        return []
    return list(
        _matchable(session, and_(Payout.coop_id == coop_id, Cheque.voided_at.is_not(None)), ("cheque",), currency, ("failed",))
    )


def in_transit_totals(session: Session, coop_id: UUID) -> dict[tuple[str, str], int]:
    """Return the sums that must equal the ledger's `in_transit:<rail>` balances (money.md 1.6)."""
    states = ("approved", "queued", "sending", "sent", "unknown", "needs_person")
    statement = (
        select(Payout.rail, Payout.currency, func.sum(Payout.amount_minor))
        .where(Payout.coop_id == coop_id, Payout.state.in_(states))
        .group_by(Payout.rail, Payout.currency)
    )
    return {(rail, currency): int(minor) for rail, currency, minor in session.execute(statement)}


def bad_accounts(session: Session, coop_id: UUID) -> set[str]:
    """Return ids of payee accounts that a bank has called wrong, closed or blocked: nothing is sent there again."""
    account = Payout.details["account_id"].astext
    statement = select(account).where(
        Payout.coop_id == coop_id,
        Payout.state.in_(("returned", "failed")),
        or_(*(Payout.reason.startswith(code) for code in ACCOUNT_IS_WRONG)),
    )
    return set(session.execute(statement).scalars())


def runs_without_files(session: Session, *, limit: int = 20) -> list[UUID]:
    """Return approved runs with bank payouts that are in no file yet."""
    statement = (
        select(Payout.run_id).where(Payout.rail == "sepa", Payout.state == State.QUEUED).group_by(Payout.run_id).limit(limit)
    )
    return list(session.execute(statement).scalars())


def alarms(session: Session, *, now: datetime, coop_id: UUID | None = None) -> list[Alarm]:
    """Return what waits too long: unknown outcomes, payouts for a person, files not submitted, money on no statement."""
    checks = {
        "needs_person": (Payout.state == State.NEEDS_PERSON,),
        "unknown": (Payout.state == State.UNKNOWN, Payout.first_sent_at < now - UNKNOWN_TOO_LONG),
        "undecided": (Payout.state == State.SENT, Payout.wake_at.is_not(None), Payout.first_sent_at < now - UNKNOWN_TOO_LONG),
        "stuck": (stuck(now),),
        "file_waits": (Payout.state == State.SENDING, Payout.rail == "sepa", Payout.changed_at < now - FILE_WAITS_TOO_LONG),
        "on_no_statement": (Payout.state == State.SENT, Payout.rail != "cheque", Payout.changed_at < now - SENT_TOO_LONG),
    }
    found: list[Alarm] = []
    for kind, where in checks.items():
        mine = where if coop_id is None else (*where, Payout.coop_id == coop_id)
        count, since = session.execute(select(func.count(), func.min(Payout.changed_at)).where(*mine)).one()
        if count:
            found.append(Alarm(kind, int(count), since))
    drafts = [PayoutRun.state == "draft", PayoutRun.prepared_at < now - DRAFT_TOO_LONG]
    drafts += [] if coop_id is None else [PayoutRun.coop_id == coop_id]
    count, since = session.execute(select(func.count(), func.min(PayoutRun.prepared_at)).where(*drafts)).one()
    return [*found, Alarm("draft_waits", int(count), since)] if count else found


def stuck(now: datetime) -> ColumnElement[bool]:
    """Return the condition of approved payouts that no worker takes: not sent by its time, or in no bank file yet."""
    late = now - QUEUED_TOO_LONG
    in_no_file = and_(Payout.rail == "sepa", Payout.changed_at < late)
    return and_(Payout.state == State.QUEUED, or_(Payout.wake_at < late, in_no_file))


def payees_without_account(session: Session, *, coop_id: UUID, on: date) -> int:
    """Return how many payees are owed something due and have no account that it can be paid to."""
    owed = payables.owed(coop_id, on).subquery("owed")
    return session.scalar(select(func.count()).select_from(without_account(coop_id, on, owed).subquery())) or 0


def without_account(coop_id: UUID, on: date, owed: FromClause) -> Select[*tuple[Any, ...]]:
    """Return the SELECT of payees who are owed something due by a day and have no account for it, with the earliest day.

    `owed` is what `payables.queries.owed` selects.
    An account that a bank has called wrong, closed or blocked is none.
    """
    account = Payout.details["account_id"].astext
    bad = select(account).where(
        Payout.coop_id == coop_id,
        account.is_not(None),
        Payout.state.in_(("returned", "failed")),
        or_(*(Payout.reason.startswith(code) for code in ACCOUNT_IS_WRONG)),
    )
    paid_to = producers.live_accounts_of(coop_id).subquery()
    usable = select(paid_to.c.id).where(
        paid_to.c.producer_id == owed.c.payee_id, paid_to.c.currency == owed.c.currency, cast(paid_to.c.id, Text).not_in(bad)
    )
    due = owed.c.due_on <= on
    return select(owed.c.payee_id, func.min(owed.c.due_on).label("due_on")).where(due, ~usable.exists()).group_by(owed.c.payee_id)


def _iban() -> ColumnElement[str]:
    """Where a payout went, as lines of statements show it: without blanks, in capitals, a wallet by its digits."""
    given = func.coalesce(func.nullif(Payout.details["iban"].astext, ""), func.ltrim(Payout.details["msisdn"].astext, "+"), "")
    return func.upper(func.regexp_replace(given, r"\s", "", "g"))


def _matchable(
    session: Session, owner: Any, rails: Sequence[str], currency: str | None, states: Sequence[str]
) -> Iterator[InTransit]:
    statement = (
        select(
            Payout.id, Payout.number, Payout.payee_id, Payout.rail, Payout.amount_minor, Payout.currency, Payout.reference,
            Payout.details["holder"].astext.label("holder"), Payout.details["iban"].astext.label("iban"),
            Payout.details["msisdn"].astext.label("msisdn"), Payout.provider_ref, Payout.state,
            Payout.first_sent_at, PayoutFile.message_id, Cheque.number.label("cheque"),
        )
        .outerjoin(PayoutFile, PayoutFile.id == Payout.file_id)
        .outerjoin(Cheque, Cheque.payout_id == Payout.id)
        .where(owner, Payout.rail.in_(rails), Payout.state.in_(states))
        .order_by(Payout.number)
    )  # fmt: skip
    if currency is not None:
        statement = statement.where(Payout.currency == currency)
    for row in session.execute(statement.execution_options(yield_per=5_000)):
        yield InTransit(
            payout_id=row.id,
            number=payout_number(row.number),
            payee_id=row.payee_id,
            rail=row.rail,
            money=Money(row.amount_minor, row.currency),
            reference=row.reference,
            holder=row.holder,
            iban=row.iban or (row.msisdn or "").removeprefix("+"),
            provider_ref=row.provider_ref,
            state=row.state,
            message_id=row.message_id,
            sent_on=row.first_sent_at.date() if row.first_sent_at else None,
            cheque=row.cheque,
        )


def _file_columns() -> list[Any]:
    names = (
        "id",
        "run_id",
        "message_id",
        "count",
        "total_minor",
        "currency",
        "sha256",
        "written_at",
        "submitted_by",
        "submitted_at",
    )
    return [getattr(PayoutFile, name).label(f"file_{name}") for name in names]


def _file_from(row: Any) -> FileRow:
    return FileRow(
        row.file_id, row.file_run_id, row.file_message_id, row.file_count, Money(row.file_total_minor, row.file_currency),
        row.file_sha256, row.file_written_at, row.file_submitted_by, row.file_submitted_at,
    )  # fmt: skip


def _number(cursor: str) -> int:
    (text,) = paging.decode(cursor, 1)
    if not text.isdigit():
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor")
    return int(text)
