"""What PostgreSQL alone does with the same SQL on the same data: `pgbench` where it is installed, else our own loop.

The own loop (psycopg, prepared, pipelined by nothing, one process per core) costs more than pgbench's C, so a limit taken by
it is too low and the ratio too kind; the row says which one it was.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.client import percentile
from bench.load import CONNECTIONS, Plan, median_rate


@dataclass(frozen=True)
class Bound:
    """What PostgreSQL alone does: statements a second, who measured it, and their own p99 in milliseconds where it was logged."""

    per_second: float
    by: str
    p99_ms: float | None = None


def sql_rate(url: str, statements: Sequence[str], plan: Plan, *, tail: bool = False) -> Bound:
    """Return how many of `statements` (literal SQL, at random) PostgreSQL answers a second; `tail` logs each for their p99."""
    tool = shutil.which("pgbench")
    if tool is None:
        return Bound(median_rate([_own(url, statements, plan.seconds) for _ in range(plan.rounds)]), "psycopg loop")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        files = []
        for number, statement in enumerate(statements):
            path = Path(folder, f"{number}.sql")
            path.write_text(statement.strip().rstrip(";") + ";\n")
            files += ["-f", str(path)]
        command = [tool, "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", *files]
        command += ["-l", f"--log-prefix={folder}/latency"] if tail else []

        def once(seconds: float) -> float:
            run = subprocess.run([*command, "-T", str(max(1, round(seconds))), url], capture_output=True, text=True, check=True)
            found = re.search(r"tps = ([\d.]+)", run.stdout)
            if found is None:
                raise RuntimeError(run.stdout + run.stderr)
            return float(found[1])

        once(plan.warm_up_s)
        _latencies(Path(folder))
        rate = median_rate([once(plan.seconds) for _ in range(plan.rounds)])
        took = _latencies(Path(folder))
        return Bound(rate, "pgbench", percentile(took, 0.99) if took else None)


def _latencies(folder: Path) -> list[float]:
    """Return the milliseconds that pgbench logged, in order, and take its logs away."""
    found = []
    for path in folder.glob("latency.*"):
        found += [int(line.split()[2]) / 1000 for line in path.read_text().splitlines()]
        path.unlink()
    return sorted(found)


def _loop(url: str, statements: Sequence[str], seconds: float, done: multiprocessing.Queue[int]) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        count, end = 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.execute(statements[count % len(statements)].encode()).fetchall()
            count += 1
        done.put(count)


def _own(url: str, statements: Sequence[str], seconds: float) -> float:
    done: multiprocessing.Queue[int] = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=_loop, args=(url, statements, seconds, done)) for _ in range(2)]
    for worker in workers:
        worker.start()
    total = sum(done.get() for _ in workers)
    for worker in workers:
        worker.join()
    return total / seconds
