"""Find RF creditor references in what a payer wrote (ISO 11649; money.md 5 and 8.1).

Payers write them in lower case, with spaces or hyphens, and banks cut them over two lines.
"""

import re
from collections.abc import Iterable

from market.kernel.references import Kind, checks

_BETWEEN = r"[\s\-./_,:;'|+*]*"
_CANDIDATE = re.compile(f"(?=(R{_BETWEEN}F(?:{_BETWEEN}[0-9]){{2}}{_BETWEEN}[1-5](?:{_BETWEEN}[0-9]){{9}}))", re.IGNORECASE)
_NO_SIGN = re.compile(r"[^RF0-9]+")


def find_references(*fields: str) -> tuple[str, ...]:
    """Return each valid reference of ours in `fields`, once, in the order found; line breaks are no border."""
    found: dict[str, None] = {}
    for field in fields:
        if "R" in field or "r" in field:
            for match in _CANDIDATE.finditer(field):
                if checks(
                    plain := match[1] if len(match[1]) == 14 and match[1].isupper() else _NO_SIGN.sub("", match[1].upper())
                ):
                    found[plain] = None
    return tuple(found)


def references_of_kind(references: Iterable[str], kind: Kind) -> list[str]:
    """Return those of `references` that name a thing of `kind`, sorted."""
    return sorted(each for each in references if each[4] == str(int(kind)))
