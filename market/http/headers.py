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


def _add(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", current_app.config["CONTENT_POLICY"])
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "private, no-store"
    return response


def init_app(app: Flask) -> None:
    """Put the headers on every answer."""
    app.config["CONTENT_POLICY"] = _POLICY.format(card_page=card_page(app.extensions["settings"]))
    app.after_request(_add)
