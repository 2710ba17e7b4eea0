"""Raise, take, give back, mark as paid. Callers post to the ledger; here only rows move."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kernel import direct
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.kernel.words import N_, Term, say
from market.payables.errors import AlreadyOnItsWay, MovedOn, NotAboveZero, PayableNotFound, RaisedDifferently, TooLittleOwed
from market.payables.models import OPEN, Payable
from market.payables.queries import Owed, owed_from


def raise_payable(
    session: Session,
    *,
    coop_id: UUID,
    payee_id: UUID,
    money: Money,
    kind: str,
    due_on: date,
    source_kind: str,
    source_id: UUID,
) -> Owed:
    """Record that the co-op owes `money` to a producer; the same source and kind again returns the first row.

    Raises RaisedDifferently when that row says something else, NotAboveZero for nothing or less.
    """
    if money.minor <= 0:
        raise NotAboveZero("Only an amount above zero can be owed.", amount_minor=money.minor)
    session.execute(
        upsert(Payable)
        .values(
            id=new_id(),
            coop_id=coop_id,
            payee_id=payee_id,
            currency=money.currency,
            amount_minor=money.minor,
            kind=kind,
            due_on=due_on,
            source_kind=source_kind,
            source_id=source_id,
        )
        .on_conflict_do_nothing(constraint="payable_source_key")
    )
    row = session.execute(
        select(Payable).where(*_source(coop_id, source_kind, source_id), Payable.kind == kind, Payable.part == 0)
    ).scalar_one()
    if (row.payee_id, row.currency, row.amount_minor) != (payee_id, money.currency, money.minor):
        raise RaisedDifferently(
            say(
                "This %(source_kind)s already owes %(money)s.",
                source_kind=Term(source_kind.replace("_", " ")),
                money=owed_from(row).money,
            ),
            payable_id=str(row.id),
        )
    return owed_from(row)


def take_back(
    session: Session, *, coop_id: UUID, source_kind: str, source_id: UUID, kind: str, money: Money
) -> tuple[Money, Money]:
    """Take a refund off what a source earned; return what came off the open payable (E17) and what is a claim (E20).

    A row is split: it becomes history, and two new rows say what was refunded and what is left. What was paid, or is on its
    way, cannot be taken off: the payee owes it. Raises AlreadyOnItsWay while a draft run has taken it, PayableNotFound when
    the source never earned as much.
    """
    if money.minor <= 0:
        raise NotAboveZero("Only an amount above zero can be taken off.", amount_minor=money.minor)
    source = (*_source(coop_id, source_kind, source_id), Payable.kind == kind, Payable.currency == money.currency)
    rows = _locked(session, *source, Payable.state.not_in(("split", "refunded")))
    if sum(row.amount_minor for row in rows) < money.minor:
        raise PayableNotFound(say("Less than %(money)s was earned by this.", money=money))
    if any(row.state == "taken" for row in rows):
        raise AlreadyOnItsWay("This money is in a payout run that waits for approval. Discard the run or approve it first.")
    whole = [row for row in rows if row.state == "open"]
    off = min(money.minor, sum(row.amount_minor for row in whole))
    _take_off(session, whole, off, state="refunded", taker=None)
    return Money(off, money.currency), Money(money.minor - off, money.currency)


def set_aside(
    session: Session,
    *,
    coop_id: UUID,
    payee_id: UUID,
    money: Money,
    state: str,
    taker: UUID,
    source_id: UUID | None = None,
    kind: str | None = None,
) -> list[UUID]:
    """Take `money` out of what is open for a payee, earliest due first, and return the rows that now stand for it.

    `held` waits until `release_held` gives it back, `netted` settled something else of the payee; `taker` is that thing.
    `source_id` narrows it to what one source owes, `kind` to one kind of debt. Locks the rows. Raises TooLittleOwed when less
    is open.
    """
    where = [Payable.coop_id == coop_id, Payable.payee_id == payee_id, Payable.currency == money.currency]
    if source_id is not None:
        where.append(Payable.source_id == source_id)
    if kind is not None:
        where.append(Payable.kind == kind)
    rows = _locked(session, *where, Payable.state == "open")
    if money.minor <= 0 or sum(row.amount_minor for row in rows) < money.minor:
        raise TooLittleOwed(say("Less than %(money)s is open for this producer.", money=money), pointer="/amount")
    return _take_off(session, sorted(rows, key=lambda row: (row.due_on, row.id)), money.minor, state=state, taker=taker)


def release_held(session: Session, *, taker: UUID) -> int:
    """Make what a hold kept back payable again; return how many rows."""
    return _move(session, Payable.taken_by == taker, Payable.state == "held", state="open", taken_by=None)


def _locked(session: Session, *where: ColumnElement[bool]) -> Sequence[Payable]:
    statement = select(Payable).where(*where).order_by(Payable.id).with_for_update()
    return session.execute(statement.execution_options(populate_existing=True)).scalars().all()


def _take_off(session: Session, rows: Sequence[Payable], minor: int, *, state: str, taker: UUID | None) -> list[UUID]:
    """Give rows, the last one split where need be, another state; amounts never change, a split row becomes history."""
    taken: list[UUID] = []
    for row in rows:
        if minor == 0:
            break
        if row.amount_minor <= minor:
            row.state, row.taken_by, minor = state, taker, minor - row.amount_minor
            taken.append(row.id)
            continue
        row.state = "split"
        last = session.execute(
            select(func.max(Payable.part)).where(*_source(row.coop_id, row.source_kind, row.source_id), Payable.kind == row.kind)
        ).scalar_one()
        names = ("coop_id", "payee_id", "currency", "kind", "due_on", "source_kind", "source_id")
        common = {name: getattr(row, name) for name in names}
        part_id = new_id()
        part = {"id": part_id, "part": last + 1, "amount_minor": minor, "state": state, "taken_by": taker}
        rest = {"id": new_id(), "part": last + 2, "amount_minor": row.amount_minor - minor, "state": "open", "taken_by": None}
        session.flush()  # the open row must be history before its parts stand beside it
        session.execute(insert(Payable), [common | part, common | rest])
        taken.append(part_id)
        minor = 0
    session.flush()
    return taken


def take_due(session: Session, *, coop_id: UUID, due_by: date, taker: UUID) -> int:
    """Give every open payable that is due by a day to run `taker`, in one statement; return how many.

    Two runs never get the same row.
    """
    due = (Payable.coop_id == coop_id, OPEN, Payable.due_on <= due_by)
    return _move(session, *due, state="taken", taken_by=taker)


def schedule_taken(session: Session, *, taker: UUID) -> int:
    """Mark all that a run has taken as on its way (its postings are E18); return how many."""
    return _move(session, Payable.taken_by == taker, Payable.state == "taken", state="scheduled")


def give_back(session: Session, *, payable_ids: Sequence[UUID]) -> None:
    """Make payables open again: left out of a run, cancelled, failed or returned by the bank."""
    for part in _slices(payable_ids):
        moved = _move(
            session,
            _among(part),
            Payable.state.in_(("taken", "scheduled", "paid")),
            state="open",
            taken_by=None,
        )
        _all_moved(moved, len(part))


def give_back_of(session: Session, *, taker: UUID, payees: Sequence[tuple[UUID, str]]) -> None:
    """Make everything open again that run `taker` has taken of some payees in a currency, because they cannot be paid now."""
    for start in range(0, len(payees), 5000):
        of_them = tuple_(Payable.payee_id, Payable.currency).in_(payees[start : start + 5000])
        _move(session, Payable.taken_by == taker, Payable.state == "taken", of_them, state="open", taken_by=None)


def mark_paid(session: Session, *, payable_ids: Sequence[UUID]) -> None:
    """Mark payables as paid: a statement or a receipt has shown the money."""
    for part in _slices(payable_ids):
        _all_moved(_move(session, _among(part), Payable.state == "scheduled", state="paid"), len(part))


def mark_paid_selected(session: Session, payable_ids: Select[Any]) -> None:
    """Mark all payables that `payable_ids` selects as paid, without bringing them here; see `mark_paid`."""
    chosen = payable_ids.cte("chosen")
    among = Payable.id.in_(select(*chosen.c))
    paid = update(Payable).where(among, Payable.state == "scheduled").values(state="paid").returning(Payable.id).cte("paid")
    counted = (select(func.count()).select_from(each).scalar_subquery() for each in (paid, chosen))
    moved, wanted = session.execute(select(*counted)).one()
    _all_moved(moved, wanted)


def mark_unpaid(session: Session, *, payable_ids: Sequence[UUID]) -> None:
    """Undo `mark_paid`: the match that showed the money was taken back."""
    for part in _slices(payable_ids):
        _all_moved(_move(session, _among(part), Payable.state == "paid", state="scheduled"), len(part))


_MOVED_ON = {
    "taken": N_(
        "What was owed again waits in a payout run for approval. Discard that run first, then take this match back, and prepare"
        " the run anew."
    ),
    "scheduled": N_(
        "What was owed again is on its way in another payout. Cancel that payout if it has not left yet. If it has, wait until"
        " the bank shows it or refuses it."
    ),
    "paid": N_(
        "What was owed again was paid again since. If this payout never came back, the producer was paid twice: take the match"
        " of the later payout back at its line, and let an approver note on the page of that payout that the bank refused it;"
        " then take this match back, and say at the later line, under 'A payout in several lines, or paid twice', that it paid"
        " this payout again."
    ),
    "held": N_("What was owed again is held back. End that hold first, then take this match back."),
}
_NOT_WHOLE = N_(
    "A part of what was owed again was held back, set off or refunded since. Leave the match, and even it out by a correction of"
    " what the producer is owed: under Earnings, Corrections."
)


def pay_again(session: Session, *, payable_ids: Sequence[UUID], taker: UUID) -> None:
    """Mark open payables as paid again by the run `taker`, whose payout of them did not come back after all. Locks the rows.

    Raises MovedOn, with what to do first, when one of them is not open any more.
    """
    rows = _locked(session, _among(payable_ids))
    for row in rows:
        if row.state != "open":
            raise MovedOn(_MOVED_ON.get(row.state, _NOT_WHOLE), state=row.state)
    for row in rows:
        row.state, row.taken_by = "paid", taker
    session.flush()


def _source(coop_id: UUID, source_kind: str, source_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (Payable.coop_id == coop_id, Payable.source_kind == source_kind, Payable.source_id == source_id)


def _move(session: Session, *where: ColumnElement[bool], **values: object) -> int:
    result = session.execute(update(Payable).where(*where).values(**values).execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]


def _among(ids: Sequence[UUID]) -> ColumnElement[bool]:
    return Payable.id == direct.any_of(ids)


def _slices(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    ordered = sorted(ids)
    return [ordered[start : start + 5000] for start in range(0, len(ordered), 5000)]


def _all_moved(moved: int, wanted: int) -> None:
    if moved != wanted:
        raise AlreadyOnItsWay("Somebody else has moved this money in the meantime. Look again.", moved=moved, wanted=wanted)
