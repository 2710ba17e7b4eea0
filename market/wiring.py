"""Settings choose the outside world: the real gateways, which also speak to our own local servers."""

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask

from config import Settings
from market.gateways.documents import TypstDocuments
from market.gateways.files import ObjectFiles
from market.gateways.mobile_money import MobileMoney
from market.gateways.smtp_mailer import SmtpMailer
from market.gateways.stripe_cards import StripeCards
from market.gateways.stripe_recipients import StripeRecipients
from market.gateways.stripe_transfers import StripeTransfers
from market.http import db, i18n
from market.kernel.clock import Clock, SystemClock
from market.ports import Ports


class _Site(Flask):
    """Flask without coroutines: it asks of every function that it calls, at every request, whether it is one."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def bare_app(settings: Settings, ports: Ports | None = None, clock: Clock | None = None) -> Flask:
    """Build what every process of the market has: settings, gateways, clock, database, languages. No page, no API.

    A worker needs no more, and what it does not load it does not hold in memory. `ports` and `clock` are given by tests.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = _Site("market", static_folder="web/static", template_folder="web/templates")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="market",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        MAX_CONTENT_LENGTH=64 * 1024 * 1024,
        TESTING=settings.env == "test",
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["settings"] = settings
    app.extensions["ports"] = ports or build_ports(settings)
    app.extensions["clock"] = clock or SystemClock()
    db.init_app(app, settings)
    i18n.init_app(app)
    return app


def build_ports(settings: Settings) -> Ports:
    """Return the gateways for `settings`; nothing is contacted yet."""
    return Ports(
        cards=StripeCards(
            key=settings.stripe_key, webhook_secret=settings.stripe_webhook_secret, api_base=settings.stripe_api_base
        ),
        transfers=StripeTransfers(key=settings.stripe_key, api_base=settings.stripe_api_base),
        recipients=StripeRecipients(key=settings.stripe_key, api_base=settings.stripe_api_base),
        wallets=_wallets(settings),
        files=ObjectFiles(settings.files_url),
        documents=TypstDocuments(),
        mailer=SmtpMailer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user,
            password=settings.smtp_password,
            tls=settings.smtp_tls,
            sender=settings.mail_from,
        ),
    )


def _wallets(settings: Settings) -> MobileMoney | None:
    if not settings.momo_api_base:
        return None
    return MobileMoney(
        api_base=settings.momo_api_base,
        user=settings.momo_user,
        key=settings.momo_key,
        subscription=settings.momo_subscription_key,
        target=settings.momo_environment,
        callback=f"{settings.public_url}/hooks/mobile-money",
    )
