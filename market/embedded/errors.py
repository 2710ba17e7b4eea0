"""The one error of this package: a sentence that a person can act on."""


class EmbeddedError(RuntimeError):
    """Say in one sentence why the servers cannot run and what to do about it."""
