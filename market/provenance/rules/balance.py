"""Mass balance: what an event makes of lots and takes from them (`provenance.md` 5).

A lot is sealed by its first use as an input; a later addition is refused, which keeps shares stable
and makes cycles impossible. A declared error is reversed first and its correction applied after, so
only the state at the end has to balance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from market.kernel.words import N_, say
from market.provenance.rules.events import Event, amount, plain, standard_part
from market.provenance.rules.faults import Fault, Path, fault
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.yields import Yield, check_yield


@dataclass(frozen=True, slots=True)
class Line:
    """An amount of one lot in an event."""

    lot: str
    quantity: Decimal
    uom: str
    path: Path


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event makes of lots of ours, takes from them, and merely names."""

    made: tuple[Line, ...] = ()
    taken: tuple[Line, ...] = ()
    named: tuple[Line, ...] = ()

    @property
    def lots(self) -> frozenset[str]:
        """Return every lot that is touched."""
        return frozenset(line.lot for line in (*self.made, *self.taken, *self.named))


def effects_of(event: Event, path: Path, host: IdHost) -> Effects:
    """Return the effects of an event on the lots of our host; lots of others are not ours to keep."""

    event = standard_part(event)

    def lines(name: str) -> tuple[Line, ...]:
        return tuple(
            Line(line["epcClass"], amount(line.get("quantity", 0)), line.get("uom", ""), place)
            for index, line in enumerate(event.get(name, ()))
            if host.names(line["epcClass"])
            for place in [((path, name), index)]
        )

    if event["type"] == "TransformationEvent":
        return Effects(made=lines("outputQuantityList"), taken=lines("inputQuantityList"))
    if event["type"] == "ObjectEvent" and event["action"] == "ADD":
        return Effects(made=lines("quantityList"))
    if event["type"] == "ObjectEvent" and event["action"] == "DELETE":
        return Effects(taken=lines("quantityList"))
    return Effects(named=(*lines("quantityList"), *lines("childQuantityList")))


@dataclass(slots=True)
class Balance:
    """The state of one lot while a document is read."""

    uri: str
    uom: str
    produced: Decimal = Decimal(0)
    drawn: Decimal = Decimal(0)
    sealed: bool = False
    known: bool = True

    @property
    def left(self) -> Decimal:
        """Return what has not been drawn."""
        return self.produced - self.drawn


@dataclass(slots=True)
class Book:
    """The lots of one capture, locked by the caller; `touched` are those to write back."""

    lots: dict[str, Balance]
    touched: set[str] = field(default_factory=set)

    def check(self, effects: Effects, *, corrective: bool = False) -> list[Fault]:
        """Return why the effects cannot be applied, one finding per line."""
        faults: list[Fault] = []
        inputs = {line.lot for line in effects.taken}
        for line in effects.made:
            lot = self.lots.get(line.lot)
            if line.lot in inputs:
                faults.append(fault(line.path, "H5", N_("a lot cannot be made from itself"), "lineage.cycle"))
            elif lot and lot.uom != line.uom:
                faults.append(_unit(line, lot))
            elif lot and lot.sealed and not corrective:
                detail = N_("something was already taken from this lot: nothing can be added to it")
                faults.append(fault(line.path, "H5", detail, "lineage.sealed"))
        wanted: dict[str, Decimal] = {}
        for line in (*effects.taken, *effects.named):
            lot = self.lots.get(line.lot)
            if lot is None:
                detail = N_("this lot is not recorded yet: record its harvest or making first")
                faults.append(fault(line.path, "H5", detail, "lineage.unknown_lot"))
            elif lot.uom != line.uom:
                faults.append(_unit(line, lot))
        for line in effects.taken:
            lot = self.lots.get(line.lot)
            wanted[line.lot] = wanted.get(line.lot, Decimal(0)) + line.quantity
            if lot and wanted[line.lot] > lot.left:
                short = wanted[line.lot] - lot.left
                detail = say(
                    "%(wanted)s taken, %(left)s left: %(short)s too much",
                    wanted=plain(wanted[line.lot]),
                    left=plain(lot.left),
                    short=plain(short),
                )
                faults.append(fault(line.path, "H5", detail, "lineage.overdrawn"))
        return faults

    def apply(self, effects: Effects) -> None:
        """Book the effects after `check`."""
        for line in effects.made:
            lot = self.lots.setdefault(line.lot, Balance(line.lot, line.uom, known=False))
            lot.produced += line.quantity
        for line in effects.taken:
            self.lots[line.lot].drawn += line.quantity
            self.lots[line.lot].sealed = True
        self.touched |= effects.lots

    def reverse(self, effects: Effects) -> None:
        """Take back the effects of an event that was declared wrong."""
        for line in effects.made:
            self.lots[line.lot].produced -= line.quantity
        for line in effects.taken:
            self.lots[line.lot].drawn -= line.quantity
        self.touched |= effects.lots

    def overdrawn(self) -> list[str]:
        """Return the lots from which more was taken than was made."""
        return sorted(uri for uri in self.touched if not 0 <= self.lots[uri].drawn <= self.lots[uri].produced)


def yield_faults(effects: Effects, path: Path, fields: Mapping[str, Any], yields: Mapping[str, Yield]) -> list[Fault]:
    """Compare what came out with what went in, by the bounds of the process."""
    if not effects.taken or not effects.made:
        return []
    return check_yield(
        path,
        process=str(fields.get("processType", "")),
        inputs=[(line.quantity, line.uom) for line in effects.taken],
        outputs=[(line.quantity, line.uom) for line in effects.made],
        net_content=(fields.get("netContent"), fields.get("netContentUom")),
        yields=yields,
    )


def _unit(line: Line, lot: Balance) -> Fault:
    detail = say("this lot is counted in %(uom)s, not in %(uom_2)s", uom=lot.uom, uom_2=line.uom)
    return fault((line.path, "uom"), "H5", detail, "lineage.unit")
