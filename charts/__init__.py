"""The Helm charts, one a project type, over the library chart ``common``; packaged so that the writer can copy them."""
