"""Nobody empties the shelves without paying, or has strangers written to: how many orders one may place, and leave unpaid."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import direct
from market.kernel.money import Money, exponent
from market.kernel.words import say
from market.orders.errors import TooManyOrders, TooMuchUnpaid
from market.orders.rules import SHARED, Limits

WINDOW = timedelta(hours=1)
_LONGEST = timedelta(days=60)  # no transfer is waited for longer than the 31 days that a co-op may choose


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the edge sees it: the limits of the site, and a keyed hash of the network address (None: not counted)."""

    limits: Limits
    address: bytes | None = None


# An account's orders count for the account alone; those of guests for their e-mail address and their network address. These
# are two look-ups, never one with OR: planned while the table is empty, that reads a whole index, for as long as the
# connection lives and nobody has analysed the table.
_STANDING = """
SELECT count(*) FILTER (WHERE mine AND placed_at > %(hour)s) AS lately, count(*) FILTER (WHERE NOT mine AND placed_at > %(hour)s),
  count(*) FILTER (WHERE mine AND waits), count(*) FILTER (WHERE waits),
  coalesce(sum(total_minor) FILTER (WHERE mine AND waits AND currency = %(currency)s), 0),
  count(*) FILTER (WHERE email = %(email)s AND unpaid AND placed_at > %(hour)s)
FROM ({own}) AS own
"""
_OWN = """
SELECT placed_at, total_minor, currency, method = 'transfer' AND state = 'placed' AS waits, {mine} AS mine,
  email, state IN ('placed', 'cancelled') AS unpaid
  FROM orders WHERE {whose} AND placed_at > %(since)s
"""
_OF_ACCOUNT = _STANDING.format(own=_OWN.format(mine="true", whose="account_id = %(account)s"))
_BY_EMAIL = _OWN.format(mine="true", whose="account_id IS NULL AND email = %(email)s")
_BY_ADDRESS = _OWN.format(mine="false", whose="account_id IS NULL AND placed_from = %(address)s AND email <> %(email)s")
_OF_GUEST = _STANDING.format(own=f"{_BY_EMAIL} UNION ALL {_BY_ADDRESS}")


def refuse_too_much(
    session: Session, caller: Caller, *, account_id: UUID | None, email: str, method: str, total: Money, now: datetime
) -> None:
    """Refuse one more order of somebody who has placed or left unpaid as much as the limits allow.

    Orders placed at the same moment do not see each other, so a burst may pass by as many as the site has threads. Raises
    TooManyOrders, TooMuchUnpaid.
    """
    limits, guest = caller.limits, account_id is None
    if not any((limits.unpaid, limits.per_email, guest and (limits.per_address or limits.unpaid_value))):
        return
    asked: dict[str, object] = {"account": account_id, "email": email, "address": caller.address, "currency": total.currency}
    asked |= {"hour": now - WINDOW, "since": now - _LONGEST}
    row = direct.run(session, _OF_GUEST if guest else _OF_ACCOUNT, asked)[0]
    lately, beside, unpaid, unpaid_here, value, not_paid = (int(number) for number in row)
    if guest and (_reached(lately, limits.per_email) or _reached(lately + beside, limits.per_address)):
        raise TooManyOrders(
            "Too many orders without an account came from here within the hour. Sign in to order, or try again in an hour.",
            retry_after=int(WINDOW.total_seconds()),
        )
    # The address need not be the account's own, and each order that waits or ends unpaid is a letter to it.
    if _reached(not_paid, limits.per_email):
        raise TooManyOrders(
            "Too many orders for this e-mail address were left unpaid within the hour. Pay one, or try again in an hour.",
            retry_after=int(WINDOW.total_seconds()),
        )
    if method != "transfer":
        return
    if _reached(unpaid, limits.unpaid) or _reached(unpaid_here, limits.unpaid * SHARED):
        raise TooMuchUnpaid(
            "As many of your orders wait for a bank transfer as may wait at a time. Pay or cancel one first, or pay by card."
        )
    most = Money(limits.unpaid_value * 10 ** exponent(total.currency), total.currency)
    if guest and most and value + total.minor > most.minor:
        raise TooMuchUnpaid(
            say(
                "Without an account, orders that wait for a transfer may come to %(most)s together. Pay by card, or sign in.",
                most=most,
            )
        )


def _reached(count: int, limit: int) -> bool:
    return bool(limit) and count >= limit
