"""The rules of provenance: pure functions, no database."""
