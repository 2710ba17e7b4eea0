"""The web application for a server: `gunicorn wsgi:app`."""

import os

from config import Settings
from market import embedded
from market.app import create_app

app = create_app(Settings.from_env(embedded.fill(os.environ)))
