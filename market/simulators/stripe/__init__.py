"""A Stripe of our own: a separate process that the real SDK speaks to over HTTP.

Why it exists: the product must run, be tested and be broken on purpose without an account at Stripe,
over the same gateway code that a real key uses (`money.md` 4.6). It is therefore a *server*, with its own
SQLite store and its own clock, and nothing in the product imports it.

    python -m market.simulators.stripe --port 4242 --data var/stripe \
        --webhook-url http://127.0.0.1:8000/hooks/stripe --webhook-secret whsec_demo --key sk_test_demo

What is in it: PaymentIntents, Checkout Sessions with a hosted page (`pages.py`), charges, refunds,
transfers and their reversals with a balance per connected account, recipient accounts, balance
transactions, automatic payouts, events, signed webhooks with retries, idempotency keys, faults on demand
(`control.py`), and an append-only log of every effect on money: the oracle of the fault tests.

Where it is simpler than Stripe: balances are kept per currency and never converted; funds are available
at once unless `--available-after` says otherwise; fees are 1.5 % plus 25 minor units (10000 costs 175).
Requests are checked against the SDK's own parameter types, so an upgrade of the SDK updates the checks.
"""
