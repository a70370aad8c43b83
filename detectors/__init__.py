"""What a source tree is: a ``Tree`` in, a ``Detection`` with evidence out; never runs anything of the repository."""
