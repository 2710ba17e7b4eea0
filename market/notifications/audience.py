"""Who hears of a fact, in which kind of mail, with which facts in it. One function per topic, each reads and returns.

`link` names the page that the mail leads to; the edge, which knows addresses and keys, makes a URL of it.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.accounts import queries as accounts
from market.accounts.queries import Person
from market.desks import queries as desks
from market.earnings import queries as earnings
from market.kernel.money import Money
from market.notifications.of_payouts import OF_PAYOUTS
from market.notifications.of_withdrawals import OF_WITHDRAWALS
from market.notifications.telling import Payload, Teller, Telling, as_instant, as_money, person_of, staff_of, to_person
from market.orders import change_queries as changes
from market.orders import queries as orders
from market.orders.queries import OrderView, SellerPart, TransferInstructions
from market.payments import queries as payments
from market.payouts import queries as payouts
from market.producers import queries as producers
from market.provenance import withdrawal_queries as withdrawals


def _letter(session: Session, payload: Payload) -> list[Telling]:
    person = accounts.person(session, UUID(payload["account_id"]))
    return [
        to_person(person, fact=f"letter:{payload['letter_id']}", kind=payload["kind"], link=payload.get("link", ""), facts={})
    ]


def _buyer(order: OrderView, fact: str, kind: str, **facts: Any) -> Telling:
    link = ("order", str(order.id))
    return Telling(
        fact, kind, order.email, order.name, order.locale, order.account_id, link, {"number": str(order.number)} | facts
    )


def _placed(session: Session, payload: Payload) -> list[Telling]:
    order = orders.order(session, UUID(payload["order_id"]))
    transfer = orders.transfer_instructions(session, order) if order.method == "transfer" else None
    if transfer is None:
        return []
    return [_buyer(order, f"order:{order.id}:placed", "order_placed", **_how_to_pay(order, transfer))]


def _how_to_pay(order: OrderView, transfer: TransferInstructions) -> dict[str, Any]:
    return {
        "total": as_money(transfer.amount),
        "holder": transfer.holder,
        "iban": transfer.iban,
        "reference": transfer.reference,
        "until": as_instant(order.expires_at),
    }


def _unpaid(session: Session, payload: Payload) -> list[Telling]:
    """Tell that a payment was somebody else's, unless the order has been paid since: then the next mail says what holds."""
    order, times = orders.order(session, UUID(payload["order_id"])), payload["times"]
    if order.state == "paid" or str(order.times_taken_back) != times:
        return []
    transfer = orders.transfer_instructions(session, order) if order.state == "placed" else None
    told = [_buyer(order, f"order:{order.id}:unpaid:{times}", "order_unpaid", **_how_to_pay(order, transfer))] if transfer else []
    for part in order.parts:
        person = person_of(session, part.producer_id)
        if person is not None:
            fact, link = f"seller_order:{part.id}:unpaid:{times}", ("packing_note", str(part.id))
            told.append(to_person(person, fact=fact, kind="packing_taken_back", link=link, facts={"number": part.number}))
    return told


def _again(order: OrderView) -> str:
    """Return what makes a payment after one that was taken back another fact than the first."""
    return f":{order.times_taken_back}" if order.times_taken_back else ""


def _paid(session: Session, payload: Payload) -> list[Telling]:
    order = orders.order(session, UUID(payload["order_id"]))
    if order.state != "paid":
        return []  # the payment was taken back before anybody was told
    rows = [
        [{"part": [line.title, piece.label]}, as_money(line.charged(piece))]
        for part in order.parts
        for line in part.lines
        if line.unsent < line.quantity and line.replaces_id is None  # what came instead since is no part of what was paid
        for piece in line.parts
    ]
    told = [
        _buyer(
            order,
            f"order:{order.id}:paid{_again(order)}",
            "receipt",
            total=as_money(order.charged),
            rows=rows,
            attach_invoices=str(order.id),
        )
    ]
    for part in order.parts:
        if part.packed_at is not None or not _to_send(part):
            continue  # they packed it before it was charged, or nothing of it is left to send
        person = person_of(session, part.producer_id)
        if person is not None:
            told.append(_packing_note(order, part, person))
    return told


