"""The base images that Dockerfiles stand on: the table, and the offline set made from Debian packages."""
