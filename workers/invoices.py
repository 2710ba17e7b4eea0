"""Issue and print invoices and credit notes after the facts; each may run twice, and in any order."""

from typing import Any
from uuid import UUID

from celery import shared_task
from flask import current_app

from market.invoices import queries, service
from workers.base import now, unit_of_work


@shared_task(name="invoices.issue")
def issue(*, order_id: str, **_: Any) -> None:
    """Issue each co-op's invoice of a paid order: one unit each, so that two series are never locked together."""
    with unit_of_work() as session:
        coops = service.coops_of(session, UUID(order_id))
    for coop_id in coops:
        with unit_of_work() as session:
            invoice_id = service.issue_invoice(session, order_id=UUID(order_id), coop_id=coop_id, now=now())
        _print(invoice_id)


@shared_task(name="invoices.credit")
def credit(*, seller_order_id: str, **_: Any) -> None:
    """Issue a credit note for each refund of a seller order, and each replacement at the same price, that has none."""
    with unit_of_work() as session:
        made = service.issue_credit_notes(session, seller_order_id=UUID(seller_order_id), now=now())
    for invoice_id in made:
        _print(invoice_id)


@shared_task(name="invoices.credit_ended")
def credit_ended(*, order_id: str, **_: Any) -> None:
    """Take back in full what was invoiced of an order that ended unpaid after its payment was taken back."""
    with unit_of_work() as session:
        made = service.credit_ended(session, order_id=UUID(order_id), now=now())
    for invoice_id in made:
        _print(invoice_id)


def _print(invoice_id: UUID) -> None:
    with unit_of_work() as session:
        facts = None if queries.printed(session, invoice_id) else queries.paper(session, invoice_id)
    if facts is None:
        return
    body = current_app.extensions["ports"].documents.invoice(facts)
    with unit_of_work() as session:
        service.keep_print(session, invoice_id=invoice_id, body=body, now=now())
