"""The books: accounts, transactions, postings, balances, periods (money.md 1). It knows nothing of orders.

Owns the `ledger_*` tables and `currency`. A posting moves a positive amount in one currency from a credit account to a debit
account, so each transaction balances by the shape of its rows. Rows are append-only; `service.post` through the
database function `ledger_post` is the only way to write, and the application's role is granted nothing else.
"""
