"""Find RF creditor references in what a payer wrote (ISO 11649; money.md 5 and 8.1).

Ours are digits only: `RF`, two check digits (ISO 7064 mod 97-10), one digit for the kind, nine for the number.
Payers write them in lower case, with spaces or hyphens, and banks cut them over two lines.
"""

from __future__ import annotations

import re

KINDS = {"payment": "1", "payout": "2", "refund": "3", "premium": "4", "loan": "5"}
"""The kind digit of each thing that has a reference."""

_SEPARATORS = re.compile(r"[\s\-./_,:;'|+*]+")
_CANDIDATE = re.compile(r"(?=(RF[0-9]{2}[1-5][0-9]{9}))")


def is_reference(text: str) -> bool:
    """Return whether `text` is one of our references: its form, and its check digits."""
    return len(text) == 14 and _CANDIDATE.match(text) is not None and _checks(text)


def find_references(*fields: str) -> tuple[str, ...]:
    """Return each valid reference of ours in `fields`, once, in the order found; line breaks are no border."""
    found: dict[str, None] = {}
    for field in fields:
        compact = _SEPARATORS.sub("", field.upper())
        if "RF" in compact:
            found.update((match[1], None) for match in _CANDIDATE.finditer(compact) if _checks(match[1]))
    return tuple(found)


def make_reference(kind: str, number: int) -> str:
    """Return the reference of the thing of `kind` with `number` (at most nine digits)."""
    body = f"{KINDS[kind]}{number:09d}"
    return f"RF{98 - int(body + '271500') % 97:02d}{body}"


def _checks(reference: str) -> bool:
    # R = 27 and F = 15 (ISO 7064), moved to the end together with the check digits.
    return int(reference[4:] + "2715" + reference[2:4]) % 97 == 1
