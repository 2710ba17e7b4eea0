"""Refunds as they are decided: who gets what back, who bears it, and by which way.

A refund goes back the way the money came. Deciding moves it from where it lies to `refund_payable` (E15, E16, E17); what
follows, the sending and the proof, is `paying_refunds`. Transfers in are given back by staff, by bank.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kernel import audit, outbox
from market.kernel.actor import Actor, system
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import Money, allocate
from market.kernel.words import N_, Term, say
from market.ledger import service as ledger
from market.ledger.queries import balance
from market.ledger.rules import Entry, Leg
from market.payments import postings
from market.payments.errors import (
    EvidenceNeeded,
    NothingToRefund,
    PaymentMissing,
    RefundTooLarge,
    RefundUnderWay,
    WrongCurrency,
)
from market.payments.events import CLOSED, REFUND_DECIDED
from market.payments.models import Payment, PaymentPartRow, ProcessorLine, Refund
from market.payments.ports import RefundAnswer
from market.payments.queries import RefundView, parts, refund_view, refundable, view
from market.payments.rules import Amounts, PaymentPart, State, over_components
from market.payments.service.books import credit_account, days_of, is_held
from market.payments.service.disputed_refunds import refuse_disputed, refuse_twice
from market.payments.service.open import ids_of
from market.payments.service.paying_refunds import settle_refund

SYSTEM = system("payments")


def refund(
    session: Session,
    *,
    payment_id: UUID,
    subject: UUID,
    amounts: Amounts,
    reason: str,
    bearer: str,
    actor: Actor,
    now: datetime,
    legs: Sequence[Leg] = (),
) -> RefundView:
    """Decide to give back `amounts` of what the seller order `subject` was paid, and post it.

    Before release the money lies in `held:*` and `legs` stay away (E15, E16). After release the caller says where it
    comes from (E17): all legs, whose credits of `refund_payable` add up to the amount. Locks the payment, then the books;
    announces `payments.refund_decided`, upon which a card refund is sent. Raises NothingToRefund, RefundTooLarge.
    """
    row = lock_one(session, Payment, payment_id)
    if row.state != State.SUCCEEDED:
        raise NothingToRefund("This payment brought no money for the order, so there is nothing to give back.", state=row.state)
    refuse_disputed(session, payment_id)
    left = refundable(session, payment_id=payment_id, subject=subject)
    amounts, forgiven = _without_write_off(session, row.id, subject, amounts, left)
    for (name, wanted), (_, rest) in zip(amounts.components(), left.components(), strict=True):
        if wanted.minor < 0 or rest < wanted:
            raise RefundTooLarge(
                say(
                    "Of the %(name)s %(rest)s can be given back, not %(wanted)s.",
                    name=Term(name.replace("_", " ")),
                    rest=rest,
                    wanted=wanted,
                ),
                component=name,
                left_minor=rest.minor,
                wanted_minor=wanted.minor,
            )
    if not amounts.total:
        raise RefundTooLarge("A refund gives something back; all amounts are zero.")
    bought = next(part for part in parts(session, payment_id) if part.subject == subject)
    made = _new_refund(row, coop_id=bought.coop_id, subject=subject, kind="part", amounts=amounts, money=amounts.total,
                       reason=reason, bearer=bearer, actor=actor, now=now)  # fmt: skip
    session.add(made)
    session.flush()  # the trigger counts the refund and the database refuses what is too much
    outbox.announce(session, REFUND_DECIDED, {"refund_id": str(made.id)}, key=str(payment_id))
    _post_decided(session, made, (tuple(legs) or postings.refund_decided(amounts, subject)) + forgiven, actor, now)
    return refund_view(made)


def _without_write_off(
    session: Session, payment_id: UUID, subject: UUID, amounts: Amounts, left: Amounts
) -> tuple[Amounts, tuple[Leg, ...]]:
    """Take off `amounts` what the buyer never paid and the co-op's charges bore (E06), and return how it goes back there."""
    over = amounts.charges - left.charges
    written_off = session.get_one(PaymentPartRow, (payment_id, subject)).written_off_minor
    if not 0 < over.minor <= written_off:
        return amounts, ()
    return replace(amounts, charges=left.charges), (Leg("held:charges", "write_off", over, subject),)


def _new_refund(
    payment: Payment, *, coop_id: UUID, subject: UUID, kind: str, money: Money, reason: str, bearer: str, actor: Actor,
    now: datetime, amounts: Amounts | None = None,
) -> Refund:  # fmt: skip
    refund_id = new_id()
    split = {f"{name}_minor": amount.minor for name, amount in amounts.components()} if amounts else {}
    return Refund(
        id=refund_id,
        payment_id=payment.id,
        coop_id=coop_id,
        subject_id=subject,
        kind=kind,
        method=payment.method,
        state="decided",
        currency=payment.currency,
        amount_minor=money.minor,
        reason=reason,
        bearer=bearer,
        decided_by=actor.label,
        decided_at=now,
        idem_key=f"re-{refund_id}-v1",
        next_try_at=now if payment.method == "card" else None,
        **({"goods_minor": 0, "premium_minor": 0, "charges_minor": 0, "tax_minor": 0} | split),
    )


