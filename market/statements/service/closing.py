"""Close a period: only at zero, or with every difference explained, and by two persons (money.md 8.5)."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor, system
from market.kernel.clock import day_in
from market.kernel.errors import Missing
from market.kernel.ids import new_id
from market.kernel.money import Money, total
from market.kernel.text import says_why
from market.kernel.words import N_, say
from market.ledger import queries as books
from market.ledger import reports
from market.ledger import service as ledger
from market.payouts import queries as payouts
from market.producers import queries as producers
from market.statements.errors import CloseOutdated, DifferencesUnexplained, PeriodIsClosed, SecondPersonNeeded
from market.statements.models import MoneyAccount, PeriodClose, PeriodReopening, Statement, StatementFile, StatementLine
from market.statements.service.standing import bank_had

IN_TRANSIT_LIMIT = timedelta(days=7)
"""Money sent and on no statement after this long needs an explanation [P]."""

MOST_LINES = 200
"""More unexplained lines than this are worked off, not explained."""

FORMER = N_("the mirror of %(name)s stands at %(figures)s, its last statement at %(figures_2)s")
"""What older protocols have instead of the sentence about a balance: kept so that it is still read in every language."""


class CloseNotFound(Missing):
    """No such close in this scope."""

    code = "statements.close_not_found"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not zero. `key` names it across two looks; `explainable` False means that it must be mended."""

    key: str
    text: str
    minor: int
    currency: str
    explainable: bool = True
    explanation: str = ""


def differences(session: Session, *, coop_id: UUID, ends_on: date) -> list[Difference]:
    """Return everything that keeps the period up to `ends_on` from being zero, in a fixed order."""
    accounts = session.execute(
        select(MoneyAccount).where(MoneyAccount.coop_id == coop_id, MoneyAccount.opened_on <= ends_on).order_by(MoneyAccount.id)
    ).scalars()
    found: list[Difference] = []
    book_id = ledger.book_of(session, coop_id)
    closed = books.shut_days(session, [book_id])[book_id].closed or date.min
    trial = reports.trial_balance(session, book_id, since=ends_on, until=ends_on)
    standing = {(row.code, row.closing.currency): row.closing for row in trial}
    for account in accounts:
        found += _of_statements(session, account, closed, ends_on)
        found += _of_lines(session, account, ends_on)
        found += _of_balance(session, account, ends_on, standing)
        found += _in_transit(session, account, ends_on)
    mine = f"book {book_id}"
    found += [
        Difference(f"books:{each.law}:{each.place}", f"{each.law}: {each.place}, {each.detail}", 0, "", explainable=False)
        for each in books.check(session)
        if each.place == mine or each.place.startswith(mine + " ")
    ]
    return found


def prepare_close(
    session: Session, *, coop_id: UUID, ends_on: date, explanations: Mapping[str, str], actor: Actor, now: datetime
) -> PeriodClose:
    """Record the figures of a period and an explanation of each difference, for a second person to close.

    From now on nothing posts into its days: what comes late is booked on the first open day (money.md 1.4).
    `explanations` go by the key of the difference. Preparing again replaces what was prepared. Raises PeriodIsClosed,
    DifferencesUnexplained naming the first that has no sentence of ten letters or cannot be explained away.
    """
    locks.turn(session, locks.Turn.CLOSE, coop_id)
    starts_on = check_days(session, coop_id=coop_id, ends_on=ends_on, now=now)
    items = [
        replace(each, explanation=explanations.get(each.key, "").strip())
        for each in differences(session, coop_id=coop_id, ends_on=ends_on)
    ]
    for each in items:
        if not each.explainable:
            raise DifferencesUnexplained(say("This has to be put right first: %(each)s", each=each.text), key=each.key)
        if not says_why(each.explanation):
            raise DifferencesUnexplained(
                say("Explain this in a sentence: %(each)s", each=each.text), pointer=f"/explanations/{each.key}", key=each.key
            )
    found = session.execute(
        select(PeriodClose).where(PeriodClose.coop_id == coop_id, PeriodClose.ends_on == ends_on, PeriodClose.state != "reopened")
    ).scalar_one_or_none()
    close = found or PeriodClose(id=new_id(), coop_id=coop_id, ends_on=ends_on)
    close.state, close.starts_on, close.items = "prepared", starts_on, [asdict(each) for each in items]
    close.trial_balance = _trial_balance(session, coop_id, ends_on)
    close.prepared_by, close.prepared_at = actor.label, now
    session.add(close)
    _hold_days(session, coop_id)
    audit.record(session, actor=actor, action="statements.close_prepared", subject_kind="period_close", subject_id=close.id,
                 coop_id=coop_id, now=now, new={"ends_on": ends_on.isoformat(), "differences": len(items)})  # fmt: skip
    return close


