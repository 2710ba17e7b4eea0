"""Refusals about people, roles and keys."""

from market.kernel.errors import Conflict, DomainError, Forbidden, Invalid, Missing


class BadEmail(Invalid):
    """The text is not an e-mail address."""

    code = "accounts.bad_email"


class BadProfile(Invalid):
    """A name or language cannot be used."""

    code = "accounts.bad_profile"


class EmailTaken(Conflict):
    """Another account has the address."""

    code = "accounts.email_taken"


class AccountMissing(Missing):
    """No such account for this person."""

    code = "accounts.missing"


class BadRole(Invalid):
    """The role does not exist, or is held for a co-op and none was named (or the reverse)."""

    code = "accounts.bad_role"


class RoleNotYoursToGive(Forbidden):
    """Only an administrator grants and takes roles."""

    code = "accounts.role_not_yours_to_give"


class BadApiKeyRequest(Invalid):
    """The key cannot be made like this: no label, unknown scope, or too long a life."""

    code = "accounts.bad_api_key_request"


class ApiKeyMissing(Missing):
    """No such key for this person."""

    code = "accounts.api_key_missing"


class ApiKeyRefused(DomainError):
    """The presented key opens nothing: unknown, revoked or past its day."""

    kind = "anonymous"
    code = "accounts.api_key_refused"
