"""Co-ops and producers with valid defaults; nothing commits."""

from datetime import date

from market.kernel.ids import new_id, new_token
from market.ledger import service as ledger
from market.producers.models import Coop, Member, PayeeAccount, Producer
from tests.conftest import NOW


def make_coop(session, **values) -> Coop:
    """A co-op with open books."""
    name = values.pop("name", f"Coop {new_token(4)}")
    coop = Coop(
        **{
            "slug": f"coop-{new_id().hex}",
            "name": name,
            "country": "DE",
            "currency": "EUR",
            "service_pct": 9,
            "payment_pct": 2,
            "tax_pct": 0,
            "transport_minor_per_line": 0,
            "account_holder": name,
            "iban": "DE89370400440532013000",
            "bic": "COBADEFFXXX",
            "street": "Hauptstr.",
            "building": "1",
            "town": "Köln",
            "postcode": "50667",
            "book_alone_minor": 1000,
            "created_at": NOW,
        }
        | values
    )
    session.add(coop)
    session.flush()
    ledger.ensure_book(session, coop_id=coop.id, base_currency=coop.currency)
    return coop


def make_producer(session, *, coop: Coop | None = None, **values) -> Producer:
    """A producer who is a member of `coop`."""
    coop = coop or make_coop(session)
    producer = Producer(
        **{"coop_id": coop.id, "slug": f"p-{new_id().hex}", "name": "María", "region": "Huila", "created_at": NOW} | values
    )
    session.add(producer)
    session.flush()
    number = session.query(Member).filter_by(coop_id=coop.id).count() + 1
    session.add(Member(coop_id=coop.id, producer_id=producer.id, number=number, joined_on=date(2020, 1, 1)))
    session.flush()
    return producer


def make_payee_account(session, *, producer: Producer, **values) -> PayeeAccount:
    """A confirmed SEPA account."""
    account = PayeeAccount(
        **{
            "coop_id": producer.coop_id,
            "producer_id": producer.id,
            "rail": "sepa",
            "currency": "EUR",
            "holder": producer.name,
            "iban": "DE02120300000000202051",
            "bic": "BYLADEM1001",
            "street": "Dorfstr.",
            "building": "2",
            "town": "Köln",
            "postcode": "50667",
            "country": "DE",
            "entered_by": "account:preparer",
            "entered_at": NOW,
            "confirmed_by": "account:approver",
            "confirmed_at": NOW,
        }
        | values
    )
    session.add(account)
    session.flush()
    return account