def _post_decided(session: Session, made: Refund, legs: tuple[Leg, ...], actor: Actor, now: datetime) -> None:
    owed = sum(leg.money.minor for leg in legs if leg.credit == "refund_payable")
    if owed != made.amount_minor or any(leg.money.currency != made.currency for leg in legs):
        raise ValueError(f"the legs owe the buyer {owed}, the refund {made.amount_minor} {made.currency}")
    entry = Entry(
        book_id=ledger.book_of(session, made.coop_id),
        kind="refund.decided",
        key=f"refund:{made.id}:decided",
        on=days_of(session, [made.coop_id], now)[made.coop_id],
        actor=actor.label,
        legs=legs,
    )
    ledger.post(session, [entry], late=True)


def give_back(session: Session, payment: Payment, *, source: str | None, now: datetime, above_price: bool = False) -> None:
    """Give back money that nothing wanted (E09): from `source` over the buyer's credit to `refund_payable`.

    Without a source the money lies in the buyer's credit already. Each co-op's book bears its share. With `above_price` the
    order keeps its price, and what came above it goes back.
    """
    session.flush()  # what was received must stand in the row before the trigger counts the refund
    weights = _weights(parts(session, payment.id))
    there = Money(payment.received_minor - payment.refunded_minor, payment.currency)
    days, books = days_of(session, weights, now), ledger.books_of(session, weights)
    entries = []
    for (coop_id, price), share in zip(weights.items(), allocate(there, list(weights.values())), strict=True):
        money = share - Money(price, payment.currency) if above_price else share
        if not money:
            continue
        made = _new_refund(payment, coop_id=coop_id, subject=payment.subject_id, kind="surplus", money=money,
                           reason=N_("Paid without need"), bearer="coop", actor=SYSTEM, now=now)  # fmt: skip
        session.add(made)
        outbox.announce(session, REFUND_DECIDED, {"refund_id": str(made.id)}, key=str(payment.id))
        credit = credit_account(payment.id)
        legs = postings.surplus_given_back(source, credit, money, payment.id)
        key = f"refund:{made.id}:decided"
        entries.append(Entry(books[coop_id], "refund.surplus", key, days[coop_id], SYSTEM.label, legs))
    ledger.post(session, entries, late=True)


def record_taken_less(session: Session, payment: Payment, paid: Money, *, now: datetime) -> None:
    """Record that somebody took only `paid` of an authorisation in the processor's dashboard; the payment is locked.

    The order stands as it was agreed, and the rest is credited, nobody is owed it, and staff ask why. It never came, so nobody
    is told that it goes back, and it leaves the clearing as it stands in each co-op's share of the processor's line.
    """
    bought = parts(session, payment.id)
    weights = _weights(bought)
    days, books = days_of(session, weights, now), ledger.books_of(session, weights)
    entries = []
    for (coop_id, price), share in zip(weights.items(), allocate(paid, list(weights.values())), strict=True):
        own = [part for part in bought if part.coop_id == coop_id]
        less = Money(price, payment.currency) - share
        for part, money in zip(own, allocate(less, [part.total.minor for part in own]), strict=True):
            if not money:
                continue
            amounts = over_components(Amounts(part.goods, part.premium, part.charges, part.tax), money)
            row = _new_refund(payment, coop_id=coop_id, subject=part.subject, kind="untaken", amounts=amounts, money=money,
                              reason=N_("Charged less at the card processor"), bearer="coop", actor=SYSTEM, now=now)  # fmt: skip
            row.provider_ref, row.state, row.paid_at = f"{payment.intent_id}#{part.subject}", "paid", now
            session.add(row)
            legs = tuple(replace(leg, credit="card_clearing") for leg in postings.refund_decided(amounts, part.subject))
            entries.append(
                Entry(books[coop_id], "payment.taken_less", f"refund:{row.id}:decided", days[coop_id], SYSTEM.label, legs)
            )
    session.flush()
    ledger.post(session, entries, late=True)


def _weights(bought: Sequence[PaymentPart]) -> dict[UUID, int]:
    """Return what each co-op is paid of these, in minor units."""
    weights: dict[UUID, int] = {}
    for part in bought:
        weights[part.coop_id] = weights.get(part.coop_id, 0) + part.total.minor
    return weights


