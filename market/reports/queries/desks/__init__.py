"""What each desk of the staff lists: one function per desk, each a SELECT with its filters, sortings and totals."""

from market.reports.queries.desks.bank import periods
from market.reports.queries.desks.membership import certificates, listings, members, people
from market.reports.queries.desks.paying import cheques, payouts, runs
from market.reports.queries.desks.tables import price_changes, price_rows
from market.reports.queries.desks.trade import REFUND_STATES, RETURNED, WORTH, buyers, disputes, orders, refunds
from market.reports.queries.desks.trail import audit, audit_entry, history, mails

__all__ = [
    "REFUND_STATES",
    "RETURNED",
    "WORTH",
    "audit",
    "audit_entry",
    "buyers",
    "certificates",
    "cheques",
    "disputes",
    "history",
    "listings",
    "mails",
    "members",
    "orders",
    "payouts",
    "people",
    "periods",
    "price_changes",
    "price_rows",
    "refunds",
    "runs",
]
