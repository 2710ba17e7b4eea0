"""Readers of the formats in which banks say what happened (money.md 7): bytes in, lines and statements out."""
