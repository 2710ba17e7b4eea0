"""What a rule says: one of four outcomes, the sentence for a person, and inputs that run it again (fair-prices.md 1, 4)."""

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property, wraps
from types import NoneType, UnionType
from typing import Any, ParamSpec
from uuid import UUID

from market.kernel.money import Money

P = ParamSpec("P")


class Outcome(StrEnum):
    """The four outcomes, worst first (fair-prices.md 1.1)."""

    VIOLATION = "violation"
    NOT_CHECKABLE = "not_checkable"
    WARNING = "warning"
    OK = "ok"


_WORST_FIRST = list(Outcome)

GATES: dict[str, tuple[str, ...]] = {
    "R-01": ("G1", "G2", "G3"),
    "R-02": ("G2", "G3", "G4"),
    "R-03": (),
    "R-04": ("G1", "G2", "G3"),
    "R-05": ("G2",),
    "R-07": ("G2", "G3"),
    "R-08": ("G1", "G2", "G3"),
    "R-11": ("G1", "G2"),
    "R-12": ("G4",),
    "R-16": ("G2", "G4"),
    "R-20": (),
    "R-21": ("G1", "G2"),
    "COOP": ("G1", "G2", "G3"),
}
"""Which gates a violation of each rule blocks (fair-prices.md 1.2); COOP is the co-op's own floor of section 6."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the combined outcome of a line; nothing to check is ok."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.OK)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the body of a rule returns; `@rule` turns it into a Check."""

    outcome: Outcome
    reason: str
    words: str
    amount_short: Money | None = None
    floor: Any = None
    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Check:
    """One rule applied once. `arguments` are everything it was given; `inputs` the same as JSON."""

    rule: str
    version: int
    outcome: Outcome
    reason: str
    words: str
    arguments: Mapping[str, Any]
    amount_short: Money | None = None
    floor: Any = None
    facts: Mapping[str, Any] | None = None

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The arguments as JSON, complete enough for `replay`."""
        return {name: to_json(value) for name, value in self.arguments.items()}

    def blocks(self, gate: str) -> bool:
        """Say whether this check refuses the act at `gate` (G1 publish, G2 order, ...)."""
        return self.outcome is Outcome.VIOLATION and gate in GATES[self.rule]


_RULES: dict[str, Callable[..., Check]] = {}


def rule(code: str, *, version: int = 1, name: str | None = None) -> Callable[[Callable[P, Finding]], Callable[P, Check]]:
    """Register a rule under `name` (its code by default), so that a stored check finds it again."""

    def register(body: Callable[P, Finding]) -> Callable[P, Check]:
        @wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> Check:
            if args:
                raise TypeError("a rule takes its inputs by name: they are stored under these names")
            said = body(*args, **kwargs)
            return Check(
                rule=code,
                version=version,
                outcome=said.outcome,
                reason=said.reason,
                words=said.words,
                arguments={"rule": name or code} | kwargs,
                amount_short=said.amount_short,
                floor=said.floor,
                facts=said.facts,
            )

        _RULES[name or code] = run
        return run

    return register


def replay(inputs: Mapping[str, Any]) -> Check:
    """Run a stored check again from its own inputs alone (fair-prices.md 4, T35)."""
    run = _RULES[inputs["rule"]]
    hints = _hints(run)
    return run(**{name: from_json(hints[name], value) for name, value in inputs.items() if name != "rule"})


@cache
def _hints(thing: Any) -> dict[str, Any]:
    return typing.get_type_hints(getattr(thing, "__wrapped__", thing))


def to_json(value: Any) -> Any:
    """Return a frozen dataclass, decimal, day or id as JSON: decimals and days as text, empty fields left out."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: to_json(inner) for name, inner in pairs if inner is not None}
    if isinstance(value, (tuple, list)):
        return [to_json(inner) for inner in value]
    if isinstance(value, frozenset):
        return sorted(to_json(inner) for inner in value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def from_json(kind: Any, value: Any) -> Any:
    """Return what `to_json` wrote as the type that an annotation names."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return None if value is None else from_json(next(k for k in inner if k is not NoneType), value)
    if origin is tuple:
        kinds = (inner[0],) * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        return tuple(from_json(k, v) for k, v in zip(kinds, value, strict=True))
    if origin is frozenset:
        return frozenset(from_json(inner[0], v) for v in value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints: dict[str, Any] = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
        return kind(**{name: from_json(hints[name], v) for name, v in value.items()})
    if kind is date:
        return date.fromisoformat(value)
    return kind(value) if kind in (Decimal, UUID) or (isinstance(kind, type) and issubclass(kind, StrEnum)) else value