def _packing_note(order: OrderView, part: SellerPart, person: Person) -> Telling:
    address = f"{order.name}, {order.street} {order.building}, {order.postcode} {order.town}, {order.country}"
    facts = {
        "number": part.number,
        "goods": as_money(part.goods),
        "address": " ".join(address.split()),
        "rows": _to_send(part),
    }
    return to_person(
        person,
        fact=f"seller_order:{part.id}:paid{_again(order)}",
        kind="packing_note",
        link=("packing_note", str(part.id)),
        facts=facts,
    )


def _to_send(part: SellerPart) -> list[list[Any]]:
    """Return what is to be sent as it is when the letter is written: a worker may be late, and lines change before dispatch."""
    left = [(line, line.quantity - line.returned) for line in part.lines if line.quantity > line.returned]
    return [[line.title, {"quantity": [f"{quantity.normalize():f}", line.unit]}] for line, quantity in left]


def _authorised(session: Session, payload: Payload) -> list[Telling]:
    order = orders.order(session, UUID(payload["order_id"]))
    told = [_buyer(order, f"order:{order.id}:authorised", "order_authorised", total=as_money(order.total))]
    for part in order.parts:
        person = person_of(session, part.producer_id)
        if person is not None:
            told.append(replace(_packing_note(order, part, person), fact=f"seller_order:{part.id}:authorised", kind="weigh_note"))
    return told


def _of_part(session: Session, payload: Payload) -> tuple[OrderView, SellerPart]:
    seller_order_id = UUID(payload["seller_order_id"])
    order_id, _ = orders.belonging_of(session, seller_order_id)
    order = orders.order(session, order_id)
    return order, next(part for part in order.parts if part.id == seller_order_id)


def _shipped(session: Session, payload: Payload) -> list[Telling]:
    order, part = _of_part(session, payload)
    day = {"day": part.release_on.isoformat()} if part.release_on else ""
    facts = {"producer": part.producer, "tracking": part.tracking or "", "release_on": day}
    return [_buyer(order, f"seller_order:{part.id}:shipped", "order_shipped", **facts)]


def _refunded(session: Session, payload: Payload) -> list[Telling]:
    order, part = _of_part(session, payload)
    given = Money(int(payload.get("minor", part.refunded.minor)), part.refunded.currency)
    if not given:
        facts = {"less": as_money(part.unsent), "attach_credit": str(part.id)}
        less = _buyer(order, f"seller_order:{part.id}:charged_less", "order_charged_less", **facts)
        return [less] if part.unsent else []
    # The sum names the fact: a second refund of the same part is another one, and tells what comes this time.
    fact = f"seller_order:{part.id}:refunded:{payload.get('upto', part.refunded.minor)}"
    return [_buyer(order, fact, "order_refunded", refunded=as_money(given), attach_credit=str(part.id))]


def _changed(session: Session, payload: Payload) -> list[Telling]:
    """Tell the producer what is to be sent now: the packing note that they have is not right any more."""
    part = orders.seller_order(session, UUID(payload["seller_order_id"]))
    person = person_of(session, part.producer_id)
    if person is None:
        return []
    rows = _to_send(part)
    fact = f"seller_order:{part.id}:changed:{payload['change_id']}"
    kind = "packing_changed" if rows else "packing_stopped"
    gone = bool(withdrawals.in_force(session, [line.lot_id for line in part.lines]))
    facts = {"number": part.number, "rows": rows, "withdrawn": gone}
    return [to_person(person, fact=fact, kind=kind, link=("packing_note", str(part.id)), facts=facts)]


def _substitute_offered(session: Session, payload: Payload) -> list[Telling]:
    order, part = _of_part(session, payload)
    asked = changes.substitution(session, UUID(payload["substitution_id"]))
    (old,) = (line.title for line in part.lines if line.id == asked.line_id)
    goods = {"quantity": [f"{asked.quantity.normalize():f}", asked.unit, asked.title]}
    return [_buyer(order, f"substitution:{asked.id}", "order_substitute", producer=part.producer, old=old, goods=goods)]


