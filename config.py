"""Settings: one frozen object, read once from the environment, all problems reported together.

Queues, schedules and texts are code, not settings. No secret has a default; `market.embedded` makes those of the local
demo. `python -m config` writes `.env.example` from the fields below.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit


class SettingsError(ValueError):
    """Everything that is wrong with the environment, one line each."""


def _setting(name: str, about: str, *, read: Callable[[str], Any] = str, secret: bool = False, default: Any = MISSING) -> Any:
    metadata = {"name": name, "about": about, "read": read}
    if default is MISSING:
        return field(metadata=metadata, repr=not secret)
    return field(default=default, metadata=metadata, repr=not secret)


def _database(text: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if text.startswith(prefix):
            return "postgresql+psycopg://" + text.removeprefix(prefix)
    if not text.startswith("postgresql+psycopg://"):
        raise ValueError("must begin with postgresql://")
    return text


def _redis(text: str) -> str:
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError("must begin with redis:// or rediss://")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("must be an http or https address")
    return text.rstrip("/")


LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_of(netloc: str) -> str:
    """Return the name in a Host header or address, in lower case, without port."""
    name, colon, port = netloc.rpartition(":")
    return (name if colon and port.isdecimal() else netloc).lower()


def _env(text: str) -> str:
    if text not in ("development", "test", "production"):
        raise ValueError("must be development, test or production")
    return text


def _secret(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def _whole(text: str) -> int:
    return int(text)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process needs to know about where it runs."""

    database_url: str = _setting("DATABASE_URL", "PostgreSQL 15 or newer, as the database's owner", read=_database, secret=True)
    redis_url: str = _setting("REDIS_URL", "Redis or Valkey: broker and counters", read=_redis, secret=True)
    secret_key: str = _setting("SECRET_KEY", "signs sessions and links", read=_secret, secret=True)
    password_salt: str = _setting("PASSWORD_SALT", "peppers password hashes", read=_secret, secret=True)
    stripe_key: str = _setting("STRIPE_KEY", "secret key of the Stripe account", secret=True)
    stripe_webhook_secret: str = _setting("STRIPE_WEBHOOK_SECRET", "signs what Stripe sends us", secret=True)
    env: str = _setting("MARKET_ENV", "development, test or production", read=_env, default="production")
    public_url: str = _setting("PUBLIC_URL", "where people reach the site", read=_url, default="http://127.0.0.1:8000")
    id_url: str = _setting(
        "ID_URL", "prefix of lot and party identifiers, promised for good", read=_url, default="https://id.market.example"
    )
    stripe_api_base: str = _setting(
        "STRIPE_API_BASE", "another server that speaks Stripe's protocol", read=_url, default="https://api.stripe.com"
    )
    momo_api_base: str = _setting(
        "MOMO_API_BASE",
        "a mobile-money provider that speaks MTN MoMo's disbursement protocol; empty: none",
        read=_url,
        default="",
    )
    momo_user: str = _setting("MOMO_USER", "its API user", default="")
    momo_key: str = _setting("MOMO_KEY", "and the user's key", secret=True, default="")
    momo_subscription_key: str = _setting("MOMO_SUBSCRIPTION_KEY", "the subscription of the product", secret=True, default="")
    momo_environment: str = _setting("MOMO_ENVIRONMENT", "the provider's environment, such as mtnrwanda", default="sandbox")
    smtp_host: str = _setting("SMTP_HOST", "mail server", default="127.0.0.1")
    smtp_port: int = _setting("SMTP_PORT", "its port", read=_whole, default=25)
    smtp_user: str = _setting("SMTP_USER", "its account, if it asks for one", default="")
    smtp_password: str = _setting("SMTP_PASSWORD", "and password", secret=True, default="")
    smtp_tls: bool = _setting("SMTP_TLS", "1 to start TLS", read=lambda text: text == "1", default=False)
    mail_from: str = _setting("MAIL_FROM", "sender of our mail", default="Fair Market <no-reply@market.example>")
    files_url: str = _setting("FILES_URL", "where photos and documents lie: a folder or s3://bucket", default="var/files")
    allowed_hosts: frozenset[str] = _setting(
        "ALLOWED_HOSTS",
        "names besides PUBLIC_URL's under which the site answers, between commas; loopback ones count outside production",
        read=lambda text: frozenset(name.strip().lower() for name in text.split(",") if name.strip()),
        default=frozenset(),
    )
    guest_orders_per_email: int = _setting(
        "GUEST_ORDERS_PER_EMAIL",
        "orders without an account in an hour for one e-mail address, and unpaid ones with one; 0 is no limit",
        read=_whole,
        default=6,
    )
    guest_orders_per_address: int = _setting(
        "GUEST_ORDERS_PER_ADDRESS", "the same from one network address", read=_whole, default=30
    )
    unpaid_orders: int = _setting(
        "UNPAID_ORDERS", "orders of one buyer that may wait for a bank transfer at a time; 0 is no limit", read=_whole, default=5
    )
    guest_unpaid_value: int = _setting(
        "GUEST_UNPAID_VALUE",
        "what they may come to for a buyer without an account, in whole units of the currency; 0 is no limit",
        read=_whole,
        default=2000,
    )
    proxy_hops: int = _setting("PROXY_HOPS", "trusted reverse proxies in front", read=_whole, default=0)

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the site answers, without port; IPv6 in brackets."""
        loopback = frozenset() if self.env == "production" else LOOPBACK
        return self.allowed_hosts | loopback | {host_of(urlsplit(self.public_url).netloc)}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every setting. Raises SettingsError with one line per problem, unknown MARKET_* names included."""
        problems: list[str] = []
        values: dict[str, Any] = {}
        known = {"MARKET_DATA"}
        for item in fields(cls):
            name = item.metadata["name"]
            known.add(name)
            text = environ.get(name)
            if text is None or text == "":
                if item.default is MISSING:
                    problems.append(f"{name} is missing: {item.metadata['about']}")
                continue
            try:
                values[item.name] = item.metadata["read"](text)
            except ValueError as error:
                problems.append(f"{name} {error}")
        problems += [f"{name} is not a setting" for name in sorted(environ) if name.startswith("MARKET_") and name not in known]
        if problems:
            raise SettingsError("The settings cannot be used:\n  " + "\n  ".join(problems))
        return cls(**values)


def env_example() -> str:
    """Return the text of `.env.example`: every setting with its meaning and default."""
    lines = ["# Settings of Fair Market. `make run` needs none of them; a server needs those without a value.", ""]
    for item in fields(Settings):
        lines.append(f"# {item.metadata['about']}")
        default = "" if item.default is MISSING else item.default
        shown = int(default) if isinstance(default, bool) else ",".join(default) if isinstance(default, frozenset) else default
        lines.append(f"{item.metadata['name']}={shown}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(env_example(), end="")
