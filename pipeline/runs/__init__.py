"""A run: its folder and documents, its events, how it begins, goes on and ends."""
