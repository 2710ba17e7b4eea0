"""The form of what the tax office asks about a seller, filled in by a producer or by the co-op's staff."""

from collections.abc import Mapping

from market.http.forms import day, text
from market.producers.rules import Identity


def identity(form: Mapping[str, str]) -> Identity:
    """Return what was typed; the rules check it. Raises BadField for a day that is none."""
    texts = {name: text(form, name) for name in Identity.__slots__ if name not in ("kind", "born_on")}
    return Identity(kind=text(form, "kind") or "person", born_on=day(form, "born_on") if text(form, "born_on") else None, **texts)
