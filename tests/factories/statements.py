"""Bank accounts and statement files with valid defaults; nothing commits."""

from collections.abc import Sequence
from datetime import date
from io import BytesIO

from market.kernel.actor import Actor, system
from market.simulators.bank.camt import Booking, Head, write_statement
from market.statements import service
from market.statements.models import MoneyAccount
from tests.conftest import NOW
from tests.factories.producers import make_coop

DAY = date(2026, 11, 20)
CLERK = system("test")
CREDIT, DEBIT = ("PMNT", "RCDT", "ESCT"), ("PMNT", "ICDT", "ESCT")


def make_account(session, *, coop=None, **values) -> MoneyAccount:
    """A bank account `bank:1` with nothing on it."""
    coop = coop or make_coop(session)
    options = {"name": "Current account", "iban": coop.iban, "currency": coop.currency, "opened_on": date(2026, 1, 1)} | values
    return service.open_account(session, coop_id=coop.id, actor=CLERK, now=NOW, **options)


def line(minor: int, *, day: date = DAY, ref: str = "", **values) -> Booking:
    """One booking; `ref` is the bank's own id."""
    return Booking(day, minor, ref, CREDIT if minor > 0 else DEBIT, **values)


def make_file(account: MoneyAccount, bookings: Sequence[Booking], *, number: int = 1, opening: int = 0, on: date = DAY) -> bytes:
    """A camt.053 of the account; entries get the bank's own ids unless they have one."""
    head = Head(account.iban, account.currency, "Co-op", number, on, on, opening)
    return write_statement(head, bookings)


def import_bytes(session, account: MoneyAccount, content: bytes, *, actor: Actor = CLERK, now=NOW, **options) -> service.Imported:
    """Import a file for an account."""
    with service.prepare_file(BytesIO(content), name="statement.xml", currency=account.currency) as prepared:
        return service.import_file(session, money_account_id=account.id, prepared=prepared, actor=actor, now=now, **options)


def import_lines(session, account: MoneyAccount, bookings: Sequence[Booking], **values) -> service.Imported:
    """Import one statement with these bookings."""
    return import_bytes(session, account, make_file(account, bookings, **values))
