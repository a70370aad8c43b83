"""A small FastAPI service."""

import os

from fastapi import FastAPI

VERSION = "v1"

app = FastAPI(title="python-fastapi", version=VERSION)


@app.get("/")
def home() -> dict[str, str]:
    """Say who answers."""
    return {"name": "python-fastapi", "version": VERSION, "greeting": os.environ.get("GREETING", "Hello")}


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer that the process serves."""
    return {"status": "ok"}