def record_refund_elsewhere(session: Session, *, intent_id: str, answer: RefundAnswer, now: datetime) -> list[RefundView]:
    """Record a refund that somebody made in the processor's dashboard, over parts and components in proportion.

    It is a fact like ours, posted like ours; staff name reason and bearer afterwards (money.md 4.3). Does nothing the
    second time. Raises PaymentMissing, RefundTooLarge.
    """
    found = session.scalars(select(Payment.id).where(Payment.intent_id == intent_id)).one_or_none()
    if found is None:
        raise PaymentMissing("No payment of ours belongs to that refund.", intent_id=intent_id)
    payment = lock_one(session, Payment, found)
    if session.scalars(select(Refund.id).where(Refund.provider_ref == answer.provider_ref)).one_or_none():
        return []
    if answer.money.currency != payment.currency:
        raise WrongCurrency("The refund is in another currency than the payment.")
    bought = parts(session, payment.id)
    left = [refundable(session, payment_id=payment.id, subject=part.subject) for part in bought]
    if sum(rest.total.minor for rest in left) < answer.money.minor:
        raise RefundTooLarge("The processor gave back more than our records allow.", provider_ref=answer.provider_ref)
    made, entries = [], []
    shares = allocate(answer.money, [rest.total.minor for rest in left])
    days = days_of(session, [part.coop_id for part in bought], now)
    books = ledger.books_of(session, [part.coop_id for part in bought])
    for number, (part, rest, money) in enumerate(zip(bought, left, shares, strict=True)):
        if not money:
            continue
        amounts = over_components(rest, money)
        row = _new_refund(payment, coop_id=part.coop_id, subject=part.subject, kind="elsewhere", amounts=amounts, money=money,
                          reason=N_("Made at the card processor"), bearer="coop", actor=SYSTEM, now=now)  # fmt: skip
        row.provider_ref = answer.provider_ref if not number else f"{answer.provider_ref}#{number}"
        session.add(row)
        settle_refund(session, row, now)
        legs = (
            postings.refund_decided(amounts, part.subject) if is_held(session, books[part.coop_id], amounts, part.subject) else ()
        )
        legs = legs or (Leg("refund_cost", "refund_payable", money, part.subject),)  # the payee has earned it: the co-op bears it
        key = f"refund:{row.id}:decided"
        entries.append(Entry(books[part.coop_id], "refund.decided", key, days[part.coop_id], SYSTEM.label, legs))
        made.append(row)
    line = update(ProcessorLine).where(ProcessorLine.source == answer.provider_ref, ProcessorLine.state == "unknown")
    session.execute(line.values(state="new", problem=None))  # its line may have come before we knew
    ledger.post(session, entries, late=True)
    return [refund_view(row) for row in made]


def refund_by_bank(session: Session, *, refund_id: UUID, evidence: str, actor: Actor, now: datetime) -> RefundView:
    """Send a card refund by bank instead, because the card cannot take it: staff pay it, the bank's statement proves it.

    Only where the card's way has ended: `failed`, or `needs_person` with evidence that nothing went back; not while a dispute
    is open, nor what the buyer has through a lost one. Raises RefundUnderWay, PaymentDisputed, EvidenceNeeded.
    """
    row = lock_one(session, Refund, refund_id)
    if row.state not in ("failed", "needs_person") or row.method != "card":
        raise RefundUnderWay("This refund is under way or done. A second way would give the money back twice.", state=row.state)
    refuse_twice(session, session.get_one(Payment, row.payment_id))
    if not evidence.strip():
        raise EvidenceNeeded("Please say how you know that nothing went back to the card.", pointer="/evidence")
    before = {"method": row.method, "state": row.state}
    row.method, row.state, row.problem, row.paid_at = "transfer", "decided", None, None
    audit.record(
        session,
        actor=actor,
        action="payments.refund_by_bank",
        subject_kind="refund",
        subject_id=row.id,
        coop_id=row.coop_id,
        now=now,
        old=before,
        new={"method": "transfer", "evidence": evidence},
    )
    return refund_view(row)


def give_back_credit(session: Session, *, payment_id: UUID, actor: Actor, now: datetime) -> RefundView:
    """Decide to give back what lies in a buyer's credit: a surplus, a transfer that came too late, or too little and no more.

    A payment that waits for the rest ends with it. Posts `buyer_credit → refund_payable` (E09), so call it last in a unit;
    staff then send it by bank. Raises NothingToRefund.
    """
    row = lock_one(session, Payment, payment_id)
    bought = parts(session, payment_id)
    if not bought:
        raise PaymentMissing("There is no such payment here.")
    coop_id, account = bought[0].coop_id, credit_account(payment_id)
    credit = balance(session, ledger.book_of(session, coop_id), account, row.currency)
    if not credit:
        raise NothingToRefund("No money of the buyer waits here.")
    reason = N_("Paid without need")
    if row.state == State.PART_PAID:
        row.state, reason = State.CANCELLED, N_("The rest of the price did not come")
        outbox.announce(session, CLOSED, ids_of(view(row)), key=str(row.id))
    made = _new_refund(row, coop_id=coop_id, subject=row.subject_id, kind="surplus", money=credit,
                       reason=reason, bearer="coop", actor=actor, now=now)  # fmt: skip
    session.add(made)
    session.flush()
    outbox.announce(session, REFUND_DECIDED, {"refund_id": str(made.id)}, key=str(payment_id))
    _post_decided(session, made, (Leg(account, "refund_payable", credit, payment_id),), actor, now)
    return refund_view(made)
