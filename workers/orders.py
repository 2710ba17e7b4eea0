"""Orders by state: paid when the payment says so, cancelled when nobody pays, settled when they have arrived."""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from flask import current_app

from market.kernel.actor import system
from market.kernel.errors import DomainError
from market.kernel.locks import Alone, advisory
from market.orders import service
from market.payments import queries as payments
from market.payments import service as payment_service
from workers.base import now, today, unit_of_work

_log = logging.getLogger(__name__)


@shared_task(name="orders.mark_paid")
def mark_paid(*, payment_id: str, subject_kind: str, subject_id: str, **_: Any) -> None:
    """Record that the payment of an order succeeded; harmless when repeated."""
    if subject_kind != "order":
        return
    with unit_of_work() as session:
        service.mark_paid(session, order_id=UUID(subject_id), payment_id=UUID(payment_id), now=now())


@shared_task(name="orders.mark_authorised")
def mark_authorised(*, subject_kind: str, subject_id: str, **_: Any) -> None:
    """Record that the amount of an order is kept on a card; harmless when repeated."""
    if subject_kind != "order":
        return
    with unit_of_work() as session:
        service.mark_authorised(session, order_id=UUID(subject_id), now=now())


@shared_task(name="orders.charge_packed")
def charge_packed(*, order_id: str, **_: Any) -> None:
    """Decide what is taken from the card when the last part of an order was packed."""
    with unit_of_work() as session:
        service.charge_packed(session, order_id=UUID(order_id), now=now())


@shared_task(name="orders.note_refund")
def note_refund(*, refund_id: str, **_: Any) -> None:
    """Let the order know of a refund that arrived; what we decided ourselves it knows already."""
    with unit_of_work() as session:
        made = payments.refund(session, UUID(refund_id))
        if made.kind != "surplus":
            service.note_refunds(session, seller_order_id=made.subject_id, now=now())


@shared_task(name="orders.note_dispute")
def note_dispute(*, dispute_id: str, **_: Any) -> None:
    """Hold what a disputed order has earned; let it go when the dispute is decided."""
    with unit_of_work() as session:
        service.note_dispute(session, dispute_id=UUID(dispute_id), now=now())


@shared_task(name="orders.hold_disputed")
def hold_disputed(*, seller_order_id: str, **_: Any) -> None:
    """Hold what an order earned while its payment was disputed."""
    with unit_of_work() as session:
        service.hold_disputed(session, seller_order_id=UUID(seller_order_id), now=now())


@shared_task(name="orders.stop_withdrawn", soft_time_limit=540, time_limit=600)
def stop_withdrawn(*, withdrawal_id: str, **_: Any) -> None:
    """Stop the orders that hold goods of a withdrawn lot: unpaid ones end, buyers are told, what was not sent is paid back.

    One order after the other, each found by its state: what a run has not reached, the next one does.
    """
    wanted = UUID(withdrawal_id)
    with unit_of_work() as session:
        unpaid = service.unpaid_of(session, withdrawal_id=wanted)
    for order_id in unpaid:
        _end_unpaid(order_id)
    with unit_of_work() as session:
        reached = service.to_note(session, withdrawal_id=wanted)
    for order_id in reached:
        with unit_of_work() as session:
            service.note_withdrawn(session, withdrawal_id=wanted, order_id=order_id, now=now())
    with unit_of_work() as session:
        unsent = service.to_refund(session, withdrawal_id=wanted)
    for seller_order_id in unsent:
        try:
            with unit_of_work() as session:
                service.refund_withdrawn(session, withdrawal_id=wanted, seller_order_id=seller_order_id, now=now())
        except DomainError as error:  # it stays among what waits for staff
            _log.warning("seller order %s is not refunded by itself: %s", seller_order_id, error.detail)


def _end_unpaid(order_id: UUID) -> None:
    """Cancel an order that is not paid. One whose payment is under way stays: when it is paid, it is stopped like the others."""
    try:
        with unit_of_work() as session:
            live = payments.live_payment(session, subject_kind="order", subject_id=order_id)
        if live is not None and live.method == "card":
            cards = current_app.extensions["ports"].cards
            seen = payment_service.close(unit_of_work, cards, payment_id=live.id, now=now())
            if seen.is_paid:
                with unit_of_work() as session:
                    service.mark_paid(session, order_id=order_id, payment_id=seen.id, now=now())
                return
        with unit_of_work() as session:
            service.cancel_order(session, actor=system("orders"), order_id=order_id, now=now())
    except DomainError as error:
        _log.warning("order %s cannot be cancelled now: %s", order_id, error.detail)


@shared_task(name="orders.let_parts_go")
def let_parts_go(*, withdrawal_id: str, **_: Any) -> None:
    """Let parts be sent that waited for a withdrawal which was taken back."""
    with unit_of_work() as session:
        service.let_parts_go(session, withdrawal_id=UUID(withdrawal_id))


@shared_task(name="orders.expire")
def expire(**_: Any) -> None:
    """Give stock back that unpaid orders hold beyond their time, and orders that no card keeps money for any more."""
    with unit_of_work() as session:
        if advisory(session, Alone.ORDERS_EXPIRE):
            service.expire_orders(session, now=now())
            service.end_authorised(session, now=now())


@shared_task(name="orders.confirm_silent")
def confirm_silent(**_: Any) -> None:
    """Take silence as confirmation where the term is over."""
    with unit_of_work() as session:
        if advisory(session, Alone.ORDERS_CONFIRM):
            service.confirm_silent(session, on=today(), now=now())


@shared_task(name="orders.settle")
def settle(**_: Any) -> None:
    """Book what is earned and raise what producers are owed, in batches until nothing is left.

    A batch with one that cannot be booked is done one by one, so that it holds up nobody else.
    """
    try:
        while True:
            with unit_of_work() as session:
                if not advisory(session, Alone.ORDERS_SETTLE) or not service.settle_due(session, now=now()):
                    return
    except DomainError:
        with unit_of_work() as session:
            waiting = service.to_settle(session, limit=1000)
    for seller_order_id in waiting:
        try:
            with unit_of_work() as session:
                service.settle(session, seller_order_ids=[seller_order_id], now=now())
        except DomainError as error:
            _log.exception("seller order %s cannot be settled: %s", seller_order_id, error.detail)
