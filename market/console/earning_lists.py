"""The lists of what members earn and owe beside sales, each with its history beside an open record."""

from flask_babel import lazy_gettext as _l

from market.console.lists import Column, Desk, Filter, Words
from market.console.words import options
from market.http.i18n import show_percent, show_quantity
from market.reports.queries import earnings as sources

PROPOSED: Words = {"proposed": (_l("proposed"), "warn"), "declined": (_l("declined"), "")}
ADVANCES: Words = {**PROPOSED, "granted": (_l("granted"), "info"), "recovered": (_l("recovered"), "good")}
BOOKED: Words = {**PROPOSED, "booked": (_l("booked"), "good")}
HELD: Words = {"held": (_l("held back"), "warn"), "ended": (_l("ended"), "")}
SHARED: Words = {"second_payment": (_l("second payment"), ""), "patronage": (_l("patronage refund"), "")}
DAYS = (Filter("from", _l("From"), "day"), Filter("to", _l("To"), "day"))
LARGEST = ("largest", _l("largest amount first"))
NEWEST = ("newest", _l("newest first"))


SLIPS = Desk(
    name="slips",
    title=_l("Weigh slips"),
    endpoint="console_earnings.slips",
    source=sources.slips,
    columns=(
        Column("slip", _l("Slip"), "link"),
        Column("member", _l("Member")),
        Column("delivered_on", _l("Delivered"), "day"),
        Column("pool", _l("Pool")),
        Column("net", _l("Net weight"), "number", make=lambda row: f"{show_quantity(row.net)} {row.unit}"),
        Column("price", _l("Price"), "price"),
        Column("amount_minor", _l("Worth"), "money"),
    ),
    filters=(Filter("q", _l("Slip or member")), Filter("pool", _l("Pool")), Filter("amount", _l("Worth"), "amount"), *DAYS),
    sortings=(NEWEST, LARGEST),
    kind="delivery",
    empty=_l("Enter what a member handed in; it is owed at once, and part of it recovers old advances."),
)
ADVANCE_LIST = Desk(
    name="advances",
    title=_l("Advances"),
    endpoint="console_earnings.advances",
    source=sources.advances,
    columns=(
        Column("member", _l("Member"), "link"),
        Column("reason", _l("For what")),
        Column("amount_minor", _l("Amount"), "money"),
        Column("left_minor", _l("Remaining"), "money"),
        Column("cap_percent", _l("At most of a payment"), "number", make=lambda row: show_percent(row.cap_percent / 100)),
        Column("state", _l("State"), "state", ADVANCES),
    ),
    filters=(Filter("q", _l("Member or reason")), Filter("state", _l("State"), "choice", options(ADVANCES)), *DAYS),
    sortings=(NEWEST, LARGEST),
    kind="advance",
    empty=_l("An advance is paid in the next run and comes back out of later payments, never more than the part you set."),
)
HOLDS = Desk(
    name="holds",
    title=_l("Holds"),
    endpoint="console_earnings.holds",
    source=sources.holds,
    columns=(
        Column("member", _l("Member"), "link"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("reason", _l("Reason")),
        Column("appeal", _l("How to appeal")),
        Column("ends_on", _l("Until"), "day"),
        Column("state", _l("State"), "state", HELD),
    ),
    filters=(
        Filter("q", _l("Member or reason")),
        Filter("state", _l("State"), "choice", (*options(HELD), ("all", _l("all"))), default="held"),
        *DAYS,
    ),
    kind="payable_hold",
    empty=_l("A hold needs a reason, an end, and a way to appeal. It ends by itself."),
)
CORRECTIONS = Desk(
    name="corrections",
    title=_l("Corrections"),
    endpoint="console_earnings.corrections",
    source=sources.corrections,
    columns=(
        Column("member", _l("Member"), "link"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("reason", _l("Reason")),
        Column("proposed_at", _l("Proposed"), "instant"),
        Column("state", _l("State"), "state", BOOKED),
    ),
    filters=(Filter("q", _l("Member or reason")), Filter("state", _l("State"), "choice", options(BOOKED)), *DAYS),
    sortings=(NEWEST, LARGEST),
    kind="payable_correction",
    empty=_l("A correction changes what a member is owed, with a reason and a second person."),
)
SHARES = Desk(
    name="shares",
    title=_l("Shares of a result"),
    endpoint="console_earnings.shares",
    source=sources.shares,
    columns=(
        Column("name", _l("Name"), "link"),
        Column("kind", _l("Kind"), words=SHARED),
        Column("pool", _l("Pool")),
        Column("starts_on", _l("Deliveries from"), "day"),
        Column("ends_on", _l("to"), "day"),
        Column("amount_minor", _l("Amount"), "money"),
        Column("cash_percent", _l("In cash"), "number", make=lambda row: show_percent(row.cash_percent / 100)),
        Column("minutes", _l("Decided in")),
        Column("state", _l("State"), "state", BOOKED),
    ),
    filters=(
        Filter("q", _l("Name or pool")),
        Filter("kind", _l("Kind"), "choice", options(SHARED)),
        Filter("state", _l("State"), "choice", options(BOOKED)),
    ),
    sortings=(NEWEST, LARGEST),
    kind="distribution",
    empty=_l("What the members decided is shared by what each delivered, to the last cent."),
)
DESKS = {desk.name: desk for desk in (SLIPS, ADVANCE_LIST, HOLDS, CORRECTIONS, SHARES)}
