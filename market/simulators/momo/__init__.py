"""A mobile-money provider of our own: a separate process that answers as MTN MoMo's disbursement API does.

    python -m market.simulators.momo --port 4250 --data var/momo --user market --key secret

What is in it: tokens, transfers under the caller's own reference (202, then PENDING until it is decided; 409 for a reference
seen before; 404 for one never seen), names of wallets, a float, callbacks, a statement of the float as CSV, faults on demand,
and an append-only log of every effect on money: the oracle of the fault tests. Nothing in the product imports it.

Numbers that end like the provider's own test numbers behave so: ...50 fails, ...51 is rejected at once, ...54 stays pending.
"""
