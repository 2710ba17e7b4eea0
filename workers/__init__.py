"""Celery tasks: an outer layer as thin as the pages. Rows in PostgreSQL are the truth; Celery only wakes."""
