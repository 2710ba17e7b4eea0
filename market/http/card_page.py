"""The way to the card page and back, shared by pages and API: calls go out between units of work, never inside one."""

from uuid import UUID

from flask import current_app, flash, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from market.http import links
from market.http.auth import current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.orders import queries as orders
from market.orders import service
from market.orders.errors import OrderMissing
from market.orders.queries import OrderView
from market.payments import queries as payments
from market.payments import service as payment_service
from market.payments.queries import PaymentView
from market.payments.rules import State

LINK = "order"


def open_page(order_id: UUID, payment_id: UUID) -> str | None:
    """Open the hosted page of a payment, or find the open one; its address. Raises CardsRefused, ProcessorUnavailable."""
    key = links.key_for(LINK, order_id)
    with unit_of_work() as session:
        language = orders.language_of(session, order_id)
    opened = payment_service.start_checkout(
        unit_of_work,
        current_app.extensions["ports"].cards,
        payment_id=payment_id,
        return_url=links.public(url_for("orders.returned", order_id=order_id, key=key)),
        cancel_url=links.public(order_url(order_id)),
        now=now(),
        language=language,
    )
    return opened.checkout_url


def own_order(session: Session, order_id: UUID, key: str | None) -> OrderView:
    """Return an order that the caller may see: the buyer's own, or by the key of its link. Raises OrderMissing."""
    actor = current_actor()
    view = orders.order(session, order_id)
    own = actor.account_id is not None and view.account_id == actor.account_id
    if not own and not links.opens(LINK, order_id, key):
        raise OrderMissing("There is no such order.")
    return view


def order_url(order_id: UUID) -> str:
    """Return the address of an order's page with the key that opens it."""
    return url_for("orders.order", order_id=order_id, key=links.key_for(LINK, order_id))


def to_card_page(order_id: UUID, payment_id: UUID) -> Response:
    """Send the buyer to the hosted card page; to their order's page when it cannot be opened now."""
    try:
        url = open_page(order_id, payment_id)
    except DomainError as error:
        flash(told(error.detail), "bad")
        url = None
    return redirect(url or order_url(order_id), 303)


def ask(order_id: UUID, payment_id: UUID) -> PaymentView:
    """Ask what became of a payment and record it with its order; the webhook may have been quicker."""
    seen = payment_service.refresh(unit_of_work, current_app.extensions["ports"].cards, payment_id=payment_id, now=now())
    return _recorded(order_id, seen)


def cancel(order_id: UUID) -> OrderView:
    """Cancel an order that is not paid, and return it; one whose amount a card keeps ends when the card company has let go."""
    with unit_of_work() as session:
        kept = orders.order(session, order_id).state == "authorised"
        if kept:
            service.let_go(session, actor=current_actor(), order_id=order_id, now=now())
    if not kept:
        close(order_id)
    with unit_of_work() as session:
        if not kept:
            service.cancel_order(session, actor=current_actor(), order_id=order_id, now=now())
            session.flush()
        return orders.order(session, order_id)


def pay_charges_in_unit(order_id: UUID) -> UUID:
    """Pay the co-op's charges of the caller's own order in the members' currency; return the payment of the rest."""
    close(order_id)
    with unit_of_work() as session:
        return service.pay_charges_in_unit(session, actor=current_actor(), order_id=order_id, now=now())


def close(order_id: UUID) -> None:
    """Make sure that nobody can pay an order any more; a payment that was quicker is recorded."""
    with unit_of_work() as session:
        live = payments.live_payment(session, subject_kind="order", subject_id=order_id)
    if live is not None and live.method == "card":
        cards = current_app.extensions["ports"].cards
        _recorded(order_id, payment_service.close(unit_of_work, cards, payment_id=live.id, now=now()))


def _recorded(order_id: UUID, seen: PaymentView) -> PaymentView:
    if seen.is_paid:
        with unit_of_work() as session:
            service.mark_paid(session, order_id=order_id, payment_id=seen.id, now=now())
    elif seen.state is State.AUTHORISED:
        with unit_of_work() as session:
            service.mark_authorised(session, order_id=order_id, now=now())
    return seen
