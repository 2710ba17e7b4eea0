"""Gunicorn for the market: read by `gunicorn wsgi:app` from the folder it starts in.

Threads, since a request waits for PostgreSQL most of its time. The control socket of gunicorn 27 lies in the home folder
of whoever starts it, shared by all sites of a machine: off.
"""

import os

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4  # a page's time goes to Python, not to waiting: 8 threads cost a quarter more CPU each, 2 leave none for slow calls
timeout = 60
graceful_timeout = 10
keepalive = 5
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  (heartbeats must not wait for a disk)
