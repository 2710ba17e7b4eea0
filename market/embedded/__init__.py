"""Real PostgreSQL and Valkey servers from wheels, so that a bare machine is enough to run the market.

`fill(environ)` is the whole interface for entry points: it returns the environment with the two addresses in it. The
supervisor (`market.cli.up`) also uses `ensure`, `stop` and `remove`. Nothing of the domain is imported here.
"""

from market.embedded.errors import EmbeddedError
from market.embedded.servers import data_folder, ensure, fill, remove, stop

__all__ = ["EmbeddedError", "data_folder", "ensure", "fill", "remove", "stop"]
