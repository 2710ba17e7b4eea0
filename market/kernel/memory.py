"""Processes that fork share what they loaded before, and give back what a photo, a report or an import took."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import configure_mappers

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8  # of mallopt, glibc's malloc.h


def give_back() -> None:
    """Let glibc return what was freed: by itself it keeps a heap for each thread, at its largest."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENAS, 1)
        mallopt(_MMAP_THRESHOLD, 1024 * 1024)
        mallopt(_TRIM_THRESHOLD, 4 * 1024 * 1024)


@contextmanager
def loading_for_forks() -> Iterator[None]:
    """Load inside this what the processes forked later are to share.

    What is loaded stays, so that looking for garbage meanwhile would only cost time; and collections that marked it later
    would copy the shared pages. So would the mappers, which tie themselves together at the first query: 3 MB in each process.
    """
    give_back()
    gc.disable()
    try:
        yield
        configure_mappers()
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
