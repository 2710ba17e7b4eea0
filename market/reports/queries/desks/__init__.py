"""What each desk of the staff lists: one function per desk, each a SELECT with its filters, sortings and totals."""

from market.reports.queries.desks.bank import announced, balances_after, files, periods, postings, rules
from market.reports.queries.desks.goods import lots
from market.reports.queries.desks.membership import certificates, coops, keys, listings, members, payee_accounts, people
from market.reports.queries.desks.paying import cheques, owed, payouts, runs, shares
from market.reports.queries.desks.tables import (
    EDITIONS,
    floors,
    import_rows,
    imports,
    price_change,
    price_changes,
    price_rows,
    quotes,
    rates,
)
from market.reports.queries.desks.trade import (
    REFUND_STATES,
    RETURNED,
    WORTH,
    buyers,
    credits,
    disputes,
    orders,
    payments,
    refunds,
)
from market.reports.queries.desks.trail import audit, audit_entry, history, mails

__all__ = [
    "EDITIONS",
    "REFUND_STATES",
    "RETURNED",
    "WORTH",
    "announced",
    "audit",
    "audit_entry",
    "balances_after",
    "buyers",
    "certificates",
    "cheques",
    "coops",
    "credits",
    "disputes",
    "files",
    "floors",
    "history",
    "import_rows",
    "imports",
    "keys",
    "listings",
    "lots",
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
    "price_change",
    "price_changes",
    "price_rows",
    "quotes",
    "rates",
    "refunds",
    "rules",
    "runs",
    "shares",
]
