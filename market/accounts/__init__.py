"""People: who they are, what roles they hold, which machines may act for them.

Owns `account`, `account_role`, `api_key`. Credentials live at the door (`market.http.login`); this package never sees a
password. An account's e-mail is unique without regard to case. A role of staff is held for one co-op.
"""
