"""A co-op's own floors: dated decisions of its body, with all inputs published (fair-prices.md 6)."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import FIRST_ZONE, day_in
from market.kernel.errors import Invalid
from market.kernel.ids import new_id
from market.kernel.money import EXPONENTS
from market.kernel.words import say
from market.pricing.models import CoopFloorRow
from market.pricing.rules import CostBuildUp, Goods, plain, unit_code
from market.pricing.rules.verdict import to_json
from market.pricing.service.shelf import open_shelf


class FloorRefused(Invalid):
    """A decision on a floor cannot stand as entered."""

    code = "floor_refused"


def decide_floor(
    session: Session,
    *,
    coop_id: UUID,
    goods: Goods,
    title: str,
    currency: str,
    unit: str,
    decided_by_body: str,
    decided_on: date,
    actor: Actor,
    now: datetime,
    amount: Decimal | None = None,
    build_up: CostBuildUp | None = None,
    valid_from: date | None = None,
    review_by: date | None = None,
    minutes_hash: str = "",
) -> UUID:
    """Enter a floor that the co-op's body decided; it takes the place of the active one for the same goods.

    With a build-up the amount is its result, and another amount is refused. It is to be reviewed within a year; after
    that it stays in force and checks call it stale. It begins today at the latest. Raises FloorRefused.
    """
    if max(decided_on, valid_from or decided_on) > day_in(now, FIRST_ZONE):
        # The floor in force ends with this one, so that until its first day the goods would have none.
        raise FloorRefused("The day cannot lie after today.", pointer="/decided_on")
    start = valid_from or decided_on
    review = review_by or _a_year_after(start)
    if build_up is not None:
        if amount is not None and amount != build_up.floor:
            raise FloorRefused(
                say("The build-up comes to %(floor)s, not %(amount)s.", floor=plain(build_up.floor, 2), amount=plain(amount, 2)),
                pointer="/amount",
            )
        amount = build_up.floor
    if amount is None or amount <= 0:
        raise FloorRefused("A floor needs an amount above zero or a cost build-up.", pointer="/amount")
    if currency not in EXPONENTS or (build_up is not None and build_up.currency != currency):
        raise FloorRefused(
            say("'%(currency)s' is not the currency of the build-up or none of ISO 4217.", currency=currency), pointer="/currency"
        )
    if not decided_by_body.strip():
        raise FloorRefused("Name the body of the co-op that decided it.", pointer="/decided_by_body")
    if not start < review <= _a_year_after(start):
        raise FloorRefused("A floor is to be reviewed within a year from its start.", pointer="/review_by")
    shelf, _ = open_shelf(session, ())
    coded = replace(shelf.goods(goods), quality="conventional")
    values = {
        "product": coded.product,
        "variety": coded.variety,
        "form": coded.form,
        "unit": unit_code(unit),
        "currency": currency,
    }
    same = [CoopFloorRow.coop_id == coop_id, CoopFloorRow.status == "active"]
    same += [getattr(CoopFloorRow, name) == value for name, value in values.items()]
    before = session.execute(select(CoopFloorRow.amount).where(*same).with_for_update()).scalar_one_or_none()
    session.execute(update(CoopFloorRow).where(*same).values(status="superseded"))
    row = CoopFloorRow(
        id=new_id(),
        coop_id=coop_id,
        title=title,
        amount=amount,
        build_up=None if build_up is None else to_json(build_up),
        decided_by_body=decided_by_body.strip(),
        decided_on=decided_on,
        minutes_hash=minutes_hash,
        valid_from=start,
        review_by=review,
        entered_by=actor.label,
        entered_at=now,
        **values,
    )
    session.add(row)
    session.flush()  # a check in the same transaction must see it
    audit.record(
        session,
        actor=actor,
        action="floor.decided",
        subject_kind="coop_floor",
        subject_id=row.id,
        coop_id=coop_id,
        now=now,
        old=None if before is None else {"amount": str(before)},
        new={"amount": str(amount), "currency": currency},
    )
    return row.id


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)
