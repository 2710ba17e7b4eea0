"""The inbox as pages for people and as JSON for tests."""

from uuid import UUID

from flask import Flask, Response, abort, jsonify, render_template, request
from werkzeug.wrappers.response import Response as AnyResponse

from market.simulators.mail.store import Caught, Mailbox

# What a mail contains is shown, never run: no script, no form, nothing fetched from elsewhere.
MAIL_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"


def create_pages(mailbox: Mailbox) -> Flask:
    """Return the web application of the inbox; it answers on loopback names alone."""
    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]

    def found(id: UUID) -> Caught:
        return mailbox.get(id) or abort(404)

    @app.get("/")
    def inbox() -> str:
        to = request.args.get("to", "").strip()
        return render_template("inbox.html", messages=mailbox.newest(to=to), to=to)

    @app.get("/messages.json")
    def listing() -> Response:
        newest = mailbox.newest(to=request.args.get("to", ""), limit=int(request.args.get("limit", 100)))
        return jsonify([caught.as_json() for caught in newest])

    @app.get("/messages/<uuid:id>")
    def message(id: UUID) -> str:
        return render_template("message.html", caught=found(id))

    @app.get("/messages/<uuid:id>/html")
    def html(id: UUID) -> Response:
        answer = Response(found(id).html or abort(404), mimetype="text/html")
        answer.headers["Content-Security-Policy"] = MAIL_POLICY
        return answer

    @app.get("/messages/<uuid:id>/raw")
    def raw(id: UUID) -> Response:
        found(id)
        return Response(mailbox.raw(id), mimetype="text/plain")

    @app.get("/messages/<uuid:id>/attachments/<int:number>")
    def attachment(id: UUID, number: int) -> Response:
        attachments = found(id).attachments
        if number >= len(attachments):
            abort(404)
        name, content = attachments[number]
        answer = Response(content, mimetype="application/octet-stream")
        answer.headers.set("Content-Disposition", "attachment", filename=name)
        return answer

    @app.after_request
    def harden(response: AnyResponse) -> AnyResponse:
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    return app
