"""Mail about facts: written down once per fact and person, sent by whoever claims it."""

import logging
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from celery import shared_task
from flask import current_app

from market.http import links
from market.invoices import queries as invoices
from market.kernel import locks
from market.notifications import letters, service
from market.notifications.ports import Attachment, Mail, MailRefused, MailUnsure
from market.notifications.service import Claimed
from market.orders import queries as orders
from market.payouts import queries as payouts
from market.producers import queries as producers
from workers import invoices as documents
from workers.base import now, unit_of_work

AT_ONCE = 200
_log = logging.getLogger(__name__)
# Where a mail leads to. A worker loads no pages that could say it; tests/workers hold these to the routes of the site.
PAGES = {
    "coop_goods": "/shop?coop={}",
    "front": "/",
    "order": "/orders/{}",
    "packing_note": "/producer/orders/{}",
    "producer_lot": "/producer/lots/{}",
    "staff_order": "/console/orders/{}",
    "today": "/console",
    "money": "/producer/money",
    "payee_accounts": "/console/payee-accounts",
    "payments": "/console/payments",
    "payouts": "/console/payouts",
    "report_lists": "/console/reports/lists",
    "payout_run": "/console/payouts/{}",
}


@shared_task(name="notifications.tell")
def tell(*, topic: str, **payload: Any) -> None:
    """Write down the mails that a fact calls for, then send what is due."""
    with unit_of_work() as session:
        service.tell(session, topic=topic, payload=payload, now=now())
    deliver()


@shared_task(name="notifications.ring", soft_time_limit=240, time_limit=300)
def ring(**_: Any) -> None:
    """Write down each co-op's alarms of the day, then send what is due; a second run on a day finds them written."""
    with unit_of_work() as session:
        everyone = [coop.id for coop in producers.coops(session)]
    for coop_id in everyone:
        with unit_of_work() as session:
            service.ring(session, coop_id=coop_id, now=now())
    deliver()


@shared_task(name="notifications.news", soft_time_limit=240, time_limit=300)
def tell_news(**_: Any) -> int:
    """Write down the mails with news of co-ops to those who follow them; return how many."""
    with unit_of_work() as session:
        return service.tell_news(session, now=now()) if locks.advisory(session, locks.Alone.NEWS) else 0


@shared_task(name="notifications.deliver", soft_time_limit=240, time_limit=300)
def deliver(**_: Any) -> None:
    """Send the mails that are due, one at a time, each claimed and committed before it leaves."""
    for _unused in range(AT_ONCE):
        with unit_of_work() as session:
            mail = service.claim(session, now=now())
        if mail is None:
            return
        _send(mail, _attachments(mail))


def _attachments(mail: Claimed) -> tuple[Attachment, ...]:
    """Return the papers that go with a mail; a paper that cannot be made now lies on the page that the mail leads to."""
    try:
        return _papers(mail)
    except Exception:
        _log.exception("the papers of mail %s cannot be made", mail.id)
        return ()


def _papers(mail: Claimed) -> tuple[Attachment, ...]:
    facts = mail.facts
    if payout_id := facts.get("attach_statement"):
        with unit_of_work() as session:
            body = payouts.printed_statement(session, UUID(payout_id))
        return (_pdf(facts["reference"], body),) if body else ()
    if order_id := facts.get("attach_invoices"):
        documents.issue(order_id=order_id)  # whoever comes first issues and prints
        with unit_of_work() as session:
            found = [(one, invoices.printed(session, one.id)) for one in invoices.invoices_of(session, UUID(order_id))]
        return tuple(_pdf(one.number, body) for one, body in found if body and one.kind == "invoice")
    if order_id := facts.get("attach_ended"):
        documents.credit_ended(order_id=order_id)
        with unit_of_work() as session:
            found = [(one, invoices.printed(session, one.id)) for one in invoices.invoices_of(session, UUID(order_id))]
        return tuple(_pdf(one.number, body) for one, body in found if body and one.kind == "credit_note")
    if seller_order_id := facts.get("attach_credit"):
        documents.credit(seller_order_id=seller_order_id)
        with unit_of_work() as session:
            part = orders.seller_order(session, UUID(seller_order_id))
            notes = invoices.invoices_of(session, part.order_id, coop_id=part.coop_id)[-1:]
            found = [(one, invoices.printed(session, one.id)) for one in notes if one.kind == "credit_note"]
        return tuple(_pdf(one.number, body) for one, body in found if body)
    return ()


def _pdf(name: str, body: bytes) -> Attachment:
    return Attachment(f"{name}.pdf", "application/pdf", body)


def _send(mail: Claimed, attachments: tuple[Attachment, ...]) -> None:
    letter = letters.write(mail.kind, mail.language, mail.facts | {"attached": bool(attachments)}, link=_url(mail.link))
    message = Mail(str(mail.id), mail.name, mail.email, letter.subject, letter.text, letter.html, mail.language, attachments)
    try:
        current_app.extensions["ports"].mailer.send(message)
    except (MailRefused, MailUnsure) as error:
        final = isinstance(error, MailRefused)
        with unit_of_work() as session:
            service.record_failure(session, notification_id=mail.id, problem=str(error), final=final, now=now())
        return
    with unit_of_work() as session:
        service.record_sent(session, notification_id=mail.id, now=now())


def _url(link: list[str] | str) -> str:
    """Return the address that a mail leads to, on our public host whatever host a request came by."""
    if isinstance(link, str):
        return link
    page, subject = link
    path = PAGES[page].format(subject)
    if page == "order":
        path += "?" + urlencode({"key": links.key_for("order", UUID(subject))})
    if page == "today" and subject:
        path += "?" + urlencode({"kind": subject})
    return str(current_app.extensions["settings"].public_url) + path
