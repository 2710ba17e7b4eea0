"""The door: passwords, sign-in, links by mail, and how a request's proof of identity becomes an `Actor`.

Owns `login_user` and `login_throttle`. Flask-Security-Too does what is easy to get wrong (hashes, signed links, timing);
`accounts` knows the person and never sees a password. Its views commit their own tables; nothing else here does.
"""

from market.http.login.door import (
    PASSWORD_LENGTH,
    choose_coop,
    coops_of,
    init_app,
    open_account,
    set_password_hash,
    sign_in,
    sign_out,
    sign_out_everywhere,
    sign_up,
    stand_down,
    stand_in,
)

__all__ = [
    "PASSWORD_LENGTH",
    "choose_coop",
    "coops_of",
    "init_app",
    "open_account",
    "set_password_hash",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "sign_up",
    "stand_down",
    "stand_in",
]
