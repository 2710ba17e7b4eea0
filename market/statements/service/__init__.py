"""Commands of statements, one file per use case."""

from market.statements.service.accounts import open_account
from market.statements.service.booking_rules import RULED, end_rule, make_rule, matches_of_rule
from market.statements.service.closing import Difference, check_days, close_period, differences, prepare_close, take_back_close
from market.statements.service.csv_formats import PREVIEW, mapping_from, mappings_of, save_mapping, try_mapping
from market.statements.service.deciding import (
    BOOKABLE,
    accept_suggestion,
    book_line,
    dismiss_suggestion,
    match_reference,
    park_line,
)
from market.statements.service.importing import Imported, confirm_file, discard_file, import_file
from market.statements.service.in_parts import paid_twice, pay_in_parts
from market.statements.service.keeping import file_of, unpacked
from market.statements.service.matching import (
    Matched,
    apply_slice,
    ask_for_matching,
    match_lines,
    plan_matching,
    run_matching,
)
from market.statements.service.preparing import Prepared, prepare_file
from market.statements.service.proposing import book_or_propose, decide_proposal, split_or_propose
from market.statements.service.reopening import decide_reopening, may_be_reopened, propose_reopening, withdraw_reopening
from market.statements.service.taking import read_file, receive_file, take_draft, take_file
from market.statements.service.together import Piece, accept_many, accept_several, exact_suggestions
from market.statements.service.undoing import undo_match

__all__ = [
    "BOOKABLE",
    "PREVIEW",
    "RULED",
    "Difference",
    "Imported",
    "Matched",
    "Piece",
    "Prepared",
    "accept_many",
    "accept_several",
    "accept_suggestion",
    "apply_slice",
    "ask_for_matching",
    "book_line",
    "book_or_propose",
    "check_days",
    "close_period",
    "confirm_file",
    "decide_proposal",
    "decide_reopening",
    "differences",
    "discard_file",
    "dismiss_suggestion",
    "end_rule",
    "exact_suggestions",
    "file_of",
    "import_file",
    "make_rule",
    "mapping_from",
    "mappings_of",
    "match_lines",
    "match_reference",
    "matches_of_rule",
    "may_be_reopened",
    "open_account",
    "paid_twice",
    "park_line",
    "pay_in_parts",
    "plan_matching",
    "prepare_close",
    "prepare_file",
    "propose_reopening",
    "read_file",
    "receive_file",
    "run_matching",
    "save_mapping",
    "split_or_propose",
    "take_back_close",
    "take_draft",
    "take_file",
    "try_mapping",
    "undo_match",
    "unpacked",
    "withdraw_reopening",
]
