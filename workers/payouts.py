"""Send payouts and watch them. The table is the truth: these tasks may run twice, at once, or not for a day.

`drain` takes its collaborators as arguments, because the fault tests run it in processes of their own against a rail
that misbehaves.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from flask import current_app

from market.kernel.clock import day_in
from market.kernel.errors import DomainError
from market.kernel.uow import Units
from market.kernel.words import N_
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.ports import Accepted, Answer, NotFound, Rail, Refused, Reverses, TransferOrder, Unsure
from market.payouts.rules.timing import Next
from market.producers import queries as producers
from market.producers import service as producer_service
from market.treasury import service as treasury
from workers.base import now, unit_of_work

AT_ONCE = 500
_log = logging.getLogger(__name__)
_UNKNOWN = N_("The processor knows no such transfer, and its key is too old to repeat.")


@shared_task(name="payouts.send", soft_time_limit=240, time_limit=300)
def send(*, run_id: str, **_: Any) -> None:
    """Write the bank files of an approved run, then send what waits."""
    _write_files(UUID(run_id))
    drain(unit_of_work, _rails(), now)


@shared_task(name="payouts.sweep", soft_time_limit=240, time_limit=300)
def sweep(**_: Any) -> None:
    """Do what a lost wake-up left: files not written, payouts not sent, leases of dead workers, unknown outcomes."""
    with unit_of_work() as session:
        waiting = queries.runs_without_files(session)
    for run_id in waiting:
        _write_files(run_id)
    drain(unit_of_work, _rails(), now)
    ask_back(current_app.extensions["ports"].transfers)
    send_shares(current_app.extensions["ports"].transfers)


def send_shares(transfers: Rail) -> None:
    """Transfer co-ops' shares to their own accounts, while nothing is stopped; the same share again moves nothing more."""
    with unit_of_work() as session:
        stopped = {coop.id for coop in producers.coops(session) if queries.stops(session, coop_id=coop.id)}
        waiting = treasury.shares_to_send(session, now=now(), stopped=stopped.__contains__)
    for one in waiting:
        order = TransferOrder(
            one.share_id, f"share-{one.share_id}", f"share {one.share_id}", one.money, {"stripe_account": one.account},
            f"coop-{one.coop_id}",
        )  # fmt: skip
        answer = transfers.ask(order) if one.ask else transfers.send(order)
        with unit_of_work() as session:
            if isinstance(answer, Accepted):
                treasury.record_share(session, share_id=one.share_id, state="sent", answer=answer.provider_ref, now=now())
            elif isinstance(answer, Refused):
                treasury.record_share(session, share_id=one.share_id, state="refused", answer=answer.reason, now=now())
            elif isinstance(answer, NotFound):
                treasury.record_share(session, share_id=one.share_id, state="refused", answer=_UNKNOWN, now=now())


def ask_back(transfers: Reverses) -> None:
    """Send what was asked back of card transfers; the same question again takes nothing more, because its key is the same."""
    with unit_of_work() as session:
        waiting = service.reversals_waiting(session, now=now())
    for one in waiting:
        if one.fresh:
            answer = transfers.reverse(one.order, one.provider_ref, one.money)
        else:
            answer = transfers.reversal(one.order, one.provider_ref)
        with unit_of_work() as session:
            service.record_reversal(session, reversal_id=one.reversal_id, answer=answer, fresh=one.fresh)


@shared_task(name="payouts.draft_scheduled", soft_time_limit=240, time_limit=300)
def draft_scheduled(**_: Any) -> None:
    """Draft the runs of co-ops whose day has come; each in a unit of its own, so that one refusal holds up no other."""
    with unit_of_work() as session:
        waiting = queries.with_rhythm(session)
    for coop_id in waiting:
        try:
            with unit_of_work() as session:
                service.draft_scheduled(session, coop_id=coop_id, now=now())
        except DomainError as refusal:
            _log.error("the run of co-op %s cannot be drafted: %s", coop_id, refusal.detail)


@shared_task(name="payouts.print", soft_time_limit=60, time_limit=90)
def print_statement(*, payout_id: str, **_: Any) -> None:
    """Print the payee's statement of a settled payout, once; the mail about it carries it, also when it is settled anew."""
    with unit_of_work() as session:
        if queries.printed_statement(session, UUID(payout_id)) is not None:
            service.say_printed(session, payout_id=UUID(payout_id))
            return
        facts = queries.payee_statement(session, UUID(payout_id))
        if facts.came_back:  # before it was printed: nothing says any more that it was paid
            return
    body = current_app.extensions["ports"].documents.payee_statement(facts)
    with unit_of_work() as session:
        service.keep_statement(session, payout_id=UUID(payout_id), language=facts.language, body=body, now=now())


