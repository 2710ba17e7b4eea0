"""Payments behind the scenes: events of the card processor, refunds, its statement, and the sweeps.

Every task may run twice, at once, or not for a day: the rows decide. Nothing is retried here, because the sweep does.
"""

import logging
from typing import Any
from uuid import UUID

from celery import shared_task
from flask import current_app

from market.kernel.clock import day_in
from market.kernel.errors import DomainError
from market.kernel.words import N_
from market.payments import service
from market.payments.ports import CardProcessor, ProcessorUnsure
from market.payments.postings import SUSPENSE, transfer_reversed
from market.payments.service.balance import TransferLine
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from market.payouts.errors import PayoutNotFound, StepRefused
from market.producers.queries import coop, coops
from market.treasury import service as treasury
from workers.base import now, unit_of_work

_log = logging.getLogger(__name__)


@shared_task(name="payments.handle_event", soft_time_limit=90, time_limit=120)
def handle_event(*, inbox_id: str, **_: Any) -> str | None:
    """Look at what an event of the processor is about and apply it; without an answer the sweep comes back to it."""
    try:
        return service.handle_event(unit_of_work, _cards(), inbox_id=int(inbox_id), now=now())
    except ProcessorUnsure as error:
        _log.warning("event %s waits for the sweep: %s", inbox_id, error)
        return None


@shared_task(name="payments.send_refund", soft_time_limit=90, time_limit=120)
def send_refund(*, refund_id: str, **_: Any) -> None:
    """Send a refund that was decided; transfers in are given back by staff."""
    service.send_refund(unit_of_work, _cards(), refund_id=UUID(refund_id), now=now())


@shared_task(name="payments.settle_authorisation", soft_time_limit=90, time_limit=120)
def settle_authorisation(*, payment_id: str, **_: Any) -> None:
    """Take from a card what was decided, or let go of it."""
    service.settle_authorisation(unit_of_work, _cards(), payment_id=UUID(payment_id), now=now())


@shared_task(name="payments.sweep", soft_time_limit=540, time_limit=600)
def sweep(**_: Any) -> dict[str, int]:
    """Do what was left undone: events, overdue and silent payments, refunds, paid without order."""
    return service.sweep(unit_of_work, _cards(), now=now())


@shared_task(name="payments.compare_events", soft_time_limit=540, time_limit=600)
def compare_events(**_: Any) -> int:
    """Ask the processor which events we should have had."""
    found = service.compare_events(unit_of_work, _cards(), now=now())
    if found:
        _log.warning("%d events of the card processor were never delivered", found)
    return found


@shared_task(name="payments.sync_balance", soft_time_limit=540, time_limit=600)
def sync_balance(**_: Any) -> int:
    """Fetch the processor's statement and match it: payments and refunds, transfers to payees, payouts to the bank."""
    try:
        fresh = service.sync_balance(unit_of_work, _cards(), now=now())
        with unit_of_work() as session:
            waiting = service.transfer_lines_waiting(session)
        for line in waiting:
            _settle(line)
        service.sync_bank_payouts(unit_of_work, _cards())
    except ProcessorUnsure as error:
        _log.warning("the processor's statement waits for the next run: %s", error)
        return 0
    return fresh


def _settle(line: TransferLine) -> None:
    """Settle the payout that a transfer paid, or the claim that one taken back covers, and book both in one unit (E44, E22).

    What does not fit goes to a person.
    """
    try:
        if _is_share(line):
            return
        with unit_of_work() as session:
            payout = payouts.payout(session, line.payout_id)
            if line.taken_back:
                legs = transfer_reversed(SUSPENSE, payout.payee_id, line.money, payout.id)
            else:
                on = day_in(line.booked_at, coop(session, payout.coop_id).time_zone)
                legs = payout_service.settle(
                    session, payout_id=line.payout_id, money=line.money, booked_on=on, suspense=SUSPENSE, now=now()
                )
            if not service.book_transfer_line(session, line_id=line.line_id, coop_id=payout.coop_id, legs=legs):
                raise _BookedMeanwhile("another run booked this line")
    except _BookedMeanwhile:
        return
    except PayoutNotFound as error:
        _log.error("the card processor paid %s, which is not known here: was a backup restored?", line.payout_id)
        with unit_of_work() as session:
            service.puzzle_line(session, line_id=line.line_id, problem=error.detail)
            everybody = [one.id for one in coops(session)]
            payout_service.stop(
                session, coop_ids=everybody, found_in=N_("the card processor"), evidence=str(line.payout_id), now=now()
            )
    except StepRefused as error:
        _log.error("the card processor paid %s, which is not on its way here: %s", line.payout_id, error.detail)
        with unit_of_work() as session:
            service.puzzle_line(session, line_id=line.line_id, problem=error.detail)
            paid = payouts.payout(session, line.payout_id)
            if paid.state in ("failed", "cancelled"):  # what it paid for is owed again, and the next run would pay it twice
                payout_service.stop(
                    session, coop_ids=[paid.coop_id], found_in=N_("the card processor"), evidence=paid.reference, now=now()
                )
    except DomainError as error:
        _log.warning("transfer %s fits no payout: %s", line.line_id, error.detail)
        with unit_of_work() as session:
            service.puzzle_line(session, line_id=line.line_id, problem=error.detail)


def _is_share(line: TransferLine) -> bool:
    """Book a transfer of a co-op's own share (E52); False when it is none."""
    if line.taken_back:
        return False
    with unit_of_work() as session:
        found = treasury.book_share(session, share_id=line.payout_id, money=line.money, suspense=SUSPENSE, now=now())
        if found is None:
            return False
        if not service.book_transfer_line(session, line_id=line.line_id, coop_id=found[0], legs=found[1]):
            raise _BookedMeanwhile("another run booked this line")
    return True


class _BookedMeanwhile(Exception):
    """Rolls the settlement back: it was booked by another run."""


def _cards() -> CardProcessor:
    cards: CardProcessor = current_app.extensions["ports"].cards
    return cards
