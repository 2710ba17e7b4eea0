"""Invoices and credit notes: frozen when they are issued, numbered without gaps, printed once (money.md 9)."""
