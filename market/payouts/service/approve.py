"""Approve a run: another person, the same list, the same accounts; or discard it (E18, E21)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, func, literal, select, union_all, update
from sqlalchemy.orm import Session

from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.words import Term, say
from market.ledger import service as ledger
from market.payables import service as payables
from market.payouts.errors import RunChanged, SamePerson, StepRefused
from market.payouts.models import Payout, PayoutItem, PayoutRun
from market.payouts.queries import RunRow, run_from
from market.payouts.rules.states import State, Step, transition
from market.payouts.service.plan import Selected, current_accounts
from market.payouts.service.stop import refuse_stopped
from market.producers import queries as producers

PROGRAM_RAILS = ("stripe", "momo")


def approve_run(session: Session, *, actor: Actor, run_id: UUID, list_sha256: str, now: datetime) -> RunRow:
    """Approve the list that the person has seen; from here on the money is on its way.

    `list_sha256` comes from the page that was shown. Raises SamePerson, RunChanged (other list, or somebody's account was
    changed since), StepRefused when the run is no draft. Locks the run, its payables by update, and the ledger last.
    """
    run = locks.lock_one(session, PayoutRun, run_id)
    _must_be_draft(run)
    refuse_stopped(session, run.coop_id)
    if actor.label == run.prepared_by:
        raise SamePerson("You prepared this run. Somebody else has to approve it.")
    if run.drafted_by_clock and run.checked_by is None:
        raise StepRefused("The clock drafted this run. A person has to check it before another one approves.")
    if actor.label == run.checked_by:
        raise SamePerson("You checked this run. Somebody else has to approve it.")
    if list_sha256 != run.list_sha256:
        raise RunChanged("This is not the list that you were shown. Read it again before you approve it.")
    coop = producers.coop(session, run.coop_id)
    _accounts_unchanged(session, run, current_accounts(session, coop))
    for state, step in ((State.DRAFT, Step.APPROVE), (State.APPROVED, Step.QUEUE)):
        transition(state, step)
    session.execute(
        update(Payout)
        .where(Payout.run_id == run.id, Payout.state == State.DRAFT)
        .values(
            state=State.QUEUED,
            wake_at=case((Payout.rail.in_(PROGRAM_RAILS), now), else_=None),
            changed_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    payables.schedule_taken(session, taker=run.id)
    run.state, run.approved_by, run.approved_at = "approved", actor.label, now
    audit.record(
        session,
        actor=actor,
        action="payouts.approved",
        subject_kind="payout_run",
        subject_id=run.id,
        now=now,
        coop_id=run.coop_id,
        new={"list_sha256": run.list_sha256, "totals": run.totals},
    )
    outbox.announce(session, "payouts.approved", {"run_id": run.id})
    ledger.post_selected(
        session,
        book_id=ledger.book_of(session, run.coop_id),
        kind="payout_scheduled",
        on=day_in(now, coop.time_zone),
        actor=actor.label,
        moves=_scheduled(run),
    )
    return run_from(run)


def discard_run(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> RunRow:
    """Throw a draft away; everything in it is open again. Raises StepRefused when the run is no draft."""
    run = locks.lock_one(session, PayoutRun, run_id)
    _must_be_draft(run)
    transition(State.DRAFT, Step.DISCARD)
    live = select(Payout.id).where(Payout.run_id == run.id)
    items = session.execute(
        update(PayoutItem)
        .where(PayoutItem.payout_id.in_(live), PayoutItem.released_at.is_(None))
        .values(released_at=now)
        .returning(PayoutItem.payable_id)
    )
    payables.give_back(session, payable_ids=list(items.scalars()))
    session.execute(
        update(Payout)
        .where(Payout.run_id == run.id)
        .values(state=State.CANCELLED, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    run.state = "cancelled"
    audit.record(
        session,
        actor=actor,
        action="payouts.discarded",
        subject_kind="payout_run",
        subject_id=run.id,
        now=now,
        coop_id=run.coop_id,
    )
    return run_from(run)


def _must_be_draft(run: PayoutRun) -> None:
    if run.state != "draft":
        raise StepRefused(say("This run is %(state)s already.", state=Term(run.state.replace("_", " "))), state=run.state)


def _accounts_unchanged(session: Session, run: PayoutRun, accounts: Selected) -> None:
    now = accounts.subquery("now")
    of_payee = and_(now.c.producer_id == Payout.payee_id, now.c.currency == Payout.currency)
    changed = (
        select(Payout.number, func.count().over())
        .outerjoin(now, of_payee)
        .where(Payout.run_id == run.id, now.c.details.is_distinct_from(Payout.details))
        .order_by(Payout.number)
        .limit(20)
    )
    if rows := session.execute(changed).all():
        raise RunChanged(
            say("%(num)s accounts were changed after this run was prepared. Discard it and prepare it again.", num=rows[0][1]),
            payouts=[number for number, _ in rows],
        )


def _scheduled(run: PayoutRun) -> Selected:
    """One transaction per payout, so that a payee's own can be shown without the others' (money.md 1.8)."""
    key = literal("payout:") + cast(Payout.id, Text) + ":scheduled"
    payable, claim = (literal(f"{account}:") + cast(Payout.payee_id, Text) for account in ("payable", "claim"))
    legs = (
        (literal(1), payable, literal("in_transit:") + Payout.rail, Payout.amount_minor),
        (literal(2), payable, claim, Payout.deducted_minor),
    )
    first, second = (
        select(key.label("key"), n, debit, credit, Payout.currency, minor, Payout.id).where(Payout.run_id == run.id, minor > 0)
        for n, debit, credit, minor in legs
    )
    return select(*union_all(first, second).subquery().c)
