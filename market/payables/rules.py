"""What is owed, in words: every kind that a payable can be of, and what each comes from."""

from market.kernel.words import N_

KINDS = {
    "sale": N_("goods sold"),
    "delivery": N_("goods delivered"),
    "advance": N_("advance"),
    "correction": N_("correction"),
    "conversion": N_("conversion between currencies"),
    "second_payment": N_("second payment"),
    "patronage": N_("patronage refund"),
    "opening": N_("opening balance"),
}
SOURCES = {
    "seller_order": N_("order"),
    "delivery": N_("weigh slip"),
    "advance": N_("advance"),
    "payable_correction": N_("correction"),
    "fx_conversion": N_("conversion between currencies"),
    "distribution_share": N_("sharing out"),
    "opening_balance": N_("opening balance"),
}
