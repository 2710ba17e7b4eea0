"""EPCIS 2.0 over REST, partial (provenance.md 4): capture, capture jobs, the events of a lot.

Refusals here speak the standard's words for problems (`epcisException:...`) instead of ours.
"""

import json
from typing import Any
from uuid import UUID

from flask import Response, current_app, request, url_for
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from market.api.openapi import Blueprint
from market.api.v1.schemas.provenance import CaptureJobSchema, EpcisDocumentSchema, EventsQuery
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.i18n import told
from market.http.problems import STATUS, sentence, told_faults
from market.kernel import paging
from market.kernel.errors import DomainError
from market.kernel.words import say
from market.provenance import queries, service
from market.provenance.errors import CaptureMissing, CaptureTooLarge
from market.provenance.queries import EventView, JobView
from market.provenance.rules.identifiers import IdHost
from market.provenance.rules.public import public_context, public_view
from market.provenance.service.capture import MAX_BYTES, MAX_EVENTS

blueprint = Blueprint("epcis", __name__, url_prefix="/epcis", description="EPCIS 2.0 capture and queries (partial)")

_TYPES = {
    400: "epcisException:ValidationException",
    401: "epcisException:SecurityException",
    403: "epcisException:SecurityException",
    404: "epcisException:NoSuchResourceException",
    406: "epcisException:NotAcceptableException",
    409: "epcisException:ResourceAlreadyExistsException",
    413: "epcisException:CaptureLimitExceededException",
    415: "epcisException:UnsupportedMediaTypeException",
}
_MEDIA = ("application/json", "application/ld+json")


def _problem(status: int, detail: str, **members: Any) -> Response:
    kind = _TYPES.get(status, "epcisException:ImplementationException")
    if status == 400 and request.endpoint == "epcis.events":
        kind = "epcisException:QueryParameterException"
    body = {"type": kind, "title": kind.partition(":")[2], "status": status, "detail": detail, "instance": request.path}
    response = Response(json.dumps(body | members), status, content_type="application/problem+json")
    if status == 413:
        response.headers["GS1-EPCIS-Capture-Limit"] = str(MAX_EVENTS)
        response.headers["GS1-EPCIS-Capture-File-Size-Limit"] = str(MAX_BYTES)
    return response


@blueprint.errorhandler(DomainError)
def _refused(error: DomainError) -> Response:
    status = 413 if isinstance(error, CaptureTooLarge) else {422: 400}.get(STATUS[error.kind], STATUS[error.kind])
    members: dict[str, Any] = {"code": error.code}
    if error.pointer:
        members["pointer"] = error.pointer
    detail = told(error.detail)
    if faults := told_faults(error):
        members["errors"], detail = faults, sentence(faults[0]["detail"])
    return _problem(status, detail, **members)


@blueprint.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    messages = getattr(error, "data", {}).get("messages", {})
    detail = "; ".join(f"{name}: {texts}" for name, texts in messages.get("query", {}).items())
    status = 400 if error.code == 422 else error.code or 500
    return _problem(status, detail or str(error.description))


@blueprint.after_request
def _versions(response: Response) -> Response:
    response.headers["GS1-EPCIS-Version"] = response.headers["GS1-CBV-Version"] = "2.0.0"
    response.headers["GS1-Extensions"] = f"fair={current_app.extensions['settings'].id_url}/ns/"
    return response


@blueprint.post("/capture")
@blueprint.response(202, description="Accepted; the job's address is in Location")
@blueprint.alt_response(413, description="More than 1,000 events or 4 MiB")
@blueprint.alt_response(415, description="Neither application/json nor application/ld+json")
@access("producer", "staff", scope="provenance:write")
def capture() -> Response:
    """Hand in an EPCISDocument; it is read by a worker and the job says what became of it."""
    if request.mimetype not in _MEDIA:
        return _problem(415, f"Send {' or '.join(_MEDIA)}.")
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", "rollback")
    if behaviour not in ("rollback", "proceed"):
        return _problem(400, "GS1-Capture-Error-Behaviour is rollback or proceed.")
    if (request.content_length or 0) > MAX_BYTES:
        raise CaptureTooLarge(say("A document has at most %(max_bytes)s bytes. Send it in parts.", max_bytes=MAX_BYTES))
    actor = current_actor()
    if actor.coop_id is None:
        return _problem(403, "Only a co-op or one of its producers can capture events.")
    body = request.get_data()
    if len(body) > MAX_BYTES:
        raise CaptureTooLarge(say("A document has at most %(max_bytes)s bytes. Send it in parts.", max_bytes=MAX_BYTES))
    with unit_of_work() as session:
        job_id = service.accept_document(session, actor=actor, coop_id=actor.coop_id, body=body, behaviour=behaviour, now=now())
    response = Response(status=202)
    response.headers["Location"] = url_for("epcis.job", capture_id=job_id)
    return response


