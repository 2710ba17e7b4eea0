"""What the database refuses becomes an answer in words; what is our fault stays a fault."""

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from market.http import problems


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        (psycopg.DataError("NUL"), 422, "http.unusable_value"),
        (errors.NumericValueOutOfRange("huge"), 422, "http.unusable_value"),
        (errors.LockNotAvailable("later"), 503, "http.busy"),
        (errors.DeadlockDetected("later"), 503, "http.busy"),
        (errors.CannotConnectNow("starting"), 503, "http.away"),
        (psycopg.OperationalError("the connection is lost"), 503, "http.away"),
        (errors.UniqueViolation("twice"), 409, "http.same_moment"),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_refusals_of_the_database_are_problems(app, cause, status, code, wrapped):
    with app.test_request_context("/api/v1/orders"):
        answer = problems._database(DBAPIError.instance("", {}, cause, psycopg.Error) if wrapped else cause)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert (answer.headers.get("Retry-After") is not None) == (status == 503)


def test_a_fault_of_ours_stays_one(app):
    with app.test_request_context("/api/v1/orders"), pytest.raises(errors.CheckViolation):
        problems._database(errors.CheckViolation("ours"))
