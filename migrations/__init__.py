"""The schema's history: numbered, linear, each step one transaction under a lock (rule M4)."""
