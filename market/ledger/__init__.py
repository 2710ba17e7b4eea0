"""The books: accounts, transactions, postings, balances, periods (money.md 1). It knows nothing of orders.

Owns the `ledger_*` tables and `currency`. A posting moves a positive amount in one currency from a credit account to a debit
account, so each transaction balances by the shape of its rows. Rows are append-only; `service.post` and `service.post_selected`
are the only ways to write, through the database functions `ledger_post` and `ledger_post_set`: the application's role is granted
no other.
"""
