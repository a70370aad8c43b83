"""Where everything lies in the GitOps repository, and what is derived from those places."""

from __future__ import annotations

__all__ = [
    "application_path",
    "chart_folder",
    "namespace",
    "project_folder",
    "project_path",
    "release_path",
    "releases_folder",
    "sealed_folder",
]


def namespace(workspace: str) -> str:
    """Return the Kubernetes namespace of ``workspace``; it is never typed by a person."""
    return workspace


def project_folder(workspace: str, project: str) -> str:
    """Return the folder of a project's desired state, without a trailing slash."""
    return f"tenants/{workspace}/{project}"


def releases_folder(workspace: str, project: str) -> str:
    """Return the folder of a project's immutable release records."""
    return f"{project_folder(workspace, project)}/releases"


def release_path(workspace: str, project: str, version: str) -> str:
    """Return the path of one release's immutable record."""
    return f"{releases_folder(workspace, project)}/{version}.json"


def sealed_folder(workspace: str, project: str) -> str:
    """Return the folder of a project's SealedSecrets."""
    return f"{project_folder(workspace, project)}/sealed"


def chart_folder(name: str, version: str) -> str:
    """Return the folder of the immutable copy of a chart."""
    return f"charts/{name}/{version}"


def application_path(workspace: str, project: str) -> str:
    """Return the path of the project's Argo CD Application."""
    return f"apps/{workspace}/{project}.yaml"


def project_path(workspace: str) -> str:
    """Return the path of the workspace's AppProject; no project's name begins with ``_``."""
    return f"apps/{workspace}/_project.yaml"
