"""One table: queues, which tasks go where, which modules hold them. A meta-test checks that nothing is forgotten."""

from kombu import Queue

# name -> why it is a queue of its own
NAMES = {
    "default": "short work that nobody waits for",
    "money": "payments and payouts: never behind mail or imports",
    "mail": "slow servers of others must not hold anything up",
    "files": "imports and matching that take minutes",
}
QUEUES = [Queue(name) for name in NAMES]
ROUTES = {
    "orders.*": {"queue": "money"},
    "payments.*": {"queue": "money"},
    "payouts.*": {"queue": "money"},
    "earnings.*": {"queue": "money"},
    "notifications.*": {"queue": "mail"},
    "statements.*": {"queue": "files"},
    "desks.*": {"queue": "files"},
    "provenance.capture": {"queue": "files"},
}
MODULES = (
    "workers.catalogue",
    "workers.earnings",
    "workers.desks",
    "workers.invoices",
    "workers.notifications",
    "workers.orders",
    "workers.outbox",
    "workers.payments",
    "workers.payouts",
    "workers.provenance",
    "workers.statements",
)
