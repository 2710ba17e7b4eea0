"""What this capability announces."""

LETTER = "accounts.letter"
"""A letter to a person about their own account is to be written: letter_id (one per letter, so that a task that runs
twice writes once), account_id, kind (confirm, already_registered, reset, password_changed, invited) and the link that
they are to follow, empty where there is none."""
