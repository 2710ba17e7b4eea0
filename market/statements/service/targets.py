"""What lines may mean, gathered from the capabilities that own it, in the shape in which the rules compare it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from sys import intern
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.clock import day_in
from market.kernel.ids import derived_id
from market.kernel.references import Kind
from market.payments import queries as payments
from market.payouts import queries as payouts
from market.producers import queries as producers
from market.statements.match_models import StatementMatch
from market.statements.models import MoneyAccount
from market.statements.rules.claims import Claim, Target
from market.statements.rules.references import references_of_kind
from market.statements.rules.sweeps import ARRIVES, RULE, Sweep
from market.statements.service.payers import Payer, payers_of


def awaited_targets(session: Session, account: MoneyAccount) -> list[Target]:
    """Return the transfers that the co-op waits for, the refunds to be sent, and the cheques that must not be cashed any more."""
    awaited = payments.awaited_transfers(session, coop_id=account.coop_id, currency=account.currency)
    refunds = payments.refunds_to_transfer(session, coop_id=account.coop_id, currency=account.currency)
    payers, zone = payers_of(session, account, awaited), producers.coop(session, account.coop_id).time_zone
    found = [_payment(row, "open", payers.get(row.id, Payer()), zone) for row in awaited]
    found += [Target("refund", row.id, row.reference, row.money.minor, day_in(row.decided_at, zone)) for row in refunds]
    return found + [_payout(row) for row in payouts.voided_cheques(session, **_owner(account))]


def payouts_on_their_way(
    session: Session, account: MoneyAccount, *, sent_from: date | None = None, sent_before: date | None = None
) -> Iterator[Target]:
    """Yield the payouts on their way from this account that were sent in a span of days; read it to its end."""
    return map(_payout, payouts.each_in_transit(session, **_owner(account), sent_from=sent_from, sent_before=sent_before))


def ended_targets(session: Session, account: MoneyAccount, claims: Iterable[Claim], knows: Callable[[str], bool]) -> list[Target]:
    """Return what is not known and named on a line all the same: returns, doubles, payouts that counted as failed."""
    by_account: set[tuple[int, str]] = set()
    by_name: set[int] = set()
    named: set[str] = set()
    for claim in claims:
        named.update(each for each in claim.references if not knows(each))
        marked = claim.returned or (bool(claim.account) and account.is_wallet)  # the portal of a wallet marks no returns
        if marked and claim.amount_minor > 0 and not claim.references:
            if claim.account:
                by_account.add((claim.amount_minor, claim.account))
            else:
                by_name.add(claim.amount_minor)
    of_payouts = references_of_kind(named, Kind.PAYOUT)
    settled = partial(payouts.settled, session, **_owner(account))
    ended = payouts.in_transit_named(session, **_owner(account), references=of_payouts)  # sent long after the line
    ended += settled(
        references=of_payouts, amounts={minor for minor, _ in by_account}, ibans={number for _, number in by_account}
    )
    ended += settled(references=(), amounts=by_name)
    undone = payouts.undone(session, coop_id=account.coop_id, references=of_payouts, rails=account.rails) if of_payouts else []
    found = [_payout(row) for row in (*ended, *undone)]
    paid = payments.payments_by_references(session, references_of_kind(named, Kind.PAYMENT))
    zone = producers.coop(session, account.coop_id).time_zone
    return found + [
        _payment(each, "settled" if each.received else "dead", Payer(), zone)
        for each in paid
        if each.method == "transfer" and each.money.currency == account.currency
    ]


def _owner(account: MoneyAccount) -> dict[str, Any]:
    return {"coop_id": account.coop_id, "rails": account.rails, "currency": account.currency}


def _payout(row: payouts.InTransit) -> Target:
    state = {"settled": "settled", "returned": "returned", "failed": "dead", "cancelled": "dead"}.get(row.state, "open")
    return Target(
        kind="payout",
        id=row.payout_id,
        reference=row.reference,
        amount_minor=row.money.minor,
        since=row.sent_on or date.min,
        state=state,
        account=intern("".join(row.iban.split()).upper()),  # hundreds of thousands of payouts, far fewer payees
        name=intern(row.holder),
        batches=(row.message_id,) if row.message_id else (),
        cheque=row.cheque or "",
    )


def _payment(view: payments.PaymentView, state: str, payer: Payer, zone: str) -> Target:
    """Return a payment as a target; `zone` is the co-op's: in the evening of America it is the next day elsewhere already."""
    amount = view.due.minor if state == "open" else view.money.minor
    since = day_in(view.opened_at, zone)
    return Target("payment", view.id, view.reference, amount, since, state, payer.account, payer.name)


def open_sweeps(session: Session, account: MoneyAccount, since: date) -> list[Sweep]:
    """Return the card processor's payouts to the bank, from some days before `since` on, that no line was matched to yet."""
    first = datetime.combine(since - ARRIVES, time.min, UTC)
    rows = payments.bank_payouts(session, coop_id=account.coop_id, currency=account.currency, since=first)
    if not rows:
        return []
    seen = set(
        session.scalars(
            select(StatementMatch.evidence["bank_payout"].astext).where(
                StatementMatch.coop_id == account.coop_id,
                StatementMatch.rule == RULE,
                StatementMatch.undone_at.is_(None),
                StatementMatch.matched_at >= first,
            )
        )
    )
    zone = producers.coop(session, account.coop_id).time_zone
    return [
        Sweep(sweep_id(row.payout), row.payout, row.money.minor, day_in(row.booked_at, zone))
        for row in rows
        if row.payout not in seen
    ]


def sweep_id(payout: str) -> UUID:
    """Return what names a payout of the processor in a rejected pair."""
    return derived_id(f"sweep {payout}")


def payee_of(session: Session, payout_id: UUID) -> UUID:
    """Return to whom a payout goes."""
    return payouts.payout(session, payout_id).payee_id
