"""`flask prices`: import by one, approve by another, and nothing twice."""

import csv
from pathlib import Path

import market.pricing
from tests.factories.accounts import make_account

SEED = str(Path(market.pricing.__file__).parent / "seed" / "fair_price_references.csv")


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["prices", *arguments])


def test_import_approve_list(app, session, tmp_path):
    one, two = make_account(session), make_account(session)
    result = tmp_path / "answers.csv"
    shown = run(app, "import", SEED, "--scheme", "fairtrade", "--as", one.email, "--result", str(result))
    assert shown.exit_code == 0, shown.output
    assert "65 rows: 31 accepted, 17 could block, 14 informs, 34 needs review" in shown.output
    assert "nobody may invent: bananas per country" in shown.output
    rows = list(csv.reader(result.open(encoding="utf-8")))
    assert len(rows) == 66
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert run(app, "approve", "--as", one.email).exit_code == 1
    assert "65 rows taken over" in run(app, "approve", "--as", two.email).output
    assert "65 unchanged" in run(app, "import", SEED, "--scheme", "fairtrade", "--as", one.email).output
    assert "34 rows" in run(app, "list", "--status", "needs_review").output


def test_a_dry_run_and_an_unknown_person(app, session):
    assert "nothing kept" in run(app, "import", SEED, "--scheme", "fairtrade", "--dry-run").output
    refused = run(app, "import", SEED, "--scheme", "fairtrade", "--as", "nobody@example.com")
    assert (refused.exit_code, "Nobody here" in refused.output) == (1, True)


def test_a_row_is_corrected_and_confirmed(app, session):
    one, two = make_account(session), make_account(session)
    run(app, "import", SEED, "--scheme", "fairtrade", "--as", one.email)
    run(app, "approve", "--as", two.email)
    listed = run(app, "list", "--status", "active", "--product", "coffee").output
    row = next(line.split()[0] for line in listed.splitlines() if "washed green (conventional" in line and "2023-08-01" in line)
    shown = run(app, "correct", row, "--organic-differential", "0.40", "--market", "ICE C", "--as", one.email)
    assert shown.exit_code == 0, shown.output
    assert run(app, "confirm", shown.output.split()[0], "--as", one.email).exit_code == 1
    assert run(app, "confirm", shown.output.split()[0], "--as", two.email).output.strip() == "confirmed"
