"""Reads of how co-ops pay out."""

from dataclasses import fields
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.payouts.models import PayoutSetting
from market.payouts.rules.schedule import PayoutSettings, Rhythm


def settings_of(session: Session, coop_id: UUID) -> PayoutSettings:
    """Return how a co-op pays out; the usual way while it has said nothing."""
    row = session.get(PayoutSetting, coop_id)
    return PayoutSettings() if row is None else settings_from(row)


def settings_from(row: PayoutSetting) -> PayoutSettings:
    """Return the frozen form of a row."""
    return PayoutSettings(**{field.name: getattr(row, field.name) for field in fields(PayoutSettings)})


def with_rhythm(session: Session) -> list[UUID]:
    """Return the co-ops whose runs are drafted by the clock."""
    return list(session.scalars(select(PayoutSetting.coop_id).where(PayoutSetting.rhythm != Rhythm.ON_DEMAND)))
