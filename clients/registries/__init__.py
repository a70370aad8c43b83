"""Registries: one file each."""
