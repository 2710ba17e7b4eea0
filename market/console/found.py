"""What is wrong with a bank's file, by its stable code, in words for the person who has to do something about it.

The reader's own sentence names line and field in English, as the bank's support will want it; it stands beside these.
"""

from market.http.i18n import told
from market.kernel.words import N_

REFUSED = {
    "after_the_end": N_(
        "There is something after the end of the document: another file perhaps, or a line of text. Upload each document alone."
    ),
    "bad_amount": N_("An amount cannot be read, or is missing."),
    "bad_day": N_("A date cannot be read, or is missing."),
    "bad_line": N_("A line does not follow the format of the file."),
    "doctype": N_("The file holds instructions that no bank statement has. It may be dangerous."),
    "empty_file": N_("The file is empty."),
    "entry_too_large": N_("One entry is larger than any bank writes."),
    "file_too_large": N_("The file is too large. Ask your bank for one per month."),
    "investment": N_("This is the statement of an investment account. It holds no payments."),
    "line_too_long": N_("A line is longer than any bank writes."),
    "nested_too_deep": N_("The file is nested deeper than any bank statement."),
    "no_account": N_("A statement does not say which account it is of."),
    "no_statement": N_("There is no statement in the file."),
    "not_well_formed": N_("The file is damaged: it is no well-formed XML."),
    "nul_byte": N_("The file holds characters that no text has. It may be damaged."),
    "packed_file": N_("The file is packed. Unpack it and choose the statement inside."),
    "payment_status": N_("This is a report on payments, not a statement."),
    "too_many_lines": N_("The file has too many entries. Ask your bank for one per month."),
    "truncated": N_("The file is cut off. Download it again."),
    "unknown_currency": N_("A currency is missing or unknown."),
    "unknown_kind": N_("This is no statement in a format that we read."),
    "wrong_encoding": N_("The letters of the file cannot be read in the encoding that it names."),
}
NOTED = {
    "clamped_day": N_("A date does not exist and was read as the last day of its month."),
    "copy": N_("The bank marks it as a copy."),
    "currencies_disagree": N_("Account, balances and entries are in different currencies."),
    "day_to_come": N_("It goes on to a day that is far to come. Look at the year, or ask your bank."),
    "days_known": N_(
        "Its days are known already, and what was booked on them comes to nothing: it may be a statement that you have, under"
        " another number. If it is, lay it aside."
    ),
    "decimals_unclear": N_(
        "An amount can be read in two ways, one a thousand times the other. If the sums are wrong, say anew what the columns"
        " mean."
    ),
    "does_not_close": N_("Opening balance and entries do not give the closing balance."),
    "does_not_continue": N_("It does not open where the statement before closed."),
    "line_id_repeated": N_("The bank gave several entries one identifier."),
    "lines_alike": N_(
        "Bookings of the same days and amounts are here already: it may be a statement that you have, in another form of the"
        " bank. If it is, lay it aside; imported, they would be there twice."
    ),
    "no_booking_day": N_("An entry has no booking date."),
    "no_closing_balance": N_("It gives no closing balance."),
    "no_currency": N_("A balance does not name its currency."),
    "no_end": N_("The file does not say where it ends: it may be cut off. Compare it with what your bank shows."),
    "no_line_id": N_("Entries have no identifier of the bank."),
    "no_namespace": N_("The file does not name its format exactly."),
    "no_opening_balance": N_("It gives no opening balance."),
    "order": N_("Parts of the file are not in the order of the standard."),
    "running_balance": N_("The balances beside the entries do not fit the amounts."),
    "summary": N_("The bank's own count or sum differs from the entries."),
}


def found(code: str | None) -> str:
    """Return what a code says, in the reader's language; empty for one that has no words here."""
    short = (code or "").removeprefix("statements.")
    words = REFUSED.get(short) or NOTED.get(short)
    return told(words) if words else ""


def said_whole(code: str) -> bool:
    """Say whether the words of a code are all that there is to say: the finding's own text adds nothing to them."""
    return code in ("no_opening_balance", "no_closing_balance", "no_namespace")
