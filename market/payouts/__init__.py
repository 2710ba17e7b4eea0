"""Pay what is owed: runs prepared by one person and approved by another, payouts, attempts, files, cash receipts.

Tables: `payout_run`, `payout`, `payout_item`, `payout_attempt`, `payout_file`, `cash_receipt`.

Invariants (money.md 6.1, product.md law 5):
* a payable is in at most one live payout (partial unique index);
* whoever prepared a run cannot approve it (CHECK);
* the idempotency key and the reference are committed before a rail is called, and never change afterwards;
* an unknown outcome is resolved by asking or by the same key, never by a new one;
* only a statement line, or a signed receipt for cash, settles a payout: the answer of a rail alone does not.
"""
