"""What is owed to a payee, from whatever raised it: one row per source, paid whole or split, never edited.

Table: `payable`. Invariants: one row per source, kind and part; amount, payee and source never change (trigger); the open
and taken rows of a payee add up to the ledger's `payable:<payee>` (money.md 1.6). Who pays is not known here: a payout
run *takes* rows, and gives them back or has them paid.
"""
