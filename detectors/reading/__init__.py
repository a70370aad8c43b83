"""Files of a repository, read within bounds: what they say, and the line that says it."""
