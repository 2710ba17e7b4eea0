"""Reads of statements: accounts with their running figures, files, lines with what may explain them, rules, closes."""

from market.statements.queries.accounts import AccountView, CloseView, Figures, account, accounts, check, close, closes, figures
from market.statements.queries.files import FileView, SameFile, file, file_body, files, same_file
from market.statements.queries.lines import (
    STATES,
    LineView,
    MatchView,
    ProposalView,
    SuggestionView,
    line,
    line_of_proposal,
    lines,
    lines_of_payout,
    open_beside,
)
from market.statements.queries.rules import RuleView, lines_of_rule, rule, rule_made_from

__all__ = [
    "STATES",
    "AccountView",
    "CloseView",
    "Figures",
    "FileView",
    "LineView",
    "MatchView",
    "ProposalView",
    "RuleView",
    "SameFile",
    "SuggestionView",
    "account",
    "accounts",
    "check",
    "close",
    "closes",
    "figures",
    "file",
    "file_body",
    "files",
    "line",
    "line_of_proposal",
    "lines",
    "lines_of_payout",
    "lines_of_rule",
    "open_beside",
    "rule",
    "rule_made_from",
    "same_file",
]
