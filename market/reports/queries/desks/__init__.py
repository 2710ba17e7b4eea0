"""What each desk of the staff lists: one function per desk, each a SELECT with its filters, sortings and totals."""

from market.reports.queries.desks.bank import announced, files, periods, postings, rules
from market.reports.queries.desks.membership import certificates, coops, keys, listings, members, payee_accounts, people
from market.reports.queries.desks.paying import cheques, owed, payouts, runs, shares
from market.reports.queries.desks.tables import floors, imports, price_changes, price_rows, quotes, rates
from market.reports.queries.desks.trade import REFUND_STATES, RETURNED, WORTH, buyers, disputes, orders, payments, refunds
from market.reports.queries.desks.trail import audit, audit_entry, history, mails

__all__ = [
    "REFUND_STATES",
    "RETURNED",
    "WORTH",
    "announced",
    "audit",
    "audit_entry",
    "buyers",
    "certificates",
    "cheques",
    "coops",
    "disputes",
    "files",
    "floors",
    "history",
    "imports",
    "keys",
    "listings",
    "mails",
    "members",
    "orders",
    "owed",
    "payee_accounts",
    "payments",
    "payouts",
    "people",
    "periods",
    "postings",
    "price_changes",
    "price_rows",
    "quotes",
    "rates",
    "refunds",
    "rules",
    "runs",
    "shares",
]
