"""Refusals become answers, in one place: RFC 9457 problems for programs, a page in words for people."""

from typing import Any
from urllib.parse import urlsplit

import psycopg
from flask import Flask, Response, current_app, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from market.http.auth import SignInNeeded, sign_in_page
from market.http.i18n import told
from market.kernel.errors import DomainError, TooMany
from market.kernel.uow import busy
from market.kernel.words import N_

STATUS = {
    "invalid": 422, "anonymous": 401, "forbidden": 403, "missing": 404, "conflict": 409, "too_many": 429, "unavailable": 503,
}  # fmt: skip


def wants_problem() -> bool:
    """Whether the caller is a program."""
    return request.path.startswith(("/api/", "/hooks/"))


def problem(status: int, code: str, title: str, detail: str, **members: Any) -> Response:
    """Return an `application/problem+json` answer (RFC 9457)."""
    body = {"type": f"urn:fair-market:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    body |= {name: value for name, value in members.items() if value}
    return Response(json.dumps(body), status, content_type="application/problem+json")


def _titles(status: int) -> str:
    titles: dict[int, str] = {
        400: _("The request cannot be read"),
        401: _("Please sign in"),
        403: _("Not allowed for this account"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("The state does not allow it"),
        410: _("No longer here"),
        413: _("Too large"),
        415: _("This kind of content is not taken"),
        422: _("Something in the input is not right"),
        429: _("Too many attempts"),
        503: _("Not available just now"),
    }
    return titles.get(status) or str(_("Something went wrong"))


def answer(status: int, code: str, detail: str, **members: Any) -> Response:
    """Return a refusal in the form that suits the caller."""
    if wants_problem():
        return problem(status, code, _titles(status), detail, **members)
    page = render_template("error.html", status=status, title=_titles(status), detail=detail, code=code, came_from=_came_from())
    return Response(page, status)


def _came_from() -> str | None:
    """Return the page of ours that this request came from, without the host: its form is there; None for any other."""
    came = urlsplit(request.referrer or "")
    return came._replace(scheme="", netloc="").geturl() if came.netloc == request.host else None


def sentence(words: str) -> str:
    """Return a finding, which begins in small letters and ends without a stop, as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."


def told_faults(error: DomainError) -> list[dict[str, Any]]:
    """Return the findings that a refusal lists, in the reader's language; empty where it lists none."""
    faults = error.facts.get("faults")
    return [line | {"detail": told(line["detail"])} for line in faults] if isinstance(faults, list | tuple) else []


def _domain(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, SignInNeeded) and (page := sign_in_page(error)) is not None:
        return page
    facts = {
        name: value if isinstance(value, int | float | bool | list | dict) else str(value) for name, value in error.facts.items()
    }
    detail = told(error.detail)
    if faults := told_faults(error):
        facts["faults"], detail = faults, sentence(faults[0]["detail"])
    response = answer(STATUS[error.kind], error.code, detail, pointer=error.pointer, facts=facts)
    if error.kind == "unavailable":
        response.headers["Retry-After"] = "60"
    if isinstance(error, TooMany) and "retry_after" in error.facts:
        response.headers["Retry-After"] = str(error.facts["retry_after"])
    return response


_PLAIN = {
    400: N_("The request cannot be read. Go back and try again."),
    404: N_("There is no page at this address. Check it, or go to the front page."),
    405: N_("This address does not take that kind of request."),
    413: N_("What was sent is too large. Send less of it."),
    415: N_("This address does not take that kind of content."),
    500: N_("Something in our own program broke while it did this."),
}


def _description(error: HTTPException) -> str:
    """Return what went wrong: the view's own words, or ours for people where the library only has its own."""
    own = error.description or ""
    of_library = own == type(error).description or isinstance(error, CSRFError)
    return _PLAIN.get(error.code or 0, own) if of_library and not wants_problem() else own


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()
    fields: Any = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    response = answer(error.code, f"http.{error.code}", told(_description(error)), errors=flat(fields) if fields else None)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            response.headers[name] = value
    return response


def flat(messages: Any, path: str = "") -> list[dict[str, str]]:
    """Return nested validation messages as a list of `{pointer, detail}`."""
    if isinstance(messages, dict):
        return [line for key, value in messages.items() for line in flat(value, f"{path}/{key}")]
    return [{"pointer": path, "detail": str(text)} for text in (messages if isinstance(messages, list) else [messages])]


# The database is away: it stops, starts, or the connection broke (no state at all: nobody was there to give one).
_AWAY = {None, "57P01", "57P02", "57P03", "08000", "08003", "08006"}


def _database(error: DBAPIError | psycopg.Error) -> ResponseReturnValue:
    """Answer what the database refused about the input (a text with NUL, a number beyond all bounds); faults stay faults."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.DataError):
        return _unusable(cause)
    if busy(error):
        current_app.logger.warning("the database was busy: %s", cause)
        response = answer(503, "http.busy", _("Somebody else is changing the same thing right now. Try again in a moment."))
        response.headers["Retry-After"] = "2"
        return response
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate in _AWAY:
        current_app.logger.error("the database is away: %s", cause)
        response = answer(503, "http.away", _("The site is being mended. Try again in a moment; nothing is done twice."))
        response.headers["Retry-After"] = "5"
        return response
    if isinstance(cause, psycopg.errors.UniqueViolation):
        current_app.logger.warning("two at the same moment: %s", cause.diag.constraint_name)
        return answer(409, "http.same_moment", _("Somebody did the same at this very moment. Look at what is there now."))
    raise error


def _unusable(_refusal: Exception) -> ResponseReturnValue:
    return answer(422, "http.unusable_value", _("One of the values cannot be stored. Look for odd characters and huge numbers."))


def init_app(app: Flask) -> None:
    """Answer domain refusals, HTTP errors, and what the database cannot take or cannot do just now."""
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(psycopg.Error, _database)
    app.register_error_handler(UnicodeEncodeError, _unusable)  # half of a surrogate pair, which JSON can write and UTF-8 cannot
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(HTTPException, _http)
