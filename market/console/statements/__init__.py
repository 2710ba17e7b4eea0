"""Staff pages of statements: bank accounts, files, the queue of lines, and what a person decides about a line."""

from market.console.statements import accounts, bank_lists, closes, files, lines
from market.console.statements.base import blueprint

__all__ = ["accounts", "bank_lists", "blueprint", "closes", "files", "lines"]
