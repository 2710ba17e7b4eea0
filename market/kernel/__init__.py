"""What every capability stands on: money, time, identity, refusals, transactions, messages.

The kernel knows no capability and no web framework. Its tables (outbox, inbox, idempotency keys, audit)
carry facts of all capabilities without knowing what they mean.
"""
