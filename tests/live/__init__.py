"""Checks against the real world, with keys of one's own. Not collected: each file is named when it is run."""
