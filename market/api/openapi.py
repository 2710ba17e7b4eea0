"""The API's frame: problems as RFC 9457 says, unknown names refused in bodies and queries, one OpenAPI document.

The document is checked in at `docs/openapi.json`; its diff is part of every review.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from json import JSONDecodeError
from threading import Lock
from typing import Any

from flask import Flask, Request, Response, json
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Api
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from market.http.auth import access
from market.kernel.money import EXPONENTS
from market.kernel.money import Money as MoneyValue


class Strict(Schema):
    """The base of every schema: a name that is not declared is refused."""

    class Meta:
        """Refuse unknown names."""

        unknown = RAISE


MOST_MINOR = 10**15
"""What one posting of the books can be at most, in minor units (money.md 1.4)."""


class MoneySchema(Strict):
    """An amount in minor units of a currency."""

    minor = fields.Integer(required=True, strict=True, validate=validate.Range(-MOST_MINOR, MOST_MINOR))
    currency = fields.String(required=True, validate=lambda code: code in EXPONENTS or _not_a_currency(code))


def _not_a_currency(code: str) -> bool:
    raise ValidationError(f"{code!r} is not a currency of ISO 4217.")


def money_out(amount: MoneyValue) -> dict[str, Any]:
    """Return an amount as the API shows it."""
    return {"minor": amount.minor, "currency": amount.currency}


class ProblemLine(Schema):
    """One thing that is wrong with one field."""

    pointer = fields.String()
    detail = fields.String()


class ProblemSchema(Schema):
    """A refusal (RFC 9457) with its stable code."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String()
    pointer = fields.String()
    errors = fields.List(fields.Nested(ProblemLine))
    facts = fields.Dict()


class _Json(DefaultJSONProvider):
    """Flask's JSON, for which a body that is nested beyond all use is as unreadable as one with a missing bracket."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise JSONDecodeError("nested too deep", "[", 0) from error


class _Parser(FlaskParser):
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": RAISE, "json": RAISE}

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Leave out `lang`, which every address takes: the language of refusals is no affair of one operation."""
        asked = MultiDict((name, value) for name, value in req.args.items(multi=True) if name != "lang")
        return self._makeproxy(asked, schema)

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except RecursionError as error:
            raise JSONDecodeError("nested too deep", "[", 0) from error


class Blueprint(SmorestBlueprint):
    """A blueprint of the API whose queries refuse names they do not know.

    Its views are described when somebody asks for the document: that takes longer than to register them, at each start.
    """

    ARGUMENTS_PARSER = _Parser()

    def register_views_in_doc(self, api: "_Api", *args: Any, **kwargs: Any) -> None:
        """Note that the views are to be described."""
        api.undescribed.append(partial(super().register_views_in_doc, api, *args, **kwargs))


class _Api(Api):  # type: ignore[misc]
    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE: str = "application/json"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.undescribed: list[Callable[[], None]] = []
        self._describing = Lock()
        super().__init__(*args, **kwargs)

    def described(self) -> dict[str, Any]:
        """Return the document, with every view that is registered by now."""
        with self._describing:
            while self.undescribed:
                self.undescribed.pop(0)()
            result: dict[str, Any] = _plain(self.spec.to_dict())
        return result

    def _register_responses(self) -> None:
        # Only the default (error) responses are problems; successful ones stay plain JSON.
        usual = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/problem+json"
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = usual

    def _register_error_handlers(self) -> None:
        # `market.http.problems` answers for the whole app.
        return None

    def handle_http_exception(self, error: HTTPException) -> Any:
        return error


def _decimal_as_text(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    """Describe decimals that travel as text as text: JSON numbers would lose digits on the way."""
    if isinstance(field, fields.Decimal) and field.as_string:
        return {"type": ["string", "null"] if field.allow_none else "string", "format": "decimal"}
    return {}


_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})


def _plain(value: Any, key: str = "") -> Any:
    """Return a copy in which bounds are JSON numbers, and 422 has its name of today.

    The library writes bounds of decimal fields as texts or Decimals, and takes names of statuses from Python.
    """
    if isinstance(value, dict):
        return {_named(str(name)): _plain(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal) or (key in _BOUNDS and isinstance(value, str)):
        number = Decimal(value)
        return int(number) if number == int(number) else float(number)
    return _named(value) if isinstance(value, str) else value


def _named(text: str) -> str:
    """Call 422 what RFC 9110 15.5.21 calls it, and Python from 3.13 on: the document is the same whichever Python wrote it."""
    return text.replace("UNPROCESSABLE_ENTITY", "UNPROCESSABLE_CONTENT").replace("Unprocessable Entity", "Unprocessable Content")


def document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of everything registered."""
    api: _Api = app.extensions["api"]
    return api.described()


def text(app: Flask) -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(app), indent=1, sort_keys=True) + "\n"


def init_app(app: Flask, blueprints: Sequence[Blueprint]) -> None:
    """Register the API's blueprints and serve the document."""
    app.json = _Json(app)
    app.config.update(API_TITLE="Fair Market", API_VERSION="v1", OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=None)
    api = _Api(
        app, spec_kwargs={"info": {"description": "The JSON API of Fair Market.", "license": {"name": "See the repository"}}}
    )
    app.extensions["api"] = api
    api.ma_plugin.converter.add_attribute_function(_decimal_as_text)
    for blueprint in blueprints:
        api.register_blueprint(blueprint, url_prefix="/api/v1" + (blueprint.url_prefix or ""))

    @app.get("/api/v1/openapi.json", endpoint="openapi")
    @access("public")
    def openapi() -> Response:
        response = Response(text(app), content_type="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response
