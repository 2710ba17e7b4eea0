"""`flask people admin`."""

from market.accounts.models import AccountRole
from tests.api.test_people import _call


def test_the_first_administrator_is_made_at_the_command_line_and_signs_in(app, client, session):
    runner = app.test_cli_runner()
    made = runner.invoke(args=["people", "admin", "Root@example.com", "--password-stdin"], input="correct horse battery\n")
    assert made.exit_code == 0, made.output
    again = runner.invoke(args=["people", "admin", "root@example.com"])
    assert again.exit_code == 0
    assert session.query(AccountRole).filter_by(role="admin").count() == 1
    answer = _call(client, "POST", "/session", {"email": "root@example.com", "password": "correct horse battery"})
    assert answer.json["me"]["roles"] == ["admin", "buyer"]
    assert client.get("/admin").status_code == 200


def test_a_short_password_is_refused(app, session):
    made = app.test_cli_runner().invoke(args=["people", "admin", "root@example.com", "--password-stdin"], input="short\n")
    assert made.exit_code == 1
    assert session.query(AccountRole).count() == 0