def _refund_arrived(session: Session, payload: Payload) -> list[Telling]:
    refund = payments.refund(session, UUID(payload["refund_id"]))
    payment = payments.payment(session, refund.payment_id)
    if payment.subject_kind != "order":
        return []
    order = orders.order(session, payment.subject_id)
    # By another way after a failure, or paid anew after it turned out not to be, it is another fact.
    again = f":{refund.times_taken_back}" if refund.times_taken_back else ""
    fact = f"refund:{refund.id}:{refund.method}{again}"
    return [_buyer(order, fact, "refund_arrived", refunded=as_money(refund.money), reference=refund.reference)]


def _refund_taken_back(session: Session, payload: Payload) -> list[Telling]:
    """Tell that a refund was not sent after all, unless it has been since: then the next mail says what holds."""
    refund, times = payments.refund(session, UUID(payload["refund_id"])), payload["times"]
    payment = payments.payment(session, refund.payment_id)
    if refund.state == "paid" or str(refund.times_taken_back) != times or payment.subject_kind != "order":
        return []
    order = orders.order(session, payment.subject_id)
    facts = {"refunded": as_money(refund.money), "reference": refund.reference}
    return [_buyer(order, f"refund:{refund.id}:taken_back:{times}", "refund_not_sent", **facts)]


def _surplus(session: Session, payload: Payload) -> list[Telling]:
    payment = payments.payment(session, UUID(payload["payment_id"]))
    if payment.subject_kind != "order":
        return []
    order = orders.order(session, payment.subject_id)
    times = payments.transfers_taken_back(session, payment.id)
    fact = f"payment:{payment.id}:surplus:{payment.received.minor}{f':{times}' if times else ''}"
    number = str(order.number)
    told = [_buyer(order, fact, "surplus")]
    for coop_id in dict.fromkeys(part.coop_id for part in order.parts):
        facts = {"number": number, "by_hand": payment.method == "transfer"}
        told += [
            to_person(person, fact=fact, kind="surplus_staff", link=("payments", ""), facts=facts)
            for person in staff_of(session, coop_id)
        ]
    return told


def _surplus_taken_back(session: Session, payload: Payload) -> list[Telling]:
    """Tell the buyer that what was said to go back to them was somebody else's."""
    payment = payments.payment(session, UUID(payload["payment_id"]))
    if payment.subject_kind != "order":
        return []
    order = orders.order(session, payment.subject_id)
    return [_buyer(order, f"payment:{payment.id}:surplus_taken_back:{payload['times']}", "surplus_taken_back")]


def _cancelled(session: Session, payload: Payload) -> list[Telling]:
    order = orders.order(session, UUID(payload["order_id"]))
    papers = {"attach_ended": str(order.id)} if order.times_taken_back else {}
    gone = withdrawals.in_force(session, [line.lot_id for part in order.parts for line in part.lines])
    why = " ".join(sorted({view.reason for view in gone.values()}))
    return [_buyer(order, f"order:{order.id}:cancelled", "order_cancelled", withdrawn=why, **papers)]


def _problem(session: Session, payload: Payload) -> list[Telling]:
    part = orders.seller_order(session, UUID(payload["seller_order_id"]))
    link = ("staff_order", str(part.id))
    facts: dict[str, Any] = {"number": part.number}
    kind, fact = "refunded_elsewhere", f"elsewhere:{part.refunded.minor}"
    if part.problem == "paid_short_of_stock":
        kind, fact = "problem", "problem"
    elif part.problem == "charged_less":
        kind, fact = "charged_less", "charged_less"
        facts["charged"] = as_money(part.charged)
    else:
        facts["refunded"] = as_money(part.refunded)
    return [
        to_person(person, fact=f"seller_order:{part.id}:{fact}", kind=kind, link=link, facts=facts)
        for person in staff_of(session, part.coop_id)
    ]


