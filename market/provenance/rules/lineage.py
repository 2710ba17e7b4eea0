"""Where a lot comes from, in exact shares (`provenance.md` 5).

A lot is taken to be evenly mixed. The set of edges is walked once in topological order, never path
by path: twenty levels of two lots mixed into two have a million paths and forty edges.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter


class LineageCycle(ValueError):
    """A lot would be its own ancestor; only imported data can say so."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One input of one output in one event."""

    event: str
    input: str
    output: str
    input_quantity: Decimal
    input_uom: str
    output_quantity: Decimal
    output_uom: str


def shares(lot: str, edges: Iterable[Edge]) -> dict[str, Fraction] | None:
    """Return each origin's share of `lot`; the shares sum to exactly 1.

    Origins are the lots that no edge makes. None where units are mixed, so that no share can be
    told. Raises LineageCycle.
    """
    by_output: dict[str, dict[str, list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        by_output[edge.output][edge.event].append(edge)
    graph = {output: {edge.input for lines in events.values() for edge in lines} for output, events in by_output.items()}
    try:
        order = list(TopologicalSorter({**graph, lot: graph.get(lot, set())}).static_order())
    except CycleError as error:
        raise LineageCycle(" → ".join(error.args[1])) from error
    weight: dict[str, Fraction] = defaultdict(Fraction, {lot: Fraction(1)})
    for output in reversed(order):
        if output not in by_output or output not in weight:
            continue
        parts = _parts(by_output[output])
        if parts is None:
            return None
        whole = weight.pop(output)
        for origin, part in parts.items():
            weight[origin] += whole * part
    return dict(weight)


def _parts(events: Mapping[str, list[Edge]]) -> dict[str, Fraction] | None:
    """Split one lot among its direct inputs: by event in proportion to what it put in, then by mass."""
    if len({line.output_uom for lines in events.values() for line in lines}) > 1:
        return None
    filled = Fraction(sum((lines[0].output_quantity for lines in events.values()), Decimal(0)))
    parts: dict[str, Fraction] = defaultdict(Fraction)
    for lines in events.values():
        if len({line.input_uom for line in lines}) > 1:
            return None
        together = Fraction(sum((line.input_quantity for line in lines), Decimal(0)))
        per_unit = Fraction(lines[0].output_quantity) / filled / together
        for line in lines:
            parts[line.input] += per_unit * Fraction(line.input_quantity)
    return parts


def percentages(parts: Mapping[str, Fraction]) -> dict[str, int]:
    """Round shares to whole percentages that sum to 100 (largest remainder, ties by position)."""
    scaled = {name: part * 100 for name, part in parts.items()}
    whole = {name: part.__floor__() for name, part in scaled.items()}
    lucky = sorted(scaled, key=lambda name: whole[name] - scaled[name])[: 100 - sum(whole.values())]
    return {name: percent + (name in lucky) for name, percent in whole.items()}
