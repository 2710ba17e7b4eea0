"""Bank accounts of a co-op and their opening balances (E01)."""

import re
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.money import EXPONENTS, Money
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.statements.errors import AccountExists, AccountNotFound, BadCurrency, BadIban
from market.statements.models import MoneyAccount


def open_account(
    session: Session,
    *,
    coop_id: UUID,
    name: str,
    iban: str,
    currency: str,
    opened_on: date,
    actor: Actor,
    now: datetime,
    opening: Money | None = None,
    wallet: bool = False,
) -> MoneyAccount:
    """Register a bank account and book what lies on it on `opened_on` (E01: mirror → opening, or the reverse).

    The first one gets the mirror `bank:1` and the suspense account `suspense:1`. `iban` is the bank's own number of the account
    where the country has no IBAN; a `wallet` is kept by a mobile-money provider, with its phone number or account number there.
    Raises BadIban, BadCurrency, AccountExists.
    """
    iban = checked_wallet(iban) if wallet else checked_number(iban)
    if currency not in EXPONENTS:
        raise BadCurrency("Choose a currency by its three letters, such as EUR.", pointer="/currency")
    taken = session.execute(
        select(MoneyAccount.id).where(
            MoneyAccount.coop_id == coop_id, MoneyAccount.iban == iban, MoneyAccount.currency == currency
        )
    ).scalar_one_or_none()
    if taken is not None:
        raise AccountExists(say("The account %(iban)s is registered already.", iban=iban), pointer="/iban")
    kind = "wallet" if wallet else "bank"
    of_kind = func.count().filter(func.starts_with(MoneyAccount.mirror, f"{kind}:"))
    all_, alike = session.execute(select(func.count(), of_kind).where(MoneyAccount.coop_id == coop_id)).one()
    account = MoneyAccount(
        coop_id=coop_id,
        name=name.strip() or iban,
        iban=iban,
        currency=currency,
        mirror=f"{kind}:{alike + 1}",
        suspense=f"suspense:{all_ + 1}",
        known_fees=[],
        holds_premium=not wallet and not alike,
        opened_on=opened_on,
        created_at=now,
    )
    session.add(account)
    session.flush()
    audit.record(session, actor=actor, action="statements.account_opened", subject_kind="money_account", subject_id=account.id,
                 coop_id=coop_id, now=now, new={"iban": iban, "opening": opening.text if opening else None})  # fmt: skip
    if opening:
        debit, credit = (account.mirror, "opening") if opening.minor > 0 else ("opening", account.mirror)
        leg = Leg(debit, credit, Money(abs(opening.minor), opening.currency), account.id)
        book_id = ledger.book_of(session, coop_id)
        ledger.post(session, [Entry(book_id, "opening", f"opening:{account.id}", opened_on, actor.label, (leg,))])
    return account


def checked_wallet(text: str) -> str:
    """Return the digits of a wallet's number. Raises BadIban."""
    digits = "".join(text.split()).removeprefix("+")
    if not (6 <= len(digits) <= 20 and digits.isascii() and digits.isdigit()):
        raise BadIban("A wallet's number has 6 to 20 digits.", pointer="/iban")
    return digits


def checked_number(text: str) -> str:
    """Return the number of a bank account in its compact form: an IBAN, or the bank's own number where there are none.

    What begins like an IBAN must be one. Raises BadIban.
    """
    number = re.sub(r"[\s./-]", "", text).upper()
    if number[:2].isalpha() and number[2:4].isdigit():
        return checked_iban(number)
    if not (4 <= len(number) <= 34 and number.isascii() and number.isalnum() and any(sign.isdigit() for sign in number)):
        raise BadIban(
            "An account's number has 4 to 34 letters and digits; an IBAN has 15 to 34, two letters first.", pointer="/iban"
        )
    return number


def in_our_books(session: Session, account: MoneyAccount, book_id: int) -> Money:
    """Return what our books say lies on an account, the premium's share included."""
    mirror = books.balance(session, book_id, account.mirror, account.currency)
    if account.holds_premium:
        mirror += books.balance(session, book_id, "premium_bank", account.currency)
    return mirror


def account_of(session: Session, money_account_id: UUID) -> MoneyAccount:
    """Return a bank account of this scope. Raises AccountNotFound."""
    account = session.get(MoneyAccount, money_account_id)
    if account is None:
        raise AccountNotFound("There is no such bank account here. Choose one from the list.")
    return account


def checked_iban(text: str) -> str:
    """Return an IBAN in its compact form. Raises BadIban when form or check digits (ISO 13616, mod 97) are wrong."""
    iban = "".join(text.split()).upper()
    if not (15 <= len(iban) <= 34 and iban.isascii() and iban.isalnum() and iban[:2].isalpha() and iban[2:4].isdigit()):
        raise BadIban("An IBAN has 15 to 34 letters and digits, two letters first.", pointer="/iban")
    if int("".join(str(int(sign, 36)) for sign in iban[4:] + iban[:4])) % 97 != 1:
        raise BadIban("The check digits of this IBAN do not fit. Look for a mistyped digit.", pointer="/iban")
    return iban
