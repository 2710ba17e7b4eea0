"""Measurements of what the project promises, each beside its limit: `make bench` or `python -m bench [ROW...]`.

Everything (database, Redis, two web processes, the load) shares the machine's cores, so absolute figures drift with it
and **ratios taken in one run count**. One module per row in `bench/rows`; a module that raises shows as a failed row.
"""
