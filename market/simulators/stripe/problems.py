"""Refusals in Stripe's own form."""

from typing import Any


class Refusal(Exception):
    """An error answer.

    `executed` says that work had begun: such answers are kept under the idempotency key and replayed, while
    failed validation is not (docs.stripe.com/api/idempotent_requests). `keep` commits what was written before
    the refusal, as a declined card leaves a failed charge behind.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
        keep: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.executed, self.keep = status, executed, keep
        fields = {"type": kind, "message": message, "code": code, "param": param, **more}
        self.body = {"error": {name: value for name, value in fields.items() if value is not None}}


def missing(what: str, identity: str, param: str = "id") -> Refusal:
    """An object that does not exist: 404 in the path, 400 in a parameter."""
    status = 404 if param == "id" else 400
    return Refusal(status, f"No such {what}: '{identity}'", code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str = "parameter_invalid") -> Refusal:
    """A parameter that is wrong; never kept under an idempotency key."""
    return Refusal(400, message, code=code, param=param, executed=False)