def take_back_close(session: Session, *, close_id: UUID, actor: Actor, now: datetime) -> PeriodClose:
    """Open the days of a prepared period again, for a correction that belongs into them.

    Raises PeriodIsClosed, and CloseOutdated when it was taken back already.
    """
    close = _found(session, close_id)
    close.state = "taken_back"
    audit.record(session, actor=actor, action="statements.close_taken_back", subject_kind="period_close", subject_id=close.id,
                 coop_id=close.coop_id, now=now, new={"ends_on": close.ends_on.isoformat()})  # fmt: skip
    _hold_days(session, close.coop_id)
    return close


def _found(session: Session, close_id: UUID) -> PeriodClose:
    """Return a close that waits for its second person, locked, in its turn."""
    if (found := session.get(PeriodClose, close_id)) is None:
        raise CloseNotFound("There is no such close here.")
    locks.turn(session, locks.Turn.CLOSE, found.coop_id)
    close = locks.lock_one(session, PeriodClose, close_id)
    if close.state == "closed":
        raise PeriodIsClosed(say("The period up to %(ends_on)s is closed already.", ends_on=close.ends_on))
    if close.state == "reopened":
        raise CloseOutdated("This period was opened again. Prepare its close anew.")
    if close.state == "overtaken":
        raise CloseOutdated("A later period was closed first, and these days with it. This close is not needed any more.")
    if close.state == "taken_back":
        raise CloseOutdated("This close was taken back. Prepare it again.")
    return close


def _hold_days(session: Session, coop_id: UUID) -> None:
    """Let the days of all prepared closes wait, and no others."""
    session.flush()
    book_id = ledger.book_of(session, coop_id)
    prepared = select(func.max(PeriodClose.ends_on)).where(
        PeriodClose.coop_id == coop_id,
        PeriodClose.state == "prepared",
        PeriodClose.ends_on > (books.shut_days(session, [book_id])[book_id].closed or date.min),
    )
    ledger.closing_days(session, book_id, through=session.execute(prepared).scalar_one())


def close_period(session: Session, *, close_id: UUID, actor: Actor, now: datetime) -> PeriodClose:
    """Close a prepared period, as a second person; from then on nothing posts into its days (see `reopening`).

    Closes of earlier days that still wait are overtaken by it, and what was proposed to open again stays closed.
    Raises SecondPersonNeeded for whoever prepared it, CloseOutdated when the figures moved since, or when it was taken back or
    overtaken.
    """
    close = _found(session, close_id)
    if close.prepared_by == actor.label:
        raise SecondPersonNeeded("You prepared this close. A colleague has to close it.")
    locks.lock(
        session, MoneyAccount, session.execute(select(MoneyAccount.id).where(MoneyAccount.coop_id == close.coop_id)).scalars()
    )
    now_found = {(each.key, each.minor) for each in differences(session, coop_id=close.coop_id, ends_on=close.ends_on)}
    if (
        now_found != {(each["key"], each["minor"]) for each in close.items}
        or _trial_balance(session, close.coop_id, close.ends_on) != close.trial_balance
    ):
        raise CloseOutdated("The figures have moved since this close was prepared. Prepare it again.")
    # An earlier period may have been closed since this one was prepared.
    close.starts_on = check_days(session, coop_id=close.coop_id, ends_on=close.ends_on, now=now)
    close.state, close.closed_by, close.closed_at = "closed", actor.label, now
    audit.record(session, actor=actor, action="statements.period_closed", subject_kind="period_close", subject_id=close.id,
                 coop_id=close.coop_id, now=now, new={"ends_on": close.ends_on.isoformat()})  # fmt: skip
    _overtake(session, close, actor=actor, now=now)
    _keep_shut(session, close, now=now)
    ledger.close_days(session, ledger.book_of(session, close.coop_id), through=close.ends_on, actor=actor.label, now=now)
    return close


