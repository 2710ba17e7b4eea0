"""What every answer carries: a strict content policy, no sniffing, and caching only where a view asked for it."""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from config import Settings, host_of

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self' {card_page}",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def card_page(settings: Settings) -> str:
    """Return the origin of the hosted card page: browsers hold `form-action` also against where a form's answer redirects."""
    api = urlsplit(settings.stripe_api_base)
    return "https://checkout.stripe.com" if api.hostname == "api.stripe.com" else f"{api.scheme}://{api.netloc}"


_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


def standing(app: Flask, *, secure: bool) -> list[tuple[str, str]]:
    """Return the headers that an answer carries when its view set none of them, in their order."""
    strict = [("Strict-Transport-Security", "max-age=31536000")] if secure else []
    return [*_ALWAYS, ("Content-Security-Policy", app.config["CONTENT_POLICY"]), *strict]


def _add(response: Response) -> Response:
    headers = response.headers
    present = {name.lower() for name, _ in headers}  # one look over them: `setdefault` looks once for each
    for name, value in current_app.extensions["headers"][request.is_secure]:
        if name.lower() not in present:
            headers.add(name, value)
    if "cache-control" not in present:
        headers.add("Cache-Control", "private, no-store")
    return response


# Asked by machines that know an address and no name; their answers hold no link.
_FOR_MACHINES = ("/healthz", "/readyz", "/metrics")


def _known_host() -> None:
    """Refuse a Host header that is none of ours: links, caches and proxies must not follow a stranger's."""
    if host_of(request.environ.get("HTTP_HOST", "")) not in current_app.config["HOSTS"] and request.path not in _FOR_MACHINES:
        raise BadRequest(_("This site is not reached under the name in your request. Use the address that you were given."))


def init_app(app: Flask) -> None:
    """Put the headers on every answer, and answer only under the names of the site."""
    app.config["HOSTS"] = app.extensions["settings"].hosts
    app.before_request_funcs.setdefault(None, []).insert(0, _known_host)
    app.config["CONTENT_POLICY"] = _POLICY.format(card_page=card_page(app.extensions["settings"]))
    app.extensions["headers"] = {secure: standing(app, secure=secure) for secure in (False, True)}
    app.after_request(_add)
