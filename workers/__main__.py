"""`python -m workers` runs a worker and `python -m workers beat` the clock, of which a site needs one.

They are what `celery worker` and `celery beat` run, with this market's options, and without the command line of Celery, whose
parts take 8 MB of each process. How many tasks at once at most: WORKER_CONCURRENCY, 2 unless said.
"""

import os
import sys


def work() -> int:
    """Run a worker until it is told to stop; return its exit code."""
    from workers.app import app

    most = int(os.environ.get("WORKER_CONCURRENCY", "2"))
    worker = app.Worker(loglevel="INFO", autoscale=(most, 1), without_mingle=True, without_gossip=True)
    worker.start()
    return int(worker.exitcode or 0)


def tick() -> int:
    """Run the clock until it is told to stop."""
    from workers.beat import app

    app.Beat(loglevel="INFO", pidfile="").run()
    return 0


if __name__ == "__main__":
    sys.exit({"worker": work, "beat": tick}[sys.argv[1] if len(sys.argv) > 1 else "worker"]())
