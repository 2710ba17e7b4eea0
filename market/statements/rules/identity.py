"""When are two lines the same line (money.md 7.1, Identity).

A bank sends overlapping files, and it books two equal coffees on one day. The key says *what* was booked, the
occurrence number says *which of them*: the count runs on through statements that continue each other and starts
again in one that overlaps. So an overlapping file adds no line, and the second coffee is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from uuid import UUID

from .shapes import Line


def line_key(line: Line) -> UUID:
    """Return the 128-bit key of what was booked; see `line_key_hex`."""
    return UUID(line_key_hex(line))


def line_key_hex(line: Line) -> str:
    """Return the key of what was booked in 32 hexadecimal digits: the bank's own id, or the texts, with day, amount, currency.

    A running balance, where the file has one, tells equal lines of a day apart. The key begins with the day, so that an index
    has the lines of a statement beside each other.
    """
    what = ("ref", line.bank_ref) if line.bank_ref else ("text", _words(line))
    running = () if line.bank_ref or line.running_minor is None else (str(line.running_minor),)
    facts = "\x1f".join((*what, str(line.booked_on), str(line.amount_minor), line.currency, *running))
    return _of_day(line.booked_on or line.value_on) + sha256(facts.encode()).hexdigest()[:24]


def earliest_key(day: date) -> UUID:
    """Return the key before which no line of that day stands, nor of a later one."""
    return UUID(_of_day(day) + 24 * "0")


def _of_day(day: date | None) -> str:
    return f"{day.toordinal() if day else 0:08x}"


def occurrences(keys: Iterable[UUID], known: Mapping[UUID, int]) -> Iterator[int]:
    """Yield the occurrence number of each key in turn, counting on from `known` (empty for an overlapping file)."""
    seen: Counter[UUID] = Counter(known)
    for key in keys:
        seen[key] += 1
        yield seen[key]


def _words(line: Line) -> str:
    parts = [line.counterparty_account, line.counterparty_name, *line.refs, *line.batch_refs, line.text]
    for part in line.parts:
        parts += [part.counterparty_account, *part.refs, part.text]
    return " ".join(" ".join(parts).casefold().split())
