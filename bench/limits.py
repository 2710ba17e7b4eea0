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
from pathlib import Path

import psycopg

from bench.load import CONNECTIONS, Plan, median_rate


def sql_rate(url: str, statements: Sequence[str], plan: Plan) -> tuple[float, str]:
    """Return how many of `statements` (literal SQL, at random) PostgreSQL answers a second, and who measured it."""
    tool = shutil.which("pgbench")
    if tool is None:
        return median_rate([_own(url, statements, plan.seconds) for _ in range(plan.rounds)]), "psycopg loop"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        files = []
        for number, statement in enumerate(statements):
            path = Path(folder, f"{number}.sql")
            path.write_text(statement.strip().rstrip(";") + ";\n")
            files += ["-f", str(path)]
        command = [tool, "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", *files]

        def once(seconds: float) -> float:
            run = subprocess.run([*command, "-T", str(max(1, round(seconds))), url], capture_output=True, text=True, check=True)
            found = re.search(r"tps = ([\d.]+)", run.stdout)
            if found is None:
                raise RuntimeError(run.stdout + run.stderr)
            return float(found[1])

        once(plan.warm_up_s)
        return median_rate([once(plan.seconds) for _ in range(plan.rounds)]), "pgbench"


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