def _payee_entered(session: Session, payload: Payload) -> list[Telling]:
    coop_id, producer = UUID(payload["coop_id"]), producers.producer(session, UUID(payload["producer_id"]))
    fact = f"payee_account:{payload['payee_account_id']}:entered"
    return [
        to_person(person, fact=fact, kind="payee_account_entered", link=("payee_accounts", ""), facts={"producer": producer.name})
        for person in staff_of(session, coop_id)
    ]


def _payee_confirmed(session: Session, payload: Payload) -> list[Telling]:
    person = person_of(session, UUID(payload["producer_id"]))
    if person is None:
        return []
    rows = producers.live_payee_accounts(session, UUID(payload["coop_id"]))
    account = next((row for row in rows if str(row.id) == payload["payee_account_id"]), None)
    if account is None:
        return []
    shown = f"{account.holder}, {account.iban[:4]} … {account.iban[-4:]}" if account.iban else f"{account.holder}, {account.rail}"
    fact = f"payee_account:{account.id}:confirmed"
    return [to_person(person, fact=fact, kind="payee_account_confirmed", link="", facts={"account": shown})]


def _payable_held(session: Session, payload: Payload) -> list[Telling]:
    hold = earnings.hold(session, UUID(payload["hold_id"]))
    person = person_of(session, hold.producer_id)
    if person is None:
        return []
    facts = {
        "amount": as_money(hold.money),
        "until": {"day": hold.ends_on.isoformat()},
        "reason": hold.reason,
        "appeal": hold.appeal,
    }
    return [to_person(person, fact=f"hold:{hold.id}", kind="payable_held", link=("money", ""), facts=facts)]


def _report_done(session: Session, payload: Payload) -> list[Telling]:
    job = desks.job(session, UUID(payload["job_id"]))
    person = accounts.person(session, job.account_id)
    facts = {"file": job.file_name, "rows_written": f"{job.done}"}
    return [to_person(person, fact=f"report:{job.id}", kind="report_done", link=("report_lists", ""), facts=facts)]


def coops(session: Session, payload: Payload) -> list[UUID]:
    """Return the co-ops whose business a fact is; none for a letter about somebody's own account."""
    if "coop_id" in payload:
        return [UUID(payload["coop_id"])]
    if "seller_order_id" in payload:
        return [orders.belonging_of(session, UUID(payload["seller_order_id"]))[1]]
    if "payout_id" in payload:
        return [payouts.payout(session, UUID(payload["payout_id"])).coop_id]
    if "hold_id" in payload:
        return [earnings.hold(session, UUID(payload["hold_id"])).coop_id]
    if "order_id" in payload and "withdrawal_id" not in payload:
        return sorted({part.coop_id for part in orders.order(session, UUID(payload["order_id"])).parts})
    if "payment_id" in payload:
        return sorted({part.coop_id for part in payments.parts(session, UUID(payload["payment_id"]))})
    if "withdrawal_id" in payload:
        return [withdrawals.withdrawal(session, UUID(payload["withdrawal_id"])).coop_id]
    if "job_id" in payload:
        return [desks.job(session, UUID(payload["job_id"])).coop_id]
    return []


TELLERS: dict[str, Teller] = (
    OF_PAYOUTS
    | OF_WITHDRAWALS
    | {
        "accounts.letter": _letter,
        "desks.report_done": _report_done,
        "orders.placed": _placed,
        "orders.paid": _paid,
        "orders.unpaid": _unpaid,
        "orders.shipped": _shipped,
        "orders.refunded": _refunded,
        "orders.changed": _changed,
        "orders.substitute_offered": _substitute_offered,
        "orders.authorised": _authorised,
        "orders.cancelled": _cancelled,
        "orders.problem": _problem,
        "payments.refunded": _refund_arrived,
        "payments.refund_taken_back": _refund_taken_back,
        "payments.surplus": _surplus,
        "payments.surplus_taken_back": _surplus_taken_back,
        "producers.payee_account_entered": _payee_entered,
        "producers.payee_account_confirmed": _payee_confirmed,
        "earnings.held": _payable_held,
    }
)
