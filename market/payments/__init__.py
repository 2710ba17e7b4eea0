"""Payments and refunds against a reference (kind, id) of whatever is paid for; posts to the ledger."""
