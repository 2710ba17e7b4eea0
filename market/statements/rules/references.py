"""Find RF creditor references in what a payer wrote (ISO 11649; money.md 5 and 8.1).

Payers write them in lower case, with spaces or hyphens, and banks cut them over two lines.
"""

import re
from collections.abc import Iterable

from market.kernel.references import Kind, parse

_SEPARATORS = re.compile(r"[\s\-./_,:;'|+*]+")
_CANDIDATE = re.compile(r"(?=(RF[0-9]{2}[1-5][0-9]{9}))")


def find_references(*fields: str) -> tuple[str, ...]:
    """Return each valid reference of ours in `fields`, once, in the order found; line breaks are no border."""
    found: dict[str, None] = {}
    for field in fields:
        compact = field.upper()
        if "R" not in compact or "F" not in compact:
            continue
        compact = _SEPARATORS.sub("", compact)
        if "RF" in compact:
            found.update((match[1], None) for match in _CANDIDATE.finditer(compact) if parse(match[1]))
    return tuple(found)


def references_of_kind(references: Iterable[str], kind: Kind) -> list[str]:
    """Return those of `references` that name a thing of `kind`, sorted."""
    return sorted(each for each in references if each[4] == str(int(kind)))
