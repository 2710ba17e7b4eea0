"""What a row of a price table changes, as facts that are read before it counts: old and new values side by side."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from market.http.i18n import show_quantity
from market.pricing.queries import Change

MANY = 12
"""Changes of a table that the question names one by one; its page has them all."""
Facts = list[tuple[str, Any]]


def of_row(change: Change) -> Facts:
    """Return what a row says, where it differs from the one before with the old value struck out."""
    old, new = change.old, change.new
    values = (
        (_("Scheme"), "scheme"), (_("Minimum price"), "minimum_price"), (_("Premium"), "premium"),
        (_("Organic differential"), "organic_differential"), (_("Delivery level"), "incoterm"),
        (_("Relevant market"), "relevant_market"), (_("In force from"), "valid_from"), (_("In force to"), "valid_to"),
        (_("Source"), "source_name"),
    )  # fmt: skip
    money = f"{new.currency or ''} / {(new.unit or '').replace('_', ' ')}"
    facts: Facts = [(_("Goods"), _titled(change)), (_("Amounts in"), money)]
    for words, name in values:
        before, after = getattr(old, name, None), getattr(new, name)
        if before or after:
            facts.append((words, _both(before, after) if old else _shown(after)))
    return facts


def of_table(changes: Sequence[Change]) -> Facts:
    """Return how many rows a table brings, how many of them change a price, and the first of these."""
    changed = [each for each in changes if differs(each)]
    counts = (
        (_("Rows that count at once"), sum(each.active for each in changes)),
        (_("Rows that wait for a person"), sum(not each.active for each in changes)),
        (_("Goods that are new"), sum(each.old is None for each in changes)),
        (_("Minimum prices that rise"), sum(_way(each) > 0 for each in changes)),
        (_("Minimum prices that fall"), sum(_way(each) < 0 for each in changes)),
    )
    facts: Facts = [(words, show_quantity(count)) for words, count in counts]
    facts += [(_titled(each), _prices(each)) for each in changed[:MANY]]
    if len(changed) > MANY:
        rest = len(changed) - MANY
        facts.append((_("And"), ngettext("%(num)d more change", "%(num)d more changes", rest)))
    return facts


def differs(change: Change) -> bool:
    """Return whether the row says another price than the one before."""
    old, new = change.old, change.new
    names = ("minimum_price", "premium", "organic_differential")
    return old is not None and any(getattr(old, name) != getattr(new, name) for name in names)


def _titled(change: Change) -> str:
    return change.new.title.split(", in force")[0]


def _way(change: Change) -> Decimal:
    old, new = change.old, change.new
    if old is None or old.minimum_price is None or new.minimum_price is None:
        return Decimal(0)
    return new.minimum_price - old.minimum_price


def _prices(change: Change) -> Markup:
    old, new = change.old, change.new
    pairs = ((_("minimum"), "minimum_price"), (_("premium"), "premium"), (_("organic differential"), "organic_differential"))
    said: Iterable[Markup] = (
        Markup("{}: {}").format(words, _both(getattr(old, name), getattr(new, name)))
        for words, name in pairs
        if getattr(old, name) != getattr(new, name)
    )
    return Markup(" · ").join(said)


def _both(before: Any, after: Any) -> Any:
    if before == after:
        return _shown(after)
    return Markup("<del>{}</del> <ins>{}</ins>").format(_shown(before), _shown(after))


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return show_quantity(value)
    if isinstance(value, date):
        return str(current_app.jinja_env.filters["day"](value))
    return str(value or "–")
