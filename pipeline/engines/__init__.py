"""Build engines: one file each behind one small protocol."""
