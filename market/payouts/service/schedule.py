"""How a co-op pays out, and the runs that the clock drafts: once per day of the rhythm, for people to check and approve."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor, system
from market.kernel.clock import day_in
from market.payouts.errors import NothingToPay, RunChanged, StepRefused
from market.payouts.models import PayoutRun, PayoutSetting
from market.payouts.queries import RunRow, run_from, settings_from
from market.payouts.rules.schedule import PayoutSettings, check_settings, latest_day
from market.payouts.service.plan import plan_run
from market.producers import queries as producers
from market.producers.errors import NotYoursToChange


def save_settings(session: Session, *, actor: Actor, coop_id: UUID, wanted: PayoutSettings, now: datetime) -> None:
    """Keep how a co-op pays out; runs that exist stay as they are. Raises NotYoursToChange, SettingsRefused."""
    if "approver" not in actor.roles:
        raise NotYoursToChange("Only an approver changes how the co-op pays out.")
    check_settings(wanted)
    row = _locked(session, coop_id)
    old = asdict(settings_from(row)) if row is not None else {}
    if row is None:
        row = PayoutSetting(coop_id=coop_id)
        session.add(row)
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    # Days that lie before the change are not made up for; today is, if it is one of the rhythm.
    row.drafted_on = day_in(now, producers.coop(session, coop_id).time_zone) - timedelta(days=1)
    audit.record(
        session, actor=actor, action="payouts.settings", subject_kind="coop", subject_id=coop_id, now=now, coop_id=coop_id,
        old={name: value for name, value in old.items() if value != getattr(wanted, name)},
        new={name: value for name, value in asdict(wanted).items() if old.get(name) != value},
    )  # fmt: skip


def draft_scheduled(session: Session, *, coop_id: UUID, now: datetime) -> RunRow | None:
    """Draft the run of a co-op's rhythm when its day has come and nobody has; None when there is nothing to do or to pay.

    Locks the settings, so that a second clock finds the day drafted. A day on which nothing ran is made up for once.
    """
    row = _locked(session, coop_id)
    if row is None:
        return None
    today = day_in(now, producers.coop(session, coop_id).time_zone)
    day = latest_day(settings_from(row), today)
    if day is None or (row.drafted_on is not None and row.drafted_on >= day):
        return None
    row.drafted_on = today
    session.flush()
    try:
        with session.begin_nested():
            return plan_run(session, actor=system("payouts.schedule"), coop_id=coop_id, due_by=today, now=now)
    except NothingToPay:
        return None


def check_run(session: Session, *, actor: Actor, run_id: UUID, list_sha256: str, now: datetime) -> RunRow:
    """Let a person answer for a run that the clock drafted, as whoever prepares one does; another person then approves.

    Raises StepRefused when a person prepared it, when it is checked, or no draft; RunChanged for another list.
    """
    run = locks.lock_one(session, PayoutRun, run_id)
    if run.state != "draft" or not run.drafted_by_clock or run.checked_by is not None:
        raise StepRefused("This run needs no check any more.", state=run.state)
    if list_sha256 != run.list_sha256:
        raise RunChanged("This is not the list that you were shown. Read it again before you approve it.")
    run.checked_by, run.checked_at = actor.label, now
    audit.record(
        session, actor=actor, action="payouts.checked", subject_kind="payout_run", subject_id=run.id, now=now,
        coop_id=run.coop_id, new={"list_sha256": run.list_sha256},
    )  # fmt: skip
    return run_from(run)


def _locked(session: Session, coop_id: UUID) -> PayoutSetting | None:
    statement = select(PayoutSetting).where(PayoutSetting.coop_id == coop_id).with_for_update()
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()
