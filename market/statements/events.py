"""What statements announce. Payloads are ids: hints to look, not facts."""

IMPORTED = "statements.imported"
"""A file was imported and its lines wait to be matched: `money_account_id`."""

RECEIVED = "statements.received"
"""A large file was kept and waits to be read: `file_id`."""
