"""The web application for a WSGI server; `serve.py` is ours."""

import os

from config import Settings
from market import embedded
from market.app import create_app

app = create_app(Settings.from_env(embedded.fill(os.environ)))