def _overtake(session: Session, close: PeriodClose, *, actor: Actor, now: datetime) -> None:
    """End the closes of earlier days that still wait: their days are closed with this one."""
    earlier = select(PeriodClose).where(
        PeriodClose.coop_id == close.coop_id, PeriodClose.state == "prepared", PeriodClose.ends_on < close.ends_on
    )
    for each in session.scalars(earlier):
        each.state = "overtaken"
        days = {"ends_on": each.ends_on.isoformat(), "closed_through": close.ends_on.isoformat()}
        audit.record(session, actor=actor, action="statements.close_overtaken", subject_kind="period_close", subject_id=each.id,
                     coop_id=each.coop_id, now=now, new=days)  # fmt: skip


def _keep_shut(session: Session, close: PeriodClose, *, now: datetime) -> None:
    """Decline what waits to open earlier days again, which nobody can agree to any more: only the last period opens again."""
    nobody = system("closing")
    waiting = select(PeriodReopening.id).where(PeriodReopening.coop_id == close.coop_id, PeriodReopening.state == "proposed")
    for each in locks.lock(session, PeriodReopening, session.scalars(waiting)):
        if each.state != "proposed":
            continue
        each.state, each.decided_by, each.decided_at = "declined", nobody.label, now
        said = {"reason": each.reason, "closed_through": close.ends_on.isoformat()}
        audit.record(session, actor=nobody, action="statements.reopening_declined", subject_kind="period_close",
                     subject_id=each.close_id, coop_id=each.coop_id, now=now, new=said)  # fmt: skip


def check_days(session: Session, *, coop_id: UUID, ends_on: date, now: datetime) -> date:
    """Return the first day of a period that ends on a day. Raises PeriodIsClosed when that day is closed, or not over."""
    book_id = ledger.book_of(session, coop_id)
    closed = books.shut_days(session, [book_id])[book_id].closed  # not what is being closed: it may be prepared again, or less
    if closed is not None and ends_on <= closed:
        raise PeriodIsClosed(say("The books are closed through %(closed)s already.", closed=closed), pointer="/ends_on")
    if ends_on >= day_in(now, producers.coop(session, coop_id).time_zone):
        raise PeriodIsClosed("A period can be closed once its last day is over.", pointer="/ends_on")
    if closed is not None:
        return closed + timedelta(days=1)
    begins, _ = books.days_of(session, book_id)
    if ends_on < begins:
        raise PeriodIsClosed(say("The books begin on %(begins)s. Choose a day after that.", begins=begins), pointer="/ends_on")
    first = session.execute(select(func.min(MoneyAccount.opened_on)).where(MoneyAccount.coop_id == coop_id)).scalar_one()
    return min(first or ends_on, ends_on)


