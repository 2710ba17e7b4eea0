"""Forged requests: a form or script that rides on a person's cookie needs their token; keys and webhooks ride on none.

A visitor who only reads gets no cookie, so the forms of public pages carry no token for them: what they send counts when the
browser itself says that it comes from a page of ours (`Origin`, or `Referer` from browsers that send none).
"""

from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect, generate_csrf
from markupsafe import Markup

from market.http.auth import access_of, current_actor

csrf = CSRFProtect()


def field() -> Markup:
    """Return the hidden field that every form of ours carries; nothing for a visitor without a session, but at the door.

    Whoever works for a member has the member's name in it, too: `sending` refuses what was drawn for another.
    """
    reads = current_app.config["SESSION_COOKIE_NAME"] not in request.cookies and current_actor().account_id is None
    if reads and request.blueprint != "security":
        return Markup("")
    token = Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())
    member = current_actor().on_behalf_of
    return token + Markup('<input type="hidden" name="for_member" value="{}">').format(member) if member else token


def _protect() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.endpoint is None:
        return
    if request.headers.get("Authorization", "").startswith("Bearer "):
        return
    declared = access_of(current_app._get_current_object(), request.endpoint, request.method)  # type: ignore[attr-defined]
    if declared is not None and "webhook" in declared.words:
        return
    rides_on_cookie = current_app.config["SESSION_COOKIE_NAME"] in request.cookies
    if request.path.startswith("/api/") and not rides_on_cookie:
        return
    if declared is not None and "public" in declared.words and "csrf_token" not in request.form and _is_ours():
        return
    csrf.protect()


def _is_ours() -> bool:
    """Whether the browser says that the request comes from a page of this site."""
    source = urlsplit(request.headers.get("Origin") or request.headers.get("Referer") or "")
    return source.scheme == request.scheme and source.netloc == request.host


def init_app(app: Flask) -> None:
    """Check every unsafe request that a browser could have been tricked into."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_SSL_STRICT"] = True
    csrf.init_app(app)
    app.before_request(_protect)
    app.jinja_env.globals["csrf_field"] = field
