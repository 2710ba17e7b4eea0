"""Keys that we send with a call so that repeating it has one effect (money.md 4.2)."""

from datetime import timedelta
from typing import Final

SAME_KEY_FOR: Final = timedelta(hours=23)
"""So long a provider knows a key for certain: it forgets after 24 hours at the earliest. Afterwards we only ask."""
