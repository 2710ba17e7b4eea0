"""Payments, refunds and the card processor's statement, against a reference (kind, id) of whatever is paid for.

Tables: payment, payment_part, refund, transfer_receipt, processor_line, processor_share. Invariants: one live payment per
thing; what is given back never exceeds what was paid, in total and of each component (the database refuses it); a payment
is posted once, whoever sees it first.

How the others use it (`from market.payments import queries, service`; `Units` is `http.db.unit_of_work`, and the functions
that take it call the processor between two units, so they are called outside of any):

    service.open_payment(session, subject_kind="order", subject_id=..., parts=[PaymentPart(coop_id, seller_order_id, goods,
        premium, charges, tax)], method="card" | "transfer", title="Order FM-000001", expires_at=..., now=..., email=...,
        payer_account_id=...) -> PaymentView                     # in the unit that places the order
    service.start_checkout(Units, ports.cards, payment_id=..., return_url=".../{CHECKOUT_SESSION_ID}", cancel_url=..., now=...)
        -> PaymentView                                           # then redirect 303 to .checkout_url
    service.refresh(Units, ports.cards, payment_id=..., now=...) -> PaymentView   # return page; .is_paid, .is_open, .problem
    service.close(Units, ports.cards, payment_id=..., now=...)   # before an order is cancelled: it may just have been paid
    service.acknowledge(session, payment_id=..., now=...)        # by whoever marks the order paid, in the same unit
    service.refund(session, payment_id=..., subject=seller_order_id, amounts=Amounts(goods, premium, charges, tax), reason=...,
        bearer="coop" | "producer" | "carrier", actor=..., now=..., legs=())  # posts; after release the caller gives legs
    queries.refundable(session, payment_id=..., subject=...) -> Amounts           # a full refund is a refund of all that is left
    queries.live_payment / payments_of / payment / refunds_of / payment_by_reference / awaited_transfers

Statements: `service.record_transfer(session, payment_id=..., line_subject=..., amount=..., booked_on=..., now=..., suspense=
"suspense:1") -> Received(payment, coop_id, legs)`, `undo_transfer`, `record_bank_refund(...) -> legs`, `undo_bank_refund`.
Topics: `payments.paid`, `payments.closed` (payment_id, subject_kind, subject_id), `payments.surplus` (payment_id),
`payments.refunded` (refund_id, payment_id, subject_id), and what takes the last two back. `payments.paid` is announced again
until it is acknowledged.
Locks: orders before payments before the books. `refund` may follow a lock of the order; `refresh` and the tasks that mark
an order paid each have their own unit.
"""
