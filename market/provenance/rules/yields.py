"""How much can come out of a process: bounds with their source and the day they were set.

Outside the upper bound an event is refused, below the lower it is stored with a warning
(`provenance.md` 5). Pieces are weighed by their net content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from market.kernel.words import N_, say
from market.provenance.rules.events import plain
from market.provenance.rules.faults import Fault, Path, fault

_KILOS = {"KGM": Decimal(1), "GRM": Decimal("0.001")}


@dataclass(frozen=True, slots=True)
class Yield:
    """The share of the input's mass that a process leaves."""

    low: Decimal
    high: Decimal
    source: str


def _between(low: str, high: str, source: str) -> Yield:
    return Yield(Decimal(low), Decimal(high), f"{source}; set 2026-11-23")


# Customary conversion ratios of the trade. A process that is not named can lose mass, never gain it.
YIELDS: Mapping[str, Yield] = {
    "washed": _between("0.15", "0.25", N_("coffee cherry to dry parchment, about 5 to 1")),
    "natural": _between("0.30", "0.55", N_("coffee cherry to dried cherry")),
    "hulled": _between("0.70", "0.90", N_("parchment to green coffee, about 0.8")),
    "roasted": _between("0.75", "0.92", "green to roasted coffee, 12 to 20 % lost"),
    "packed": _between("0.90", "1.00", N_("packing adds nothing")),
    "blended": _between("0.97", "1.00", N_("blending adds nothing")),
    "fermented": _between("0.30", "0.45", N_("wet cocoa to dry beans, about 0.4")),
}
ANY_PROCESS = _between("0", "1.00", N_("mass is never gained"))


def check_yield(
    path: Path,
    *,
    process: str,
    inputs: Sequence[tuple[Decimal, str]],
    outputs: Sequence[tuple[Decimal, str]],
    net_content: tuple[Any, Any],
    yields: Mapping[str, Yield] = YIELDS,
) -> list[Fault]:
    """Return what is wrong with the masses of a transformation: nothing, a refusal or a warning."""
    bound = yields.get(process, ANY_PROCESS)
    before = _mass(inputs, net_content)
    after = _mass(outputs, net_content)
    if before is None or after is None:
        same = {uom for _, uom in (*inputs, *outputs)}
        if len(same) > 1:
            detail = N_("the yield could not be checked: pieces need fair:netContent, and one unit")
            return [fault(path, "W3", detail, "lineage.yield")]
        before, after = (sum((q for q, _ in side), Decimal(0)) for side in (inputs, outputs))
    if after > before * bound.high:
        detail = say(
            "%(after)s out of %(before)s is more than %(high)s of it (%(source)s)",
            after=plain(after),
            before=plain(before),
            high=bound.high,
            source=bound.source,
        )
        return [fault(path, "H5", detail, "lineage.yield")]
    if after < before * bound.low:
        detail = say(
            "%(after)s out of %(before)s is less than %(low)s of it (%(source)s)",
            after=plain(after),
            before=plain(before),
            low=bound.low,
            source=bound.source,
        )
        return [fault(path, "W3", detail, "lineage.yield")]
    return []


def _mass(side: Sequence[tuple[Decimal, str]], net_content: tuple[Any, Any]) -> Decimal | None:
    total = Decimal(0)
    for quantity, uom in side:
        each = _KILOS.get(uom)
        if uom == "H87":
            content, unit = net_content
            each = _KILOS.get(str(unit))
            try:
                each = each and each * Decimal(str(content))
            except InvalidOperation:
                return None
        if each is None or not each.is_finite():
            return None
        total += quantity * each
    return total
