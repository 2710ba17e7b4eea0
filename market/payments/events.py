"""What payments announce. Payloads are ids, as text."""

PAID = "payments.paid"  # payment_id, subject_kind, subject_id
AUTHORISED = "payments.authorised"  # payment_id, subject_kind, subject_id: kept on the card, not taken
AUTHORISATION_DECIDED = "payments.authorisation_decided"  # payment_id: it is to be taken, or let go
CLOSED = "payments.closed"  # payment_id, subject_kind, subject_id: failed, expired or cancelled without money
SURPLUS = "payments.surplus"  # payment_id: more money came than was waited for; it goes back
SURPLUS_TAKEN_BACK = "payments.surplus_taken_back"  # payment_id and times: a transfer of it was somebody else's
EVENT_STORED = "payments.event_stored"  # inbox_id: a webhook of the processor waits to be handled
REFUND_DECIDED = "payments.refund_decided"  # refund_id
DISPUTE_CHANGED = "payments.dispute_changed"  # dispute_id: a dispute was opened, or went on
REFUNDED = "payments.refunded"  # refund_id, payment_id, subject_id: the processor or the bank has it
REFUND_TAKEN_BACK = "payments.refund_taken_back"  # and times: a debit that had paid it was something else, so it is owed again
