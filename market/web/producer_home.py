"""A producer's home: what they are owed, the next payment, what waits for them; and what a phone without signal needs.

The service worker keeps the pages below `/producer` as they were last seen. `X-Pages-Of` says whose they are, so that it
never shows them to somebody else on the same phone.
"""

import hashlib
from uuid import UUID

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from market.http.auth import NotYours, access, current_actor
from market.http.clock import today
from market.http.db import unit_of_work
from market.kernel.actor import GUEST
from market.payables import queries as payables
from market.producers import queries as producers
from market.reports.queries import producer_home

blueprint = Blueprint("producer_home", __name__, url_prefix="/producer")


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """Show the home of a producer."""
    producer_id = _me()
    with unit_of_work() as session:
        me = producers.producer(session, producer_id)
        on = today(producers.coop(session, me.coop_id).time_zone)
        return render_template(
            "producer/home.html",
            me=me,
            owed=payables.owed_to(session, producer_id),
            held=producer_home.held(session, producer_id),
            payouts=producer_home.next_payouts(session, producer_id, on=on),
            tasks=producer_home.tasks(session, producer_id, coop_id=me.coop_id, on=on),
        )


@blueprint.get("/ticket")
@access("producer")
def ticket() -> ResponseReturnValue:
    """Give a script what a kept form needs to be sent now: the session's token, and whose pages these are."""
    return jsonify(token=generate_csrf(), owner=str(_me()))


@blueprint.get("/sw.js")
@access("public")
def worker() -> ResponseReturnValue:
    """Give the service worker of the producers' pages; browsers look for a new one at each visit."""
    answer = current_app.send_static_file("sw.js")
    answer.headers["Service-Worker-Allowed"] = blueprint.url_prefix or ""
    answer.headers["Cache-Control"] = "public, no-cache"
    return answer


@blueprint.after_app_request
def _whose(answer: Response) -> Response:
    if request.path == "/producer" or request.path.startswith("/producer/"):
        actor = g.get("actor", GUEST)
        if actor.producer_id is not None:
            whose = f"{actor.account_id}:{actor.producer_id}".encode()
            answer.headers["X-Pages-Of"] = hashlib.blake2b(whose, digest_size=12).hexdigest()
    return answer


def _me() -> UUID:
    producer_id = current_actor().producer_id
    if producer_id is None:
        raise NotYours("This needs a producer, and your account is none.")
    return producer_id