@blueprint.get("/capture")
@blueprint.response(200, CaptureJobSchema(many=True))
@access("producer", "staff", scope="provenance:write")
def jobs() -> list[dict[str, Any]]:
    """Return the latest thirty capture jobs of the caller's co-op, newest first."""
    with unit_of_work() as session:
        return [_job(view) for view in queries.capture_jobs(session, coop_id=current_actor().coop_id or UUID(int=0))]


@blueprint.get("/capture/<capture_id>")
@blueprint.response(200, CaptureJobSchema)
@access("producer", "staff", scope="provenance:write")
def job(capture_id: str) -> dict[str, Any]:
    """Tell what became of a document; own jobs only."""
    actor = current_actor()
    try:
        wanted, coop_id = UUID(capture_id), actor.coop_id or UUID(int=0)
    except ValueError as error:
        raise CaptureMissing("There is no capture job of yours with this id.") from error
    with unit_of_work() as session:
        return _job(queries.capture_job(session, coop_id=coop_id, capture_id=wanted))


def _job(view: JobView) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "captureID": str(view.id),
        "createdAt": view.created_at.isoformat(timespec="milliseconds"),
        "running": view.running,
        "success": view.success,
        "captureErrorBehaviour": view.behaviour,
        "errors": [entry | {"title": told(entry["title"]), "detail": told(entry["detail"])} for entry in view.errors],
    }
    if view.finished_at:
        shown["finishedAt"] = view.finished_at.isoformat(timespec="milliseconds")
    return shown


@blueprint.get("/events")
@blueprint.arguments(EventsQuery, location="query")
@blueprint.response(200, EpcisDocumentSchema)
@access("public", scope="provenance:read")
def events(args: dict[str, Any]) -> Response:
    """Return the events that name a lot as an EPCISQueryDocument: own ones in full, others in their public view."""
    host, coop_id = IdHost(current_app.extensions["settings"].id_url), current_actor().coop_id
    try:
        after = int(paging.decode(args["nextPageToken"], 1)[0]) if args["nextPageToken"] else 0
    except ValueError as error:
        raise ValidationError({"query": {"nextPageToken": ["not a token of ours"]}}) from error
    uris = args["MATCH_anyEPCClass"].split("|")
    with unit_of_work() as session:
        found = queries.events_naming(session, uris=uris, after=after, limit=args["perPage"] + 1)
    page = found[: args["perPage"]]
    shown = [_shown(event, coop_id, host) for event in page if event.visibility == "public" or event.coop_id == coop_id]
    results = {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": shown}}
    document = {
        "@context": public_context(host),
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": now().isoformat(timespec="milliseconds"),
        "epcisBody": {"queryResults": results},
    }
    response = Response(json.dumps(document, ensure_ascii=False), content_type="application/json")
    if len(found) > len(page):
        token = paging.encode([page[-1].record_seq])
        following = url_for("epcis.events", MATCH_anyEPCClass="|".join(uris), perPage=args["perPage"], nextPageToken=token)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _shown(event: EventView, coop_id: UUID | None, host: IdHost) -> dict[str, Any]:
    """Return an event with our record time: in full to whoever captured it, with the context it came with."""
    own = event.coop_id == coop_id
    body = {"@context": event.context} | event.body if own else public_view(event.body, event.context, host)
    return body | {"recordTime": event.record_time.isoformat(timespec="milliseconds")}
