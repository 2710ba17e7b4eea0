"""Does a statement add up, and does it continue the one before (money.md 7.1, Sums)."""

from __future__ import annotations

from market.statements.rules.values import amount_text

from .shapes import WITHOUT_OPENING, Balance, Finding, Statement


def check_sums(statement: Statement) -> list[Finding]:
    """Return what does not add up inside one statement. Each finding waits for a person, none loses a line."""
    found = []
    if len(statement.currencies) > 1:
        names = ", ".join(sorted(statement.currencies))
        found.append(Finding("currencies_disagree", f"account, balances and entries are in different currencies: {names}", True))
    if statement.opening is None and not statement.interim and statement.format not in WITHOUT_OPENING:
        found.append(Finding("no_opening_balance", "the statement gives no opening balance", True))
    if statement.closing is None and not statement.interim:
        found.append(Finding("no_closing_balance", "the statement gives no closing balance", True))
    if difference := statement.difference_minor:
        text = amount_text(difference, statement.currency)
        found.append(Finding("does_not_close", f"closing differs from opening + booked entries by {text}", True))
    return found


def check_chain(statement: Statement, previous: Balance | None) -> list[Finding]:
    """Return a finding when `statement` does not open where the `previous` one of the account closed."""
    if previous is None or statement.opening is None or statement.opening.currency != previous.currency:
        return []
    if statement.opening.minor == previous.minor:
        return []
    gap = amount_text(statement.opening.minor - previous.minor, previous.currency)
    return [Finding("does_not_continue", f"the previous statement closed {gap} away from this opening balance", True)]
