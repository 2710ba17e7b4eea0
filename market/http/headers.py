"""What every answer carries: a strict content policy, no sniffing, and caching only where a view asked for it."""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request

from config import Settings

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


def _add(response: Response) -> Response:
    headers = response.headers
    present = {name.lower() for name, _ in headers}  # one look over them: `setdefault` looks once for each
    for name, value in _ALWAYS:
        if name.lower() not in present:
            headers.add(name, value)
    if "content-security-policy" not in present:
        headers.add("Content-Security-Policy", current_app.config["CONTENT_POLICY"])
    if request.is_secure and "strict-transport-security" not in present:
        headers.add("Strict-Transport-Security", "max-age=31536000")
    if "cache-control" not in present:
        headers.add("Cache-Control", "private, no-store")
    return response


def init_app(app: Flask) -> None:
    """Put the headers on every answer."""
    app.config["CONTENT_POLICY"] = _POLICY.format(card_page=card_page(app.extensions["settings"]))
    app.after_request(_add)
