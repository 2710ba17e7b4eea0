"""Write the bank file of a run, once, and note that a person has handed it to the bank."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import audit, locks
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payouts.errors import StepRefused
from market.payouts.models import Payout, PayoutFile, PayoutRun
from market.payouts.queries import settings_of
from market.payouts.rules.numbers import payout_number, run_number
from market.payouts.rules.pain001 import Address, CreditTransfer, CreditTransferFile, Party, write_pain001
from market.payouts.rules.states import State, Step, transition
from market.producers import queries as producers


def write_files(session: Session, *, run_id: UUID, now: datetime) -> int:
    """Write the pain.001 files of a run's queued bank payouts, one per currency; return how many were written.

    The bytes come from the run alone (its number, the instant of its approval, the frozen details), so they are the same
    whenever they are written; the table holds one file per run and currency. The payouts become `sending`.
    """
    run = locks.lock_one(session, PayoutRun, run_id)
    if run.approved_at is None:
        return 0
    queued = session.execute(
        select(Payout)
        .where(Payout.run_id == run.id, Payout.rail == "sepa", Payout.state == State.QUEUED)
        .order_by(Payout.number)
        .with_for_update()
    )
    by_currency: dict[str, list[Payout]] = {}
    for payout in queued.scalars():
        by_currency.setdefault(payout.currency, []).append(payout)
    for currency, payouts in by_currency.items():
        _write(session, run, currency, payouts, now)
    return len(by_currency)


def mark_submitted(session: Session, *, actor: Actor, file_id: UUID, now: datetime) -> None:
    """Note that a person has given the file to the bank: its payouts count as sent. Raises StepRefused the second time."""
    file = locks.lock_one(session, PayoutFile, file_id)
    if file.submitted_at is not None:
        raise StepRefused("This file is marked as given to the bank already.", submitted_at=file.submitted_at)
    file.submitted_by, file.submitted_at = actor.label, now
    step = transition(State.SENDING, Step.ACCEPT)
    session.execute(
        update(Payout)
        .where(Payout.file_id == file.id, Payout.state == State.SENDING)
        .values(state=step.target, first_sent_at=now, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    audit.record(
        session,
        actor=actor,
        action="payouts.submitted",
        subject_kind="payout_file",
        subject_id=file.id,
        now=now,
        coop_id=file.coop_id,
        new={"sha256": file.sha256},
    )


def _write(session: Session, run: PayoutRun, currency: str, payouts: Sequence[Payout], now: datetime) -> None:
    coop, settings = producers.coop(session, run.coop_id), settings_of(session, run.coop_id)
    order = CreditTransferFile(
        message_id=f"{run_number(run.number)}-{currency}",
        created_at=run.approved_at or now,
        execute_on=run.execute_on,
        debtor=Party(
            name=coop.account_holder or coop.name,
            iban=(coop.iban or "").replace(" ", ""),
            bic=coop.bic,
            address=_address(coop.street, coop.building, coop.postcode, coop.town, coop.country),
        ),
        transfers=[_transfer(payout) for payout in payouts],
        version=settings.file_format,
        batch_booking=settings.batch_booking,
        purpose=settings.purpose,
    )
    body = write_pain001(order)
    file = PayoutFile(
        id=new_id(),
        coop_id=run.coop_id,
        run_id=run.id,
        currency=currency,
        message_id=order.message_id,
        count=len(payouts),
        total_minor=sum(payout.amount_minor for payout in payouts),
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        written_at=now,
    )
    session.add(file)
    session.flush()  # the payouts point to the file
    step = transition(State.QUEUED, Step.CLAIM)
    session.execute(
        update(Payout)
        .where(Payout.run_id == run.id, Payout.rail == "sepa", Payout.currency == currency, Payout.state == State.QUEUED)
        .values(state=step.target, file_id=file.id, changed_at=now)
        .execution_options(synchronize_session=False)
    )


def _transfer(payout: Payout) -> CreditTransfer:
    details = payout.details
    return CreditTransfer(
        number=payout_number(payout.number),
        payout_id=payout.id,
        money=Money(payout.amount_minor, payout.currency),
        creditor=Party(
            name=details["holder"],
            iban=details["iban"].replace(" ", "").upper(),
            bic=details["bic"] or None,
            address=_address(details["street"], details["building"], details["postcode"], details["town"], details["country"]),
        ),
        reference=payout.reference,
    )


def _address(street: str, building: str, postcode: str, town: str, country: str) -> Address | None:
    """Return a structured address; without a town there is none that a bank would take, and inside the EEA none is needed."""
    if not town.strip():
        return None
    return Address(town=town, country=country, street=street or None, building=building or None, postcode=postcode or None)
