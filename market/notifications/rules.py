"""Kinds of mail, which of them a person may refuse, when a failed one is tried again."""

from datetime import timedelta

from market.kernel.words import N_

# Mails about one's own account and money are part of the contract; these groups may be refused.
TOPICS = {
    "orders": N_("news of my orders on their way"),
    "news": N_("what is new at the co-ops that I follow, at most once a day"),
    "selling": N_("orders for my goods"),
    "money": N_("payouts"),
    "desk": N_("work for staff"),
    "alarms": N_("a mail each day about money that waits too long"),
}
TOPIC_OF = {
    "order_shipped": "orders",
    "coop_news": "news",
    "packing_note": "selling",
    "weigh_note": "selling",
    "packing_changed": "selling",
    "packing_stopped": "selling",
    "packing_taken_back": "selling",
    "payout_settled": "money",
    "payout_unsettled": "money",
    "payout_came_back": "money",
    "payout_paid_after_all": "money",
    "payee_account_confirmed": "money",
    "payable_held": "money",
    "problem": "desk",
    "payee_account_entered": "desk",
    "refunded_elsewhere": "desk",
    "charged_less": "desk",
    "surplus_staff": "desk",
    "payout_trouble": "desk",
    "payout_stayed_paid": "desk",
    "payouts_stopped": "desk",
    "report_done": "desk",
    "alarm_overdue": "alarms",
    "alarm_account": "alarms",
    "alarm_unknown": "alarms",
    "alarm_stuck": "alarms",
    "alarm_file": "alarms",
    "alarm_draft": "alarms",
}
TRIES = 8


def retry_after(attempts: int) -> timedelta | None:
    """Return how long to wait after the given number of failed tries (1, 2, 4, ... minutes); None to give up."""
    return None if attempts >= TRIES else timedelta(minutes=2 ** (attempts - 1))
