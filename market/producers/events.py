"""What this capability announces. Payloads are ids."""

PAYEE_ACCOUNT_ENTERED = "producers.payee_account_entered"
"""New details wait for a second person: payee_account_id, coop_id, producer_id."""

PAYEE_ACCOUNT_CONFIRMED = "producers.payee_account_confirmed"
"""From now on the producer is paid here, and is told so: payee_account_id, coop_id, producer_id."""

CERTIFICATE_CHANGED = "producers.certificate_changed"
"""A certificate counts from now on, or no longer does: certificate_id, coop_id."""

MEMBERSHIP_ENDED = "producers.membership_ended"
"""Somebody is no member any more, and sells nothing here: producer_id, coop_id."""

SHOWN_CHANGED = "producers.shown_changed"
"""A co-op, or one of its producers, is called or charges otherwise than cards and pages that are kept say: coop_id."""
