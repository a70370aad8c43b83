"""What Argo CD is told: an AppProject a workspace, an Application a project, and the root above them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_writer.layout import chart_folder, namespace, project_folder, sealed_folder
from gitops_writer.records import Release

__all__ = ["KINDS", "Target", "app_project", "application", "application_name", "root"]

# Everything our charts may render; an AppProject allows these and nothing else.
KINDS = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("bitnami.com", "SealedSecret"),
    ("networking.k8s.io", "Ingress"),
)
PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Target:
    """The GitOps repository as Argo CD sees it, and the cluster it deploys to."""

    repository: str
    branch: str
    argo_namespace: str = "argocd"
    cluster: str = "https://kubernetes.default.svc"


def application_name(workspace: str, project: str) -> str:
    """Return the Application's name; '.' stands in neither part, so that no two projects share one."""
    return f"{workspace}.{project}"


def application(release: Release, target: Target) -> dict[str, Any]:
    """Return the Application of the release's project: its chart with its values, and its sealed secrets if any."""
    workspace, project = release.workspace, release.project
    folder = project_folder(workspace, project)
    chart = chart_folder(release.chart.name, release.chart.version)
    where = {"repoURL": target.repository, "targetRevision": target.branch}
    helm = {"releaseName": project, "valueFiles": [f"/{folder}/values.yaml"]}
    sources: list[dict[str, Any]] = [{**where, "path": chart, "helm": helm}]
    if release.sealed_secret is not None:
        sources.append({**where, "path": sealed_folder(workspace, project)})
    annotations = {"argocd.argoproj.io/manifest-generate-paths": f"/{chart};/{folder}"}
    destination = {"server": target.cluster, "namespace": namespace(workspace)}
    return _application(
        application_name(workspace, project),
        target,
        annotations=annotations,
        spec={"project": workspace, "destination": destination, "sources": sources},
    )


def app_project(workspace: str, target: Target) -> dict[str, Any]:
    """Return the workspace's AppProject: one namespace, one repository, no cluster resources, listed kinds."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": workspace, "namespace": target.argo_namespace},
        "spec": {
            "description": f"The projects of workspace {workspace}",
            "sourceRepos": [target.repository],
            "destinations": [{"server": target.cluster, "namespace": namespace(workspace)}],
            "clusterResourceWhitelist": [],
            "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in KINDS],
        },
    }


def root(workspaces: Sequence[str], target: Target) -> list[dict[str, Any]]:
    """Return the documents of ``apps/root.yaml``: the platform's AppProject, the root, and one Application a workspace.

    An operator applies the file once; from then on the root Application keeps it in step with the repository.
    """
    watched = {"include": "root.yaml", "recurse": False}
    return [
        _platform(target),
        # Nothing cascades from the root: taking it away must not take the tenants down.
        _folder("shipway.root", "apps", target, directory=watched, cascade=False),
        *(
            _folder(f"shipway.{name}", f"apps/{name}", target, directory={"recurse": False})
            for name in sorted(workspaces)
        ),
    ]


def _platform(target: Target) -> dict[str, Any]:
    kinds = [{"group": "argoproj.io", "kind": kind} for kind in ("AppProject", "Application")]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": PLATFORM, "namespace": target.argo_namespace},
        "spec": {
            "description": "The Applications that hold the tenants' Applications",
            "sourceRepos": [target.repository],
            "destinations": [{"server": target.cluster, "namespace": target.argo_namespace}],
            "clusterResourceWhitelist": [],
            "namespaceResourceWhitelist": kinds,
        },
    }


def _folder(name: str, path: str, target: Target, *, directory: dict[str, Any], cascade: bool = True) -> dict[str, Any]:
    source = {
        "repoURL": target.repository,
        "targetRevision": target.branch,
        "path": path,
        "directory": directory,
    }
    annotations = {"argocd.argoproj.io/manifest-generate-paths": f"/{path}"}
    destination = {"server": target.cluster, "namespace": target.argo_namespace}
    spec = {"project": PLATFORM, "destination": destination, "source": source}
    return _application(name, target, annotations=annotations, spec=spec, cascade=cascade)


def _application(
    name: str, target: Target, *, annotations: dict[str, str], spec: dict[str, Any], cascade: bool = True
) -> dict[str, Any]:
    policy = {
        "automated": {"prune": True, "selfHeal": True},
        "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
        "syncOptions": ["ApplyOutOfSyncOnly=true", "PruneLast=true"],
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": target.argo_namespace,
            "annotations": annotations,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"] if cascade else [],
        },
        "spec": {**spec, "revisionHistoryLimit": 3, "syncPolicy": policy},
    }
