"""Inbound webhooks: verify, store once, answer."""
