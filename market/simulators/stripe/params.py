"""Check a request against the parameter types that the SDK itself publishes.

Stripe refuses unknown, missing and ill-typed parameters; so does this, from the SDK's own TypedDicts, to any
depth. Literals there also allow any string, so the few enumerations that matter are enforced by the handlers.
"""

import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, NotRequired, Required
from urllib.parse import parse_qsl

from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from .problems import Refusal, invalid

INTEGER = re.compile(r"-?[0-9]{1,18}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
OPTIONS = frozenset(RequestOptions.__annotations__)
UNIONS = (typing.Union, types.UnionType)


def nested(encoded: str) -> dict[str, Any]:
    """Turn `a[b][0][c]=1` into {"a": {"b": {"0": {"c": "1"}}}}."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        branch, key = tree, first
        for step in rest:
            inner = branch.setdefault(key, {})
            if not isinstance(inner, dict):
                raise invalid(f"Invalid parameter: {name}", name)
            branch, key = inner, step or str(len(inner))
        branch[key] = value
    return tree


@cache
def fields_of(shape: type) -> tuple[dict[str, Any], frozenset[str]]:
    """The parameters of a TypedDict with their types, request options left out, and which are required."""
    hints = typing.get_type_hints(shape, localns={"StripeContext": object, "Mapping": Mapping}, include_extras=True)
    known = {name: hint for name, hint in hints.items() if name not in OPTIONS}
    return known, frozenset(shape.__required_keys__) & known.keys()  # type: ignore[attr-defined]


def check(given: Mapping[str, Any], shape: type) -> dict[str, Any]:
    """Return `given` with typed values, or refuse it as Stripe would."""
    return _checked_fields(given, shape, "")


def _checked_fields(given: Mapping[str, Any], shape: type, path: str) -> dict[str, Any]:
    known, required = fields_of(shape)
    for name in given:
        if name not in known:
            raise invalid(f"Received unknown parameter: {_join(path, name)}", _join(path, name), "parameter_unknown")
    for name in sorted(required):
        if name not in given:
            raise invalid(f"Missing required param: {_join(path, name)}.", _join(path, name), "parameter_missing")
    return {name: _checked(value, known[name], _join(path, name)) for name, value in given.items()}


def _checked(value: Any, hint: Any, path: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (NotRequired, Required, typing.NotRequired, typing.Required):
        return _checked(value, arguments[0], path)
    if origin in UNIONS:
        return _first_that_fits(value, arguments, path)
    if origin is typing.Literal:
        if value in arguments:
            return value
        raise invalid(f"Invalid {path}: must be one of {', '.join(map(str, arguments))}", path)
    if origin is list:
        if not isinstance(value, dict | list):
            raise invalid("Invalid array", path)
        items = value if isinstance(value, list) else [value[key] for key in sorted(value, key=_position)]
        return [_checked(item, arguments[0], f"{path}[{number}]") for number, item in enumerate(items)]
    if is_typeddict(hint) or typing.is_typeddict(hint):
        if not isinstance(value, dict):
            raise invalid("Invalid object", path)
        return _checked_fields(value, hint, path)
    if origin in (dict, Mapping) or getattr(origin or hint, "__name__", "") == "UntypedStripeObject":
        if not isinstance(value, dict):
            raise invalid("Invalid object", path)
        return {str(key): item if isinstance(item, dict) else str(item) for key, item in value.items()}
    return _checked_scalar(value, hint, path)


def _checked_scalar(value: Any, hint: Any, path: str) -> Any:
    if hint is int:
        if isinstance(value, bool) or not INTEGER.fullmatch(str(value)):
            raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
        return int(value)
    if hint is bool:
        if str(value).lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", path)
        return str(value).lower() == "true"
    if hint is str:
        if not isinstance(value, str):
            raise invalid("Invalid string", path)
        if len(value) > 5000:
            raise invalid("Invalid string: longer than 5000 characters", path)
        return value
    if hint is float or getattr(hint, "__name__", "") == "Decimal":
        if not NUMBER.fullmatch(str(value)):
            raise invalid(f"Invalid decimal: {value}", path)
        return str(value)
    return value


def _first_that_fits(value: Any, hints: tuple[Any, ...], path: str) -> Any:
    refusal: Refusal | None = None
    for hint in sorted(hints, key=lambda hint: hint is str):  # a string would swallow every number
        try:
            return _checked(value, hint, path)
        except Refusal as error:
            refusal = error if refusal is None or (isinstance(value, dict) and typing.is_typeddict(hint)) else refusal
    assert refusal is not None
    raise refusal


def _position(key: str) -> int:
    if not key.isdigit():
        raise invalid(f"Invalid array index: {key}")
    return int(key)


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
