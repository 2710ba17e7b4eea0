"""How load is made: `wrk` for plain reads when it is installed, else the project's own closed-loop client."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.client import Check, ClosedLoop, Result, request

CONNECTIONS = 16


@dataclass(frozen=True)
class Plan:
    """How long and how often. `BENCH_SHORT=1` is a smoke run whose figures do not count."""

    warm_up_s: float
    seconds: float
    rounds: int
    listings: int
    short: bool

    @classmethod
    def from_env(cls) -> Plan:
        """Return the plan that the environment asks for."""
        short = os.environ.get("BENCH_SHORT") == "1"
        seconds = float(os.environ.get("BENCH_SECONDS", "2" if short else "10"))
        listings = int(os.environ.get("BENCH_LISTINGS", "5000" if short else "100000"))
        return cls(warm_up_s=1 if short else 3, seconds=seconds, rounds=1 if short else 3, listings=listings, short=short)


def median(results: Sequence[Result]) -> Result:
    """Return the run whose rate is the median; wrong answers of all runs are added up."""
    ordered = sorted(results, key=lambda result: result.per_second)
    return replace(ordered[len(ordered) // 2], wrong=sum(result.wrong for result in results))


def reads(url: str, paths: Sequence[str], plan: Plan, *, headers: dict[str, str] | None = None, expect: int = 200) -> Result:
    """Load `paths` (cycled in a fixed shuffled order) with GET requests and return the median run."""
    shuffled = list(paths)
    random.Random(1).shuffle(shuffled)
    if shutil.which("wrk"):
        return _wrk(url, shuffled, plan, headers or {}, expect)
    host = urlsplit(url).netloc
    wire = itertools.cycle([request("GET", path, host=host, headers=headers) for path in shuffled])
    return _own(lambda: ClosedLoop(url, wire, connections=CONNECTIONS, check=lambda status, _: status == expect), plan)


def writes(url: str, wire: Callable[[], Iterator[bytes]], plan: Plan, *, check: Check) -> Result:
    """Load requests that differ each time (orders) with the own client and return the median run."""
    stream = wire()
    return _own(lambda: ClosedLoop(url, stream, connections=CONNECTIONS, check=check), plan)


def _own(make: Callable[[], ClosedLoop], plan: Plan) -> Result:
    loop = make()
    try:
        loop.run(plan.warm_up_s)
        return median([loop.run(plan.seconds) for _ in range(plan.rounds)])
    finally:
        loop.close()


_LUA = """
local paths = {}
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
local at, headers, expect = 0, {HEADERS}, {EXPECT}
wrong = 0
local thread_list = {}
function setup(thread) table.insert(thread_list, thread) end
function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at], headers)
end
function response(status) if status ~= expect then wrong = wrong + 1 end end
function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(thread_list) do bad = bad + thread:get("wrong") end
  print(string.format("RESULT %d %d %.3f %.3f %d", summary.requests, summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad + summary.errors.read + summary.errors.timeout))
end
"""


def _wrk(url: str, paths: Sequence[str], plan: Plan, headers: dict[str, str], expect: int) -> Result:
    pairs = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        script, listing = Path(folder, "load.lua"), Path(folder, "paths")
        script.write_text(_LUA.replace("{HEADERS}", "{" + pairs + "}").replace("{EXPECT}", str(expect)))
        listing.write_text("\n".join(paths) + "\n")

        def once(seconds: float) -> Result:
            command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script), url]
            run = subprocess.run(
                command, env={**os.environ, "BENCH_PATHS": str(listing)}, capture_output=True, text=True, check=True
            )
            found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", run.stdout)
            if found is None:
                raise RuntimeError(f"wrk said: {run.stdout} {run.stderr}")
            done, micros, p50, p99, wrong = found.groups()
            return Result(int(done), int(micros) / 1e6, float(p50), float(p99), {expect: int(done)}, int(wrong))

        once(plan.warm_up_s)
        return median([once(plan.seconds) for _ in range(plan.rounds)])


def median_rate(rates: Sequence[float]) -> float:
    """Return the median of several rates."""
    return statistics.median(rates)
