"""Co-ops, their producers and members, where payees are paid, and certificates.

Owns `coop`, `producer`, `member`, `payee_account`, `certificate`. A co-op is the tenant: every row of its own carries
`coop_id` and is hidden from other co-ops by row-level security. A payee account counts only after a second person
has confirmed it; it is never edited, a new one replaces it.
"""
