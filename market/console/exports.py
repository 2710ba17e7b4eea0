"""The lists that a worker can write as a file: every desk by its name, its rows as a program wants them."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask_babel import force_locale

from market.console.book_lines import DESK as BOOK_LINES
from market.console.lists import Desk, cells, headings
from market.console.orders import DESK as ORDERS
from market.console.payments import PAYMENTS, REFUNDS
from market.console.payouts.overview import OWED
from market.console.people import MEMBERS
from market.console.records import AUDIT, LISTINGS, MAILS, PAYOUTS
from market.console.statements.match_desk import DESK as MATCHING
from market.desks import queries, service
from market.desks.queries import Job
from market.http.clock import now
from market.http.db import session_for, unit_of_work
from market.kernel.money import Money
from market.kernel.sheets import csv_lines, write_workbook
from market.producers import queries as producers
from market.reports.queries import lists
from market.reports.queries.lists import Viewer

LISTS: dict[str, Desk] = {
    desk.name: desk
    for desk in (
        ORDERS,
        PAYMENTS,
        REFUNDS,
        OWED,
        PAYOUTS,
        MATCHING,
        BOOK_LINES,
        MEMBERS,
        LISTINGS,
        MAILS,
        AUDIT,
    )
}


class Stopped(Exception):
    """The person who asked for the list does not want it any more."""


def decimal(minor: Any, currency: str) -> Any:
    """Return an amount as a decimal number."""
    return Money(int(minor), currency).decimal


def make(job_id: UUID) -> None:
    """Write the file of a job, noting after each batch how far it is; a job that was cancelled or made is left alone."""
    with unit_of_work() as session:
        job = queries.job(session, job_id)
        coop = producers.coop(session, job.coop_id)
        viewer = Viewer(coop.id, coop.currency, coop.time_zone, job.account_id, now())
        desk = LISTS[job.kind]
        total = lists.totals(session, desk.source(viewer), job.facts["chosen"], most=10_000_000).count
        if not service.begin_report(session, job_id=job_id, total=total):
            return
    with force_locale(job.facts["language"]):
        try:
            body = _written(job, headings(desk), _rows(job, desk, viewer))
        except Stopped:
            return
    with unit_of_work() as session:
        service.finish_report(session, job_id=job_id, body=body, now=now())


def _rows(job: Job, desk: Desk, viewer: Viewer) -> Iterator[Sequence[Any]]:
    done = 0
    filters = {each.name: each.default for each in desk.filters if each.default}
    chosen = {**filters, **({"show": "all"} if "show" in filters else {}), **job.facts["chosen"]}
    for batch in lists.batches(session_for(viewer.coop_id), lambda: desk.source(viewer), chosen):
        for row in batch:
            yield cells(desk, row)
        done += len(batch)
        with unit_of_work() as session:
            if not service.note_progress(session, job_id=job.id, done=done):
                raise Stopped


def _written(job: Job, heads: Sequence[str], rows: Iterator[Sequence[Any]]) -> bytes:
    with tempfile.TemporaryFile() as file:
        if job.facts["format"] == "xlsx":
            write_workbook(file, heads, rows)
        else:
            file.writelines(piece.encode() for piece in csv_lines(heads, rows))
        file.seek(0)
        return file.read()
