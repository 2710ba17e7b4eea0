"""The read-only switch of the whole site: while an administrator has set it, reading goes on and every write is refused.

Asked of the database at most every two seconds per process, so that it costs an order nothing. Signing in and out stays
possible, or nobody could take the switch back; workers go on with what was accepted before.
"""

from datetime import datetime, timedelta

from flask import Flask, current_app, request

from market.desks import queries
from market.desks.queries import Switch
from market.http.clock import now
from market.http.db import reading
from market.kernel.errors import Unavailable
from market.kernel.words import say

FRESH = timedelta(seconds=2)
STILL_TAKEN = frozenset({"security.login", "security.logout", "security.verify", "console_site.set_switch"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class SiteReadOnly(Unavailable):
    """The site takes no writes at present; nothing that was sent is lost at the sender's, and it can be sent again."""

    code = "site.read_only"


def current() -> Switch:
    """Return the switch as it was within the last two seconds; in tests as it is."""
    kept: tuple[datetime, Switch] | None = current_app.extensions.get("site_switch")
    instant = now()
    if kept is not None and not current_app.testing and instant - kept[0] < FRESH:
        return kept[1]
    with reading() as connection:
        found = queries.switch_now(connection)
    current_app.extensions["site_switch"] = (instant, found)
    return found


def forget() -> None:
    """Ask the database again at once: the switch was just turned in this process."""
    current_app.extensions.pop("site_switch", None)


def _refuse_writes() -> None:
    if request.method in _READS or request.endpoint is None or request.endpoint in STILL_TAKEN:
        return
    switch = current()
    if switch.read_only:
        raise SiteReadOnly(
            say(
                "The site can be read and takes no changes at present: %(reason)s Please send it again later.",
                reason=switch.reason,
            )
        )


def init_app(app: Flask) -> None:
    """Refuse writes while the switch is set, after it is known who calls, and let working areas say so before."""
    app.before_request(_refuse_writes)
    app.jinja_env.globals["site_switch"] = current
