"""A small Flask service."""

import os

from flask import Flask

VERSION = "v1"

app = Flask(__name__)


@app.get("/")
def home() -> dict[str, str]:
    """Say who answers."""
    return {"name": "python-flask", "version": VERSION, "greeting": os.environ.get("GREETING", "Hello")}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer that the process serves."""
    return {"status": "ok"}
