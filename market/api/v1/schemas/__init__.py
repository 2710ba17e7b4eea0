"""Schemas of version 1: what a call takes and gives, never derived from tables."""
