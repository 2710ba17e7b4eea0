"""Forms that may arrive twice, or late: a phone without signal keeps them and sends them again (`data-later`).

`form_key()` puts a hidden `key` into a form, made anew with each form that is drawn: a second click or a reload does
nothing more. `sending_fields()` adds `sent_for`, the producer whose page it is. A view asks `answered` at the beginning
of its unit of work and ends with `done` in the same transaction: the form that comes again leads to where it led before
and does nothing. Scripts that ask with the header `X-Sent-Later` get 204 and the address, instead of a redirect that they
could not read.
"""

from flask import Flask, Response, redirect, request
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from market.http.auth import current_actor
from market.http.clock import now
from market.kernel import idempotency
from market.kernel.errors import Conflict
from market.kernel.ids import new_id

HEADER = "X-Sent-Later"
_OWN = ("csrf_token", "key", "sent_for", "for_member")


class SentForAnother(Conflict):
    """The form was filled in for another producer than the one whose page this is now."""

    code = "forms.sent_for_another"


class SentBefore(Conflict):
    """The form was sent before, with other content."""

    code = "forms.sent_before"


def form_key() -> Markup:
    """Return the hidden field of a form that counts once."""
    return Markup('<input type="hidden" name="key" value="{}">').format(new_id())


def fields() -> Markup:
    """Return the hidden fields of a form that may be sent again, and late."""
    sent_for = current_actor().producer_id or ""
    return form_key() + Markup('<input type="hidden" name="sent_for" value="{}">').format(sent_for)


def answered(session: Session) -> Response | None:
    """Return the answer that this form got before, None when it is new; a second sender waits for the first.

    Raises SentForAnother when the phone has changed hands since, SentBefore when the content has changed since.
    """
    key, sent_for = request.form.get("key", ""), request.form.get("sent_for")
    if sent_for is not None and sent_for != str(current_actor().producer_id or ""):
        raise SentForAnother(_("This was filled in for another member. Nothing is recorded; fill it in again on their page."))
    if not key:
        return None
    try:
        before = idempotency.recall(session, scope=_scope(), key=key[:200], payload=_payload())
    except idempotency.KeyUsedDifferently:
        detail = _("This form was sent before with other content, and that is recorded. Send it again to add this.")
        raise SentBefore(detail) from None
    return redirect(before[1]["location"], 303) if before else None  # type: ignore[return-value]


def done(session: Session, location: str) -> Response:
    """Return the answer to a form whose work is done in this unit of work: go there; the same form will lead there again.

    Raises SentBefore, which takes the work back, when somebody else has done it meanwhile.
    """
    key = request.form.get("key", "")
    if key:
        body = {"location": location}
        if not idempotency.remember(session, scope=_scope(), key=key[:200], payload=_payload(), status=303, body=body, now=now()):
            raise SentBefore(_("This form is being recorded right now. Look at the list in a moment."))
    return redirect(location, 303)  # type: ignore[return-value]


def _drawn_for_whom() -> None:
    """Refuse a form of a member's pages that was drawn while its sender worked for another member, in another tab.

    Raises SentForAnother.
    """
    if request.method != "POST" or not request.path.startswith("/producer/") or "csrf_token" not in request.form:
        return
    if request.form.get("for_member", "") != str(current_actor().on_behalf_of or ""):
        raise SentForAnother(_("This was filled in for another member. Nothing is recorded; fill it in again on their page."))


def _scope() -> str:
    return f"{current_actor().label}:form:{request.path}"


def _payload() -> dict[str, list[str]]:
    return {name: request.form.getlist(name) for name in request.form if name not in _OWN}


def _readable(response: Response) -> Response:
    if response.status_code == 303 and HEADER in request.headers:
        response.status_code, response.data = 204, b""
    return response


def init_app(app: Flask) -> None:
    """Give templates the fields, and scripts an answer that they can read."""
    app.jinja_env.globals["sending_fields"], app.jinja_env.globals["form_key"] = fields, form_key
    app.before_request(_drawn_for_whom)
    app.after_request(_readable)
