"""Where a producer is paid. Details are never edited: new ones are entered, a second person confirms, the old ones end.

A changed account is the oldest way to steal a payment, so nothing is paid to details that one person alone has seen.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.producers import events, rules
from market.producers.errors import (
    BadPayeeAccount,
    NotYoursToChange,
    PayeeAccountClosed,
    PayeeAccountMissing,
    ProducerMissing,
    SecondPersonNeeded,
)
from market.producers.models import PayeeAccount, Producer
from market.producers.rules import PayTo


def enter_payee_account(session: Session, *, actor: Actor, producer_id: UUID, pay_to: PayTo, now: datetime) -> UUID:
    """Record where a producer wants to be paid, by them or their co-op's staff; it counts once confirmed.

    Raises ProducerMissing, BadPayeeAccount.
    """
    producer = session.get(Producer, producer_id)
    allowed = producer is not None and producer.coop_id == actor.coop_id and (actor.is_staff or producer_id == actor.producer_id)
    if producer is None or not allowed:
        raise ProducerMissing("There is no such producer.")
    checked = rules.checked_pay_to(pay_to)
    account = PayeeAccount(
        id=new_id(),
        coop_id=producer.coop_id,
        producer_id=producer_id,
        rail=checked.rail,
        currency=checked.currency,
        holder=checked.holder,
        iban=checked.iban,
        bic=checked.bic,
        stripe_account=checked.stripe_account,
        msisdn=checked.msisdn,
        name_doubt=None if rules.same_name(checked.holder, producer.name) else "member",
        street=checked.address.street,
        building=checked.address.building,
        town=checked.address.town,
        postcode=checked.address.postcode,
        country=checked.address.country,
        entered_by=actor.label,
        entered_at=now,
    )
    session.add(account)
    # The trail names the account's last digits only: it outlives the details.
    audit.record(
        session, actor=actor, action="producers.enter_payee_account", subject_kind="payee_account", subject_id=account.id,
        now=now, new={"rail": checked.rail, "ends_with": (checked.iban or checked.msisdn or checked.stripe_account or "")[-4:]},
    )  # fmt: skip
    outbox.announce(session, events.PAYEE_ACCOUNT_ENTERED, _ids(account))
    return account.id


def confirm_payee_account(session: Session, *, actor: Actor, payee_account_id: UUID, now: datetime) -> None:
    """Let an approver who did not enter it declare an account right; it replaces the one paid to until now.

    Locks the producer's accounts. Raises PayeeAccountMissing, NotYoursToChange, SecondPersonNeeded, PayeeAccountClosed.
    """
    account = _waiting(session, actor, payee_account_id)
    if "approver" not in actor.roles:
        raise NotYoursToChange("Only an approver confirms where somebody is paid.")
    if account.entered_by == actor.label:
        raise SecondPersonNeeded("You entered this account. Another person must compare it with the paper and confirm it.")
    live = select(PayeeAccount.id).where(
        PayeeAccount.producer_id == account.producer_id,
        PayeeAccount.currency == account.currency,
        PayeeAccount.confirmed_at.is_not(None),
        PayeeAccount.replaced_at.is_(None),
    )
    for old in locks.lock(session, PayeeAccount, session.scalars(live)):
        old.replaced_at = now
    session.flush()  # the old one must end before the new one begins: one live account per producer and currency
    account.confirmed_by, account.confirmed_at = actor.label, now
    audit.record(
        session, actor=actor, action="producers.confirm_payee_account", subject_kind="payee_account", subject_id=account.id,
        now=now, old={"entered_by": account.entered_by}, new={"confirmed_by": actor.label},
    )  # fmt: skip
    outbox.announce(session, events.PAYEE_ACCOUNT_CONFIRMED, _ids(account))


def note_known_name(session: Session, *, payee_account_id: UUID, name: str, now: datetime) -> None:
    """Keep the name under which a provider knows a wallet's number; another one than the holder's is doubted until agreed."""
    account = locks.lock_one(session, PayeeAccount, payee_account_id)
    account.known_name = name.strip()[:120]
    if not rules.same_name(account.known_name, account.holder):
        account.name_doubt = "provider"


def agree_name(session: Session, *, actor: Actor, payee_account_id: UUID, reason: str, now: datetime) -> None:
    """Let somebody of the staff who did not enter an account say why its holder has another name than the member.

    Raises PayeeAccountMissing, NotYoursToChange, SecondPersonNeeded, PayeeAccountClosed (no doubt, or agreed already),
    BadPayeeAccount without a reason.
    """
    rows = [row for row in locks.lock(session, PayeeAccount, [payee_account_id]) if row.coop_id == actor.coop_id]
    if not rows:
        raise PayeeAccountMissing("There is no such account to pay to.")
    account = rows[0]
    if not actor.is_staff:
        raise NotYoursToChange("Only the co-op's staff agree to another name.")
    if account.entered_by == actor.label:
        raise SecondPersonNeeded("You entered this account. Another person must ask the member and agree.")
    if account.name_doubt is None or account.name_agreed_by is not None or account.replaced_at is not None:
        raise PayeeAccountClosed("This account was confirmed or replaced already. Load the page again.")
    if len(reason.strip()) < 5:
        raise BadPayeeAccount(
            "Write why the name differs, such as: the wife's account, asked her on the phone.", pointer="/reason"
        )
    account.name_agreed_by, account.name_reason = actor.label, reason.strip()[:300]
    audit.record(
        session, actor=actor, action="producers.agree_name", subject_kind="payee_account", subject_id=account.id, now=now,
        new={"reason": account.name_reason},
    )  # fmt: skip


def withdraw_payee_account(session: Session, *, actor: Actor, payee_account_id: UUID, now: datetime) -> None:
    """Refuse details that wait for confirmation. Raises PayeeAccountMissing, PayeeAccountClosed."""
    account = _waiting(session, actor, payee_account_id)
    account.replaced_at = now
    audit.record(
        session,
        actor=actor,
        action="producers.withdraw_payee_account",
        subject_kind="payee_account",
        subject_id=account.id,
        now=now,
    )


def _waiting(session: Session, actor: Actor, payee_account_id: UUID) -> PayeeAccount:
    rows = locks.lock(session, PayeeAccount, [payee_account_id])
    mine = [row for row in rows if row.coop_id == actor.coop_id and (actor.is_staff or row.producer_id == actor.producer_id)]
    if not mine:
        raise PayeeAccountMissing("There is no such account to pay to.")
    if mine[0].confirmed_at is not None or mine[0].replaced_at is not None:
        raise PayeeAccountClosed("This account was confirmed or replaced already. Load the page again.")
    return mine[0]


def _ids(account: PayeeAccount) -> dict[str, UUID]:
    return {"payee_account_id": account.id, "coop_id": account.coop_id, "producer_id": account.producer_id}
