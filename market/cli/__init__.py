"""Commands for operators: `flask --app wsgi …` and `python -m market.cli.up`."""
