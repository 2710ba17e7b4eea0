"""Earnings beside sales."""
