"""Lots, events (EPCIS 2.0), lineage, mass balance: where things come from, so that anyone can check.

Owns the tables `party`, `place`, `lot`, `capture_job`, `epcis_event`, `lineage_edge`, `lot_page`,
`lot_withdrawal`, `withdrawn_lot`.
Invariants: events are only ever added, an error is declared beside its original; of no lot more is drawn than was produced;
a lot from which something was taken gets no additions except by the correction of a declared error; edges never form a cycle.
"""
