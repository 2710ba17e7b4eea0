"""Rows of the result and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured thing. `limit` is the rate of `limit_name` in the same run; `goal` the ratio that this issue asks for."""

    name: str
    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    limit: float | None = None
    limit_name: str = ""
    goal: float | None = None
    p99_goal_ms: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return the share of the limit that was reached."""
        return self.per_second / self.limit if self.limit else None

    @property
    def verdict(self) -> str:
        """Return `ok`, `missed` or nothing where no goal is set."""
        if self.goal is None and self.p99_goal_ms is None:
            return ""
        slow = self.p99_goal_ms is not None and self.p99_ms is not None and self.p99_ms > self.p99_goal_ms
        small = self.goal is not None and (self.ratio is None or self.ratio < self.goal)
        return "missed" if slow or small else "ok"


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def text(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| work | per second | p50 ms | p99 ms | limit per second | ratio | goal | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.0%}"
        goals = [f"≥ {row.goal:.0%}"] if row.goal is not None else []
        goals += [f"p99 ≤ {row.p99_goal_ms:g}"] if row.p99_goal_ms is not None else []
        limit = f"{_number(row.limit)} {row.limit_name}".strip()
        cells = [
            row.name,
            _number(row.per_second),
            _number(row.p50_ms, 1),
            _number(row.p99_ms, 1),
            limit,
            ratio,
            ", ".join(goals),
        ]
        lines.append("| " + " | ".join([*cells, " ".join(filter(None, (row.verdict, row.note)))]) + " |")
    return "\n".join(lines)
