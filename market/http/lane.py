"""The short way: the hottest public reads, answered in front of Flask with the bytes that Flask would send.

A road shares its query, its view's declaration of access and its headers with the long way, and is taken by plain requests
alone: a GET under a name of the site, without cookie and key, whose query it understands and whose answer is there. Everything
else goes on to Flask: people, programs with keys, odd queries, refusals, faults. A test drives requests both ways and compares
byte by byte.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config import host_of
from market.http import db, headers
from market.http.auth import access_of
from market.http.conditional import PUBLIC, tag_of
from market.kernel.errors import DomainError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = tuple[bytes, str | None]
"""A JSON body, and its tag where one was stored with it."""

_ONE_TAG = re.compile(r'(?:W/)?"([!#-~]*)"')
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Road:
    """A view that has a short way. `path` ends with a slash when something of the address follows it."""

    endpoint: str
    path: str
    answer: Callable[[Connection, str, str], Answer | None]
    """Takes what follows the path and the query as sent; None sends the request on to Flask."""
    version: Callable[[Connection], bytes] | None = None
    """Something cheap to read that is another one whenever any answer of the road may be another one."""


class Lane:
    """The WSGI application that knows the roads and hands everything else on."""

    def __init__(self, app: Flask, roads: Iterable[Road]) -> None:
        self._app = app
        self.further: WSGIApplication = app.wsgi_app
        self._roads = {road.path: road for road in roads}
        self._hosts: frozenset[str] = app.config["HOSTS"]
        self._tags: dict[tuple[str, str], tuple[bytes, str]] = {}
        standing = {secure: headers.standing(app, secure=secure) for secure in (False, True)}
        self._standing = {secure: [*always, ("Vary", "Cookie")] for secure, always in standing.items()}
        for road in self._roads.values():
            declared = access_of(app, road.endpoint, "GET")
            if declared is None or "public" not in declared.words:
                raise ValueError(f"{road.endpoint} is not public and cannot have a short way")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer, or let Flask."""
        path: str = environ["PATH_INFO"]
        road, rest = self._roads.get(path), ""
        if road is None:
            cut = path.rfind("/") + 1
            road, rest = self._roads.get(path[:cut]), path[cut:]
        if (
            road is None
            or environ["REQUEST_METHOD"] != "GET"
            or "HTTP_COOKIE" in environ
            or "HTTP_AUTHORIZATION" in environ
            or environ.get("SCRIPT_NAME")
            or host_of(environ.get("HTTP_HOST", "")) not in self._hosts
        ):
            return self.further(environ, start_response)
        asked: str | None = environ.get("HTTP_IF_NONE_MATCH")
        known = _ONE_TAG.fullmatch(asked) if asked is not None else None
        if asked is not None and known is None:
            return self.further(environ, start_response)
        found = self._found(road, rest, environ.get("QUERY_STRING", ""), known[1] if known else None)
        if found is None:
            return self.further(environ, start_response)
        body, tag = found
        conditional = [("ETag", f'"{tag}"'), ("Cache-Control", PUBLIC), *self._standing[environ["wsgi.url_scheme"] == "https"]]
        if body is None:
            start_response("304 NOT MODIFIED", conditional)
            return [b""]
        plain = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", plain + conditional)
        return [body]

    def _found(self, road: Road, rest: str, query: str, known: str | None) -> tuple[bytes | None, str] | None:
        """Return body and tag, no body when the caller knows it, or None: Flask shall answer."""
        try:
            with db.reader(self._app) as connection:
                if known is None:
                    answer = road.answer(connection, rest, query)
                    return (answer[0], answer[1] or tag_of(answer[0])) if answer else None
                return self._conditional(connection, road, (rest, query), known)
        except (DomainError, psycopg.Error, SQLAlchemyError, UnicodeError):
            return None

    def _conditional(
        self, connection: Connection, road: Road, address: tuple[str, str], known: str
    ) -> tuple[bytes | None, str] | None:
        """Answer somebody who has a copy; while the version stands, without making the page."""
        version = b""  # read before the page: a change between the two makes the page look older than it is, never newer
        if road.version is not None:
            version = road.version(connection)
            if self._tags.get(address) == (version, known):
                return None, known
        answer = road.answer(connection, *address)
        if answer is None:
            return None
        tag = answer[1] or tag_of(answer[0])
        if road.version is not None:
            if len(self._tags) >= _KEPT:
                self._tags.clear()
            self._tags[address] = (version, tag)
        return None if tag == known else answer[0], tag


def init_app(app: Flask, roads: Iterable[Road]) -> None:
    """Put the lane in front of the app; call it when all views are registered, before anything that rewrites requests."""
    lane: Any = Lane(app, roads)
    app.wsgi_app = lane  # type: ignore[method-assign]
