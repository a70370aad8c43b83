"""The stages between a source tree and a deployed URL, and the ``shipway`` command."""
