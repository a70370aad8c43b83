"""How an app starts, and where it listens: from scripts, Procfiles and its own source."""
