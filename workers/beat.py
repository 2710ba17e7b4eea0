"""The clock of the site: `celery -A workers.beat beat`. It only says when; the market itself is loaded by workers alone."""

from workers.broker import celery_on, settings_from_environment

app = celery_on(settings_from_environment().redis_url)
