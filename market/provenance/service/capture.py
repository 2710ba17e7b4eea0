"""Capture of EPCIS documents: accepted at once, read by a worker, the outcome kept (provenance.md 4)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.outbox import announce
from market.kernel.words import N_, say
from market.provenance.errors import CaptureTooLarge, CaptureUnreadable, EventRefused
from market.provenance.events import CAPTURE_ACCEPTED
from market.provenance.models import CaptureJob
from market.provenance.rules.faults import Fault
from market.provenance.rules.house import check_rules, declared_prefixes
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.reading import Unreadable, read_json
from market.provenance.rules.schema import check_envelope, events_of, is_document
from market.provenance.service.store import Origin, record_events

MAX_EVENTS = 1000
MAX_BYTES = 4 * 1024 * 1024


def accept_document(
    session: Session, *, actor: Actor, coop_id: UUID, body: bytes, behaviour: str = "rollback", now: datetime
) -> UUID:
    """Keep a document to be read by a worker and return the job's id.

    Looks at JSON, envelope and number of events only. Raises CaptureUnreadable, EventRefused (envelope), CaptureTooLarge.
    """
    try:
        document = read_json(body)
    except Unreadable as error:
        raise CaptureUnreadable(say("The document cannot be read: %(error)s.", error=error), pointer="/") from error
    if not is_document(document):
        raise CaptureUnreadable("This is no EPCISDocument and no EPCISQueryDocument.", pointer="/type")
    if faults := check_envelope(document) or check_rules(document):
        raise EventRefused(faults)
    events = events_of(document)[1]
    if len(events) > MAX_EVENTS:
        detail = say(
            "A capture takes at most %(max_events)s events; this document holds %(num)s. Send it in parts.",
            max_events=MAX_EVENTS,
            num=len(events),
        )
        raise CaptureTooLarge(detail, events=len(events), limit=MAX_EVENTS)
    job = CaptureJob(
        id=new_id(),
        coop_id=coop_id,
        actor=actor.label,
        behaviour=behaviour,
        document=document,
        events=len(events),
        created_at=now,
    )
    session.add(job)
    announce(session, CAPTURE_ACCEPTED, {"capture_id": job.id})
    return job.id


def run_job(session: Session, *, capture_id: UUID, host: IdHost, now: datetime) -> None:
    """Read an accepted document and store its events; a job that has run is left alone."""
    job = lock_one(session, CaptureJob, capture_id)
    if not job.running or job.document is None:
        return
    path, events = events_of(job.document)
    outcome = record_events(
        session,
        origin=Origin(
            coop_id=job.coop_id,
            host=host,
            context=job.document["@context"],
            declared=declared_prefixes(job.document),
            capture_id=job.id,
        ),
        events=[((path, index), event) for index, event in enumerate(events)],
        now=now,
        proceed=job.behaviour == "proceed",
    )
    refusals = [one for one in outcome.faults if one.refuses]
    job.errors = [problem(one) for one in refusals[:500]]
    job.success, job.running, job.finished_at, job.document = not refusals, False, now, None


def fail_job(session: Session, *, capture_id: UUID, now: datetime) -> None:
    """End a job that a defect of ours stopped, so that nobody waits for it; nothing of it was stored."""
    job = lock_one(session, CaptureJob, capture_id)
    if job.running:
        detail = N_("The document could not be read because of a defect on our side. Nothing of it was stored.")
        job.errors = [
            {"type": "epcisException:ImplementationException", "title": N_("Defect on our side"), "status": 500, "detail": detail}
        ]
        job.success, job.running, job.finished_at = False, False, now


def problem(fault: Fault) -> dict[str, Any]:
    """Write a finding as an entry of a capture job's `errors`."""
    parts = fault.pointer.split("/eventList/")
    index = parts[1].split("/")[0] if len(parts) > 1 else ""
    entry: dict[str, Any] = {
        "type": "epcisException:ValidationException",
        "title": N_("The event breaks a rule"),
        "status": 400,
        "detail": fault.detail,
        "pointer": fault.pointer,
        "rule": fault.rule,
    }
    if index.isdigit():
        entry["eventIndex"] = int(index)
    if fault.code:
        entry["code"] = fault.code
    return entry
