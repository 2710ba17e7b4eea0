"""How a payout ends: settled by a statement line, failed, returned, cancelled, or decided by a person.

`settle_all`, `settle_selected`, `unsettle`, `return_all` and `stay_paid` are called by statements, which posts: against its
suspense account, the legs that they return. `fail`, `cancel_payout` and `decide_unknown` post themselves (E42).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, select, text, update
from sqlalchemy.orm import Session

from market.kernel import audit, direct, locks, outbox
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payables import service as payables
from market.payouts.errors import (
    AmountDiffers,
    ClaimSettled,
    EvidenceNeeded,
    PaidOtherwise,
    PayoutNotFound,
    SamePerson,
    StepRefused,
)
from market.payouts.models import Payout, PayoutItem, PayoutRun
from market.payouts.rules import postings
from market.payouts.rules.numbers import payout_number
from market.payouts.rules.states import TRANSITIONS, State, Step, Transition, transition
from market.producers import queries as producers

_SETTLE = text(
    "UPDATE payout SET state = :state, settled_on = s.day, changed_at = :now, wake_at = NULL, lease_token = NULL"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[])) s (id, day) WHERE payout.id = s.id"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settlement:
    """A statement line (or its part) that shows a payout: what was booked, when, and where the line stands."""

    payout_id: UUID
    money: Money
    booked_on: date
    suspense: str


def settle(session: Session, *, payout_id: UUID, money: Money, booked_on: date, suspense: str, now: datetime) -> tuple[Leg, ...]:
    """Settle one payout (E19, E44); see `settle_all`."""
    return settle_all(session, [Settlement(payout_id, money, booked_on, suspense)], now=now)


def settle_all(session: Session, settlements: Sequence[Settlement], *, now: datetime) -> tuple[Leg, ...]:
    """Settle payouts that statement lines have shown; return the legs `in_transit → suspense`, subject = payout.

    Locks the payouts in id order, then their payables. Raises AmountDiffers when a line shows another amount (a fee inside
    the line is the caller's own leg), StepRefused when a payout is not on its way.
    """
    columns = (Payout.id, Payout.state, Payout.rail, Payout.amount_minor, Payout.currency)
    ids = sorted({one.payout_id for one in settlements})
    locked = select(*columns).where(Payout.id == direct.any_of(ids)).order_by(Payout.id).with_for_update()
    rows = {row.id: row for row in session.execute(locked)}
    made: list[Leg] = []
    days: dict[UUID, date] = {}
    for one in settlements:
        row = _found(rows.get(one.payout_id))
        transition(State.SETTLED if one.payout_id in days else row.state, Step.SETTLE)
        if one.money != _money(row):
            raise AmountDiffers(
                say("The payout is %(money)s, the line shows %(shown)s.", money=_money(row), shown=one.money),
                payout_id=str(row.id),
            )
        made += postings.settled(row.rail, one.suspense, one.money, row.id)
        days[row.id] = one.booked_on
    values = {"state": State.SETTLED, "now": now, "ids": direct.array(days), "days": direct.array(days.values())}
    session.execute(_SETTLE, values)
    session.expire_all()
    outbox.announce_many(session, "payouts.settled", [{"payout_id": payout_id} for payout_id in days])
    payables.mark_paid(session, payable_ids=_live_items(session, ids))
    return tuple(made)


def settle_selected(
    session: Session, shown: Select[*tuple[Any, ...]], *, currency: str, suspense: str, now: datetime
) -> Select[*tuple[Any, ...]]:
    """Settle all payouts that `shown` gives (payout_id, amount_minor, booked_on), none brought here; see `settle_all`.

    Return what selects their legs, one each: payout_id, debit, credit, amount_minor, booked_on, and what else `shown` gives.
    The locks and the refusals are those of `settle_all`.
    """
    given = shown.order_by("payout_id").subquery("shown")
    named, right = Payout.id == given.c.payout_id, and_(Payout.amount_minor == given.c.amount_minor, Payout.currency == currency)
    # In a CASE, through which the planner does not look: it shall begin with the keys, however rare it takes the states for.
    fits = case((Payout.state.in_(TRANSITIONS[Step.SETTLE].sources), right))
    settled = session.execute(
        update(Payout)
        .where(named, fits)
        .values(state=State.SETTLED, settled_on=given.c.booked_on, changed_at=now, wake_at=None, lease_token=None)
        .execution_options(synchronize_session=False)
    )
    missed = (session.scalar(select(func.count(given.c.payout_id))) or 0) - settled.rowcount  # type: ignore[attr-defined]
    if missed:
        differ = session.scalar(select(func.count()).select_from(given).where(named, ~right))
        if differ:
            raise AmountDiffers("A line shows another amount than its payout has.", payouts=differ)
        raise StepRefused("Some of these payouts are not on their way any more.", moved=missed)
    ids = select(given.c.payout_id)
    outbox.announce_selected(session, "payouts.settled", select(func.jsonb_build_object("payout_id", given.c.payout_id)))
    live = select(PayoutItem.payable_id).where(PayoutItem.payout_id.in_(ids), PayoutItem.released_at.is_(None))
    payables.mark_paid_selected(session, live)
    debit = literal("in_transit:").concat(Payout.rail).label("debit")
    rest = [column for column in given.c if column.name not in ("payout_id", "amount_minor")]
    return select(Payout.id.label("payout_id"), debit, literal(suspense).label("credit"), Payout.amount_minor, *rest).where(named)


def unsettle(session: Session, *, payout_id: UUID, now: datetime) -> None:
    """Take a settlement back because its match was undone; the caller posts the mirror. The payout counts as sent.

    Announces `payouts.unsettled`, because its payee was told that it arrived. Raises StepRefused while another line says that it
    came back.
    """
    row = locks.lock_one(session, Payout, payout_id)
    if row.state == State.RETURNED:
        raise StepRefused(
            "Another line of a statement says that this payout came back; the payout's page shows it. Take the match of that line"
            " back first, then this one.",
            state=row.state,
        )
    _enter(row, transition(row.state, Step.UNSETTLE), now)
    row.settled_on, row.times_unsettled = None, row.times_unsettled + 1
    outbox.announce(session, "payouts.unsettled", {"payout_id": row.id, "times": row.times_unsettled})
    payables.mark_unpaid(session, payable_ids=_live_items(session, [row.id]))


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a bank gave back of a payout, and why."""

    payout_id: UUID
    money: Money
    reason: str


def return_all(session: Session, given_back: Sequence[GivenBack], *, suspense: str, now: datetime) -> dict[UUID, tuple[Leg, ...]]:
    """Book payouts that the bank gave back after settlement: the debts are whole again (E43); return the legs of each.

    What the bank kept is the co-op's cost. A netted claim is owed again, because the payee got nothing. Locks the payouts
    in id order, then their payables. Raises AmountDiffers when more came back than went out, StepRefused.
    """
    rows = {row.id: row for row in locks.lock(session, Payout, [one.payout_id for one in given_back])}
    moved: dict[UUID, tuple[Leg, ...]] = {}
    for one in given_back:
        row = _found(rows.get(one.payout_id))
        step, sent, money = transition(row.state, Step.RETURN), _money(row), one.money
        if money.currency != sent.currency or not 0 < money.minor <= sent.minor:
            raise AmountDiffers(
                say("The payout was %(sent)s, the line gives back %(money)s.", sent=sent, money=money), payout_id=str(row.id)
            )
        row.earlier_reason, row.times_returned = row.reason, row.times_returned + 1
        _enter(row, step, now, reason=one.reason)
        deducted = Money(row.deducted_minor, row.currency)
        moved[row.id] = postings.returned(row.payee_id, suspense, money, sent - money, row.id, deducted=deducted)
    _release(session, list(moved), now)
    times = [{"payout_id": payout_id, "times": rows[payout_id].times_returned} for payout_id in moved]
    outbox.announce_many(session, "payouts.returned", times)
    return moved


def stay_paid(session: Session, *, payout_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Take back that a payout came back, because its match is undone: it is paid as before; the caller posts the mirror.

    Only while what was owed again is still whole: what was paid, held, set off or refunded since stays what it became. Locks
    the payout, then its payables. Raises StepRefused, MovedOn (payables), PaidOtherwise where another way paid it again (what a
    bank file paid twice can become a claim), ClaimSettled for a netted claim that ended since.
    """
    row = locks.lock_one(session, Payout, payout_id)
    came_back, step = row.reason, transition(row.state, Step.STAY_PAID)
    paid = list(session.scalars(select(PayoutItem.payable_id).where(PayoutItem.payout_id == row.id)))
    _refuse_paid_otherwise(session, row, paid)
    payables.pay_again(session, payable_ids=paid, taker=row.run_id)
    deducted = Money(row.deducted_minor, row.currency)
    book_id = ledger.book_of(session, row.coop_id)
    if deducted and books.balance(session, book_id, f"claim:{row.payee_id}", row.currency) < deducted:
        raise ClaimSettled(
            say(
                "This payout had kept %(money)s of what the producer owed, and that debt has ended otherwise since. Leave the"
                " match, and even it out by a correction of what the producer is owed: under Earnings, Corrections.",
                money=deducted,
            )
        )
    _enter(row, step, now)
    row.reason, row.earlier_reason = row.earlier_reason, None
    session.flush()  # its items come back to a paid payout alone
    session.execute(update(PayoutItem).where(PayoutItem.payout_id == row.id).values(released_at=None))
    outbox.announce(session, "payouts.stayed_paid", {"payout_id": row.id, "times": row.times_returned})
    audit.record(
        session, actor=actor, action="payouts.return_taken_back", subject_kind="payout", subject_id=row.id, now=now,
        coop_id=row.coop_id, old={"state": "returned", "reason": came_back}, new={"state": row.state, "reason": reason},
    )  # fmt: skip


def _refuse_paid_otherwise(session: Session, row: Payout, paid: Sequence[UUID]) -> None:
    """Refuse while a later payout in cash, by wallet or by card company has paid the payables of a returned one again."""
    again = (
        select(Payout.number)
        .join(PayoutItem, PayoutItem.payout_id == Payout.id)
        .where(PayoutItem.payable_id.in_(paid), PayoutItem.released_at.is_(None))
        .where(Payout.id != row.id, Payout.state == State.SETTLED, Payout.rail != "sepa")
    )
    number = session.scalars(again.limit(1)).first()
    if number is not None:
        raise PaidOtherwise(
            say(
                "What was owed again was paid again by payout %(number)s. If this payout never came back, the producer has the"
                " money twice. Leave the match, and propose under Earnings, Corrections that the member is owed %(money)s less:"
                " the next payments are less by it. When less is owed now, wait for their next sale.",
                number=payout_number(number),
                money=_money(row),
            )
        )


def fail(session: Session, *, payout_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Note the bank's definite no to a payout of a file that it was given: E42, the payables are open again, staff are told.

    Raises StepRefused where a person's word would let pay twice: on other rails, which say it themselves (a cheque is voided),
    and for a file that may still be given to the bank.
    """
    row = locks.lock_one(session, Payout, payout_id)
    if row.rail != "sepa":
        raise StepRefused("Only what went to the bank in a file can be refused by it.", rail=row.rail)
    if row.state == State.SENDING:
        raise StepRefused("The bank does not have this payout's file yet. Note first that it was given to the bank.")
    undo(session, row, Step.FAIL, reason=reason, actor=actor, now=now)


def cancel_payout(session: Session, *, payout_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Cancel a payout before any attempt (an absent member, a second thought): E42, the payables are open again."""
    row = locks.lock_one(session, Payout, payout_id)
    undo(session, row, Step.CANCEL, reason=reason, actor=actor, now=now)


def decide_unknown(session: Session, *, payout_id: UUID, happened: bool, evidence: str, actor: Actor, now: datetime) -> None:
    """Decide about a payout whose rail cannot say: it happened (then a statement must show it) or it never will (E42).

    Raises SamePerson for whoever prepared the run, EvidenceNeeded without a sentence on what was seen and where.
    """
    row = locks.lock_one(session, Payout, payout_id)
    run = session.get_one(PayoutRun, row.run_id)
    if actor.label in (run.prepared_by, run.checked_by):
        raise SamePerson("You prepared this run. Somebody else has to decide.")
    if len(evidence.strip()) < 10:
        raise EvidenceNeeded("Write what you saw and where, in a sentence.", pointer="/evidence")
    audit.record(
        session,
        actor=actor,
        action="payouts.decided",
        subject_kind="payout",
        subject_id=row.id,
        now=now,
        coop_id=row.coop_id,
        old={"state": row.state},
        new={"happened": happened, "evidence": evidence.strip()},
    )
    if happened:
        _enter(row, transition(row.state, Step.CONFIRM), now, reason=evidence.strip())
    else:
        undo(session, row, Step.FAIL, reason=evidence.strip(), actor=actor, now=now)


def undo(session: Session, row: Payout, step: Step, *, reason: str, actor: Actor, now: datetime) -> None:
    """End a locked payout whose money did not move: state, items, payables, E42 and the netting back. Posts, so call it last."""
    before = row.state
    _enter(row, transition(row.state, step), now, reason=reason)
    _release(session, [row.id], now)
    outbox.announce(session, "payouts.failed", {"payout_id": row.id})
    audit.record(
        session,
        actor=actor,
        action=f"payouts.{step}",
        subject_kind="payout",
        subject_id=row.id,
        now=now,
        coop_id=row.coop_id,
        old={"state": before},
        new={"state": row.state, "reason": reason},
    )
    deducted = Money(row.deducted_minor, row.currency)
    moves = postings.undone(row.payee_id, row.rail, _money(row), row.id, deducted=deducted)
    on = day_in(now, producers.coop(session, row.coop_id).time_zone)
    book_id = ledger.book_of(session, row.coop_id)
    ledger.post(session, [Entry(book_id, "payout_undone", f"payout:{row.id}:undone", on, actor.label, moves)], late=True)


def mark_items_paid(session: Session, payout_id: UUID) -> None:
    """Mark the payables of a payout as paid."""
    payables.mark_paid(session, payable_ids=_live_items(session, [payout_id]))


def _enter(row: Payout, step: Transition, now: datetime, *, reason: str | None = None) -> None:
    row.state, row.changed_at = step.target, now
    row.wake_at = row.lease_token = None
    if reason is not None:
        row.reason = reason[:500]


def _release(session: Session, payout_ids: Sequence[UUID], now: datetime) -> None:
    items = session.execute(
        update(PayoutItem)
        .where(_of_payouts(payout_ids), PayoutItem.released_at.is_(None))
        .values(released_at=now)
        .returning(PayoutItem.payable_id)
        .execution_options(synchronize_session=False)
    )
    payables.give_back(session, payable_ids=list(items.scalars()))


def _live_items(session: Session, payout_ids: Sequence[UUID]) -> list[UUID]:
    statement = select(PayoutItem.payable_id).where(_of_payouts(payout_ids), PayoutItem.released_at.is_(None))
    return list(session.execute(statement).scalars())


def _of_payouts(payout_ids: Sequence[UUID]) -> ColumnElement[bool]:
    return PayoutItem.payout_id == direct.any_of(payout_ids)


def _money(row: Payout | Row[*tuple[Any, ...]]) -> Money:
    return Money(row.amount_minor, row.currency)


def _found(row: T | None) -> T:
    if row is None:
        raise PayoutNotFound("There is no such payout here.")
    return row
