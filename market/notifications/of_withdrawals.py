"""Who hears that a lot was withdrawn, or that it is not any more: its producers, and whoever bought of it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.notifications.models import Notification
from market.notifications.telling import Payload, Telling, person_of, to_person
from market.orders import queries as orders
from market.orders.queries import NotedLine
from market.producers import queries as producers
from market.provenance import queries as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.withdrawal_queries import WithdrawalView


def _goods_withdrawn(session: Session, payload: Payload) -> list[Telling]:
    """Tell the buyer of one order, unless the withdrawal was taken back before anybody was told."""
    view = withdrawals.withdrawal(session, UUID(payload["withdrawal_id"]))
    lines = orders.noted_lines(session, view.id, order_id=UUID(payload["order_id"]))
    return [_buyer(session, view, lines)] if lines and view.ended_at is None else []


def _buyer(session: Session, view: WithdrawalView, lines: list[NotedLine]) -> Telling:
    """Return the letter about a withdrawal that holds, or was taken back, to the buyer of some lines of one order."""
    order = orders.order(session, lines[0].order_id)
    sent = any(line.sent for line in lines)
    facts = {
        "number": str(order.number),
        "coop": producers.coop(session, view.coop_id).name,
        "reason": view.ended_reason or view.reason,
        "sent": sent,
        "unsent": not all(line.sent for line in lines),
        "waits": any(line.waits for line in lines),
        "paid_back": not all(line.sent or line.waits for line in lines),
    }
    if view.ended_at is None:
        facts |= {view.advice: sent} | {name: False for name in ("discard", "return", "keep") if name != view.advice}
        facts["rows"] = [[line.title, {"quantity": [f"{line.quantity.normalize():f}", line.unit]}] for line in lines]
    kind = "goods_withdrawn" if view.ended_at is None else "goods_withdrawn_not"
    link = ("order", str(order.id))
    return Telling(
        _fact(view, order.id), kind, order.email, order.name, order.locale, order.account_id, link, facts, (view.coop_id,)
    )


def _fact(view: WithdrawalView, subject: UUID) -> str:
    return f"withdrawal:{view.id}:{subject}" + ("" if view.ended_at is None else ":ended")


def _lot_withdrawn(session: Session, payload: Payload) -> list[Telling]:
    """Tell the producer of each lot; what they sold of it is told to its buyers order by order."""
    view = withdrawals.withdrawal(session, UUID(payload["withdrawal_id"]))
    return _producers(session, view) if view.ended_at is None else []


def _producers(session: Session, view: WithdrawalView) -> list[Telling]:
    told = []
    for lot in (provenance.lot(session, lot_id) for lot_id in view.lots):
        person = person_of(session, lot.producer_id) if lot.producer_id else None
        if person is None:
            continue
        facts = {
            "lot": lot.name or lot.label or lot.slug,
            "coop": producers.coop(session, view.coop_id).name,
            "reason": view.ended_reason or view.reason,
        }
        kind = "lot_withdrawn" if view.ended_at is None else "lot_withdrawn_not"
        made = to_person(person, fact=_fact(view, lot.id), kind=kind, link=("producer_lot", str(lot.id)), facts=facts)
        told.append(made)
    return told


def _ended(session: Session, payload: Payload) -> list[Telling]:
    """Tell whoever was told of the withdrawal that it was taken back."""
    view = withdrawals.withdrawal(session, UUID(payload["withdrawal_id"]))
    by_order: dict[UUID, list[NotedLine]] = {}
    for line in orders.noted_lines(session, view.id):
        by_order.setdefault(line.order_id, []).append(line)
    told = [*_producers(session, view), *(_buyer(session, view, lines) for lines in by_order.values())]
    before = [one.fact.removesuffix(":ended") for one in told]
    known = set(session.scalars(select(Notification.fact).where(Notification.fact.in_(before))))
    return [one for one, fact in zip(told, before, strict=True) if fact in known]


OF_WITHDRAWALS = {
    "orders.goods_withdrawn": _goods_withdrawn,
    "orders.lot_withdrawn": _lot_withdrawn,
    "orders.lot_withdrawal_ended": _ended,
}
