"""What an e-mail address, a language, a role and an API key may be. Pure; the service calls these before it writes."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from market.accounts.errors import BadApiKeyRequest, BadEmail, BadProfile, BadRole
from market.kernel.languages import LANGUAGES
from market.kernel.words import N_, say

LOCALES = LANGUAGES
"""Languages in which letters are written."""

COOP_ROLES = frozenset({"preparer", "approver"})
SITE_ROLES = frozenset({"admin"})

AREAS = (
    "account", "catalogue", "community", "coops", "ledger", "members", "orders", "payments", "payouts", "prices", "producers",
    "provenance", "statements",
)  # fmt: skip
SCOPES = frozenset(f"{area}:{verb}" for area in AREAS for verb in ("read", "write"))
"""What a key can be allowed, one pair per area of the API; a route names the one it needs."""

LONGEST_KEY_LIFE = timedelta(days=366)
_MARK = "fm_"
_PREFIX_SIZE = 12
_TOP_LEVEL = re.compile(r"@.+\.[^.]{2,}$")
_NO_EMAIL = N_("Please enter the whole e-mail address, such as ana@example.org.")
_NOT_SENT_TO = N_(
    "Before the @, only addresses of plain letters (a to z), digits and signs get our letters. Please enter another one."
)


def checked_email(text: str) -> str:
    """Return the address in lower case, in its canonical form. Raises BadEmail. Asks no server whether it exists.

    The domain has a dot, and no top-level domain has one letter (RFC 5321, 2.3.5; the root zone of IANA). It may have letters
    of any script, which mail servers know by other names (RFC 5890); what stands before the @ may not, since few servers
    take it (RFC 6531).
    """
    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise BadEmail(_NO_EMAIL, pointer="/email") from error
    if not checked.partition("@")[0].isascii():
        raise BadEmail(_NOT_SENT_TO, pointer="/email")
    if not _TOP_LEVEL.search(checked):
        raise BadEmail(_NO_EMAIL, pointer="/email")
    return checked


def checked_name(text: str) -> str:
    """Return a person's name on one line, at most 200 characters. Raises BadProfile when nothing is left."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= 200:
        raise BadProfile("Write a name of 1 to 200 characters; any name that people know you by.", pointer="/name")
    return name


def checked_locale(text: str) -> str:
    """Return a language that letters are written in. Raises BadProfile."""
    if text not in LOCALES:
        raise BadProfile(
            say("Letters come in %(locales)s; '%(text)s' is not among them.", locales=LOCALES, text=text), pointer="/locale"
        )
    return text


def check_role(role: str, coop_id: UUID | None) -> None:
    """Raise BadRole unless the role exists and is for a co-op exactly when it must be."""
    if role not in COOP_ROLES | SITE_ROLES:
        raise BadRole(
            say("Roles are %(coop_roles)s; '%(role)s' is not one.", coop_roles=sorted(COOP_ROLES | SITE_ROLES), role=role),
            pointer="/role",
        )
    if (role in COOP_ROLES) != (coop_id is not None):
        raise BadRole("Preparers and approvers work for one co-op, administrators for none.", pointer="/coop_id")


def check_key_request(label: str, scopes: Iterable[str], expires_at: datetime, now: datetime) -> None:
    """Raise BadApiKeyRequest unless a key may be made with this label, these scopes and this end."""
    wanted = set(scopes)
    if not 1 <= len(label.strip()) <= 100:
        raise BadApiKeyRequest("Give the key a label of 1 to 100 characters, so that you know it again.", pointer="/label")
    if not wanted or not wanted <= SCOPES:
        unknown = ", ".join(sorted(wanted - SCOPES)) or "none"
        raise BadApiKeyRequest(
            say("Choose at least one scope that exists; not: %(unknown)s.", unknown=unknown), pointer="/scopes"
        )
    if not now < expires_at <= now + LONGEST_KEY_LIFE:
        raise BadApiKeyRequest("A key ends at a day in the future, within a year.", pointer="/expires_at")


def key_text(prefix: str, secret: str) -> str:
    """Return the key as its holder keeps it; the mark lets secret scanners find leaked ones."""
    return f"{_MARK}{prefix}.{secret}"


def split_key(text: str) -> tuple[str, str] | None:
    """Return prefix and secret of a presented key, or None when it has not the shape of one."""
    prefix, dot, secret = text.removeprefix(_MARK).partition(".")
    if not text.startswith(_MARK) or not dot or len(prefix) != _PREFIX_SIZE or not secret:
        return None
    return prefix, secret


def secret_hash(secret: str) -> bytes:
    """Return the SHA-256 of a key's secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def same_secret(secret: str, stored: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(secret_hash(secret), stored)
