"""Real mail to a real SMTP server: once per fact, with its link, in the person's language."""

import asyncio
import re
import threading
from dataclasses import replace
from queue import Queue

import pytest
from aiosmtpd.smtp import SMTP
from flask import current_app

from market.gateways.smtp_mailer import SmtpMailer
from market.kernel.tenancy import EVERYTHING, scoped
from market.notifications.ports import Mail, MailRefused, MailUnsure
from market.orders import service as orders
from tests.conftest import NOW
from tests.domain.invoices.test_invoices import STAFF, taxed_order
from tests.factories.orders import paid_order, parts_of
from workers import notifications


class Catcher:
    """Keeps what comes; refuses addresses that begin with `no`."""

    def __init__(self):
        self.mails = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def smtp():
    catcher, loop, ports = Catcher(), asyncio.new_event_loop(), Queue()

    def serve():  # in a thread of its own: a browser test may have left a loop running in this one
        server = loop.run_until_complete(loop.create_server(lambda: SMTP(catcher), "127.0.0.1", 0))
        ports.put(server.sockets[0].getsockname()[1])
        loop.run_forever()
        server.close()
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    sender = "Fair <a@market.example>"
    catcher.mailer = SmtpMailer(host="127.0.0.1", port=ports.get(timeout=10), user="", password="", tls=False, sender=sender)
    yield catcher
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


MAIL = Mail("0001", "Ana", "ana@example.org", "Hola", "text", "<p>html</p>", "es")


def test_smtp_sends_and_tells_refusals_from_silence(smtp):
    smtp.mailer.send(MAIL)
    assert "Message-ID: <0001@market.example>" in smtp.mails[0]
    smtp.mailer.send(replace(MAIL, to_name="Ana\r\nBcc: x", to_email="ana@café.example"))
    assert 'To: "Ana Bcc: x" <ana@xn--caf-dma.example>' in smtp.mails[1]
    with pytest.raises(MailRefused):
        smtp.mailer.send(replace(MAIL, to_email="añá@example.org"))
    with pytest.raises(MailRefused):
        smtp.mailer.send(Mail("2", "No", "no@example.org", "x", "x", "x", "en"))
    closed = SmtpMailer(host="127.0.0.1", port=1, user="", password="", tls=False, sender="a@b.example")
    with pytest.raises(MailUnsure):
        closed.send(MAIL)


def test_a_fact_told_twice_is_one_mail_whose_link_opens_the_order(app, session, client):
    placed = paid_order(session)
    session.commit()
    mailer = current_app.extensions["ports"].mailer
    mailer.mails.clear()
    with scoped(EVERYTHING):
        notifications.tell(topic="orders.paid", order_id=str(placed.order_id))
        notifications.tell(topic="orders.paid", order_id=str(placed.order_id))
    (mail,) = mailer.mails.values()
    assert str(placed.number) in mail.subject
    path = re.search(r"https?://[^/]+(/orders/\S+)", mail.text)[1]
    assert client.get(path).status_code == 200


def test_the_invoice_goes_with_the_receipt_and_the_credit_note_with_the_refund(session):
    placed = taxed_order(session)
    (part,) = parts_of(session, placed.order_id)
    session.commit()
    mails = current_app.extensions["ports"].mailer.mails
    mails.clear()
    with scoped(EVERYTHING):
        notifications.tell(topic="orders.paid", order_id=str(placed.order_id))
    (receipt,) = mails.values()
    assert [each.name for each in receipt.attachments] == ["INV-2026-000001.pdf"]
    assert receipt.attachments[0].body.startswith(b"%PDF")
    assert "The invoice is attached." in receipt.text
    orders.refund_seller_order(session, actor=STAFF, seller_order_id=part.id, reason="lost", bearer="coop", now=NOW)
    session.commit()
    mails.clear()
    with scoped(EVERYTHING):
        notifications.tell(topic="orders.refunded", seller_order_id=str(part.id))
    (refunded,) = mails.values()
    assert [each.name[:3] for each in refunded.attachments] == ["CN-"]