@shared_task(name="payouts.check_wallet", soft_time_limit=60, time_limit=90)
def check_wallet(*, payee_account_id: str, **_: Any) -> None:
    """Ask the provider who a new wallet's number belongs to; another name than the holder's is a matter for staff."""
    wallets = current_app.extensions["ports"].wallets
    with unit_of_work() as session:
        msisdn = producers.wallet_to_check(session, UUID(payee_account_id))
    if wallets is None or msisdn is None or (name := wallets.holder_of(msisdn)) is None:
        return
    with unit_of_work() as session:
        producer_service.note_known_name(session, payee_account_id=UUID(payee_account_id), name=name, now=now())


@shared_task(name="payouts.overdue", soft_time_limit=60, time_limit=90)
def overdue(**_: Any) -> None:
    """Say loudly what is owed and late, and what waits too long (law 5: nobody is forgotten)."""
    instant = now()
    with unit_of_work() as session:
        for coop_id, currency, count, minor, since in payables.overdue(session, on=day_in(instant, "UTC")):
            _log.warning("overdue payables: co-op %s, %d of %d %s since %s", coop_id, count, minor, currency, since)
        for alarm in queries.alarms(session, now=instant):
            _log.warning("payouts wait too long: %s, %d since %s", alarm.kind, alarm.count, alarm.since)


@shared_task(name="payouts.alarm", soft_time_limit=30, time_limit=60)
def alarm(*, payout_id: str, **_: Any) -> None:
    """Note in the log that a payout failed, came back, or waits for a person; the staff pages show it."""
    with unit_of_work() as session:
        row = queries.payout(session, UUID(payout_id))
    _log.warning("payout %s is %s: %s", row.number, row.state, row.reason)


def drain(open_unit: Units, rails: Mapping[str, Rail], clock: Callable[[], datetime], *, limit: int = AT_ONCE) -> int:
    """Claim, commit, call, one payout after the other, until none waits; return how many calls were made.

    What the rail said is recorded in the unit that claims the next one: a commit less for each payout, and still none is
    called before its claim is committed.
    """
    capabilities = {name: rail.capabilities for name, rail in rails.items()}
    called: tuple[service.Claim, Answer] | None = None
    for count in range(limit):
        if called is not None and isinstance(called[1], Refused):
            _record(open_unit, called, clock)  # it posts to the books, which is the last thing that a unit does
            called = None
        with open_unit() as session:
            if called is not None:
                service.record_outcome(session, claim=called[0], answer=called[1], now=clock())
            claim = service.claim_next(session, now=clock(), rails=capabilities)
        called = None
        if claim is None:
            return count
        if claim.action is not Next.GIVE_UP:
            called = (claim, _call(rails[claim.rail], claim))
    if called is not None:
        _record(open_unit, called, clock)
    return limit


def _record(open_unit: Units, called: tuple[service.Claim, Answer], clock: Callable[[], datetime]) -> None:
    with open_unit() as session:
        service.record_outcome(session, claim=called[0], answer=called[1], now=clock())


def _call(rail: Rail, claim: service.Claim) -> Answer:
    try:
        if claim.action is Next.SEND:
            return rail.send(claim.order)
        answer = rail.ask(claim.order)
        return rail.send(claim.order) if isinstance(answer, NotFound) and claim.resend else answer
    except Exception as error:
        # A rail promises not to raise; one that does has left us without an answer, and the others must still be paid.
        _log.exception("the rail broke on payout %s", claim.order.payout_id)
        return Unsure(repr(error))


def _write_files(run_id: UUID) -> None:
    """Write the files of one run; a run that cannot be written is said aloud and holds up no other."""
    try:
        with unit_of_work() as session:
            service.write_files(session, run_id=run_id, now=now())
    except DomainError as refusal:
        _log.error("the bank file of run %s cannot be written: %s", run_id, refusal.detail)


def _rails() -> dict[str, Rail]:
    ports = current_app.extensions["ports"]
    return {"stripe": ports.transfers} | ({"momo": ports.wallets} if ports.wallets is not None else {})