def _of_statements(session: Session, account: MoneyAccount, closed: date, ends_on: date) -> Iterator[Difference]:
    last = session.execute(select(func.max(Statement.to_on)).where(Statement.money_account_id == account.id)).scalar_one()
    if last is None or last < ends_on:
        reach = say("reach only to %(last)s", last=last) if last else "are missing"
        yield Difference(
            f"missing:{account.id}",
            say("the statements of %(name)s %(reach)s", name=account.name, reach=reach),
            0,
            account.currency,
        )
    rows = session.execute(
        select(Statement)
        .where(Statement.money_account_id == account.id, Statement.to_on > closed, Statement.to_on <= ends_on)
        .order_by(Statement.position)
    ).scalars()
    for row in rows:
        if row.opening_minor is None or row.closing_minor is None:
            yield Difference(
                f"balances:{row.id}",
                say("statement %(number)s gives no opening or closing balance", number=row.number),
                0,
                account.currency,
            )
        elif gap := row.closing_minor - row.opening_minor - row.booked_minor:
            yield Difference(
                f"sum:{row.id}", say("statement %(number)s does not close", number=row.number), gap, account.currency
            )
        if not row.continues:
            yield Difference(
                f"gap:{row.id}",
                say("statement %(number)s does not continue the one before", number=row.number),
                0,
                account.currency,
            )
    drafts = session.execute(
        select(StatementFile).where(StatementFile.money_account_id == account.id, StatementFile.outcome == "draft")
    ).scalars()
    for file in drafts:
        yield Difference(
            f"draft:{file.id}",
            say("the file %(name)s waits for a decision", name=file.name),
            0,
            account.currency,
            explainable=False,
        )


def _of_lines(session: Session, account: MoneyAccount, ends_on: date) -> Iterator[Difference]:
    rows = (
        session.execute(
            select(StatementLine)
            .where(
                StatementLine.money_account_id == account.id,
                StatementLine.booked_on <= ends_on,
                StatementLine.state.in_(("new", "suggested", "parked")),
            )
            .order_by(StatementLine.booked_on, StatementLine.id)
            .limit(MOST_LINES + 1)
        )
        .scalars()
        .all()
    )
    if len(rows) > MOST_LINES:
        yield Difference(
            f"lines:{account.id}",
            say("more than %(most_lines)s lines of %(name)s are unexplained", most_lines=MOST_LINES, name=account.name),
            0,
            account.currency,
            False,
        )
        return
    for row in rows:
        rest = (abs(row.amount_minor) - row.matched_minor) * (1 if row.amount_minor > 0 else -1)
        who = row.counterparty_name or row.text.partition("\n")[0][:60] or "no name"
        yield Difference(
            f"line:{row.id}",
            say("line of %(booked_on)s, %(who)s, is unexplained", booked_on=row.booked_on, who=who),
            rest,
            row.currency,
        )


def _of_balance(
    session: Session, account: MoneyAccount, on: date, standing: Mapping[tuple[str, str], Money]
) -> Iterator[Difference]:
    theirs = bank_had(session, account, on)
    codes = (account.mirror, "premium_bank") if account.holds_premium else (account.mirror,)
    ours = total([standing[code, account.currency] for code in codes if (code, account.currency) in standing], account.currency)
    if theirs is not None and ours != theirs:
        text = say(
            "at the end of %(day)s our books have %(ours)s on %(name)s, and its statement has %(theirs)s",
            day=on,
            ours=ours,
            name=account.name,
            theirs=theirs,
        )
        yield Difference(f"mirror:{account.id}", text, ours.minor - theirs.minor, account.currency)


def _in_transit(session: Session, account: MoneyAccount, ends_on: date) -> Iterator[Difference]:
    for row in payouts.in_transit(session, coop_id=account.coop_id, rails=account.rails, currency=account.currency):
        if row.sent_on is not None and row.sent_on <= ends_on - IN_TRANSIT_LIMIT:
            text = say("payout %(number)s was sent on %(sent_on)s and is on no statement", number=row.number, sent_on=row.sent_on)
            yield Difference(f"in_transit:{row.payout_id}", text, row.money.minor, row.money.currency)


def _trial_balance(session: Session, coop_id: UUID, ends_on: date) -> list[dict[str, Any]]:
    """Return what does not stand at zero at the end of the period; what was booked for later days is none of its protocol's."""
    found = reports.trial_balance(session, ledger.book_of(session, coop_id), since=ends_on, until=ends_on)
    rows = [(row.code, row.closing) for row in found if row.closing]
    return [{"code": code, "minor": money.minor, "currency": money.currency} for code, money in rows]
