"""The site's pages."""

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

VERSION = "v1"


def home(request: HttpRequest) -> HttpResponse:
    """Say who answers."""
    greeting = os.environ.get("GREETING", "Hello")
    return render(request, "pages/home.html", {"version": VERSION, "greeting": greeting})


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that the process serves."""
    return JsonResponse({"status": "ok"})
