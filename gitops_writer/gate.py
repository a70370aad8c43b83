"""Nothing lands that would not run: the desired state's files in, nothing or a refusal out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gitops_writer.argo import KINDS
from gitops_writer.errors import GateRefused
from gitops_writer.helm import parse_yaml, render_chart
from gitops_writer.kubernetes_schema import DEFAULT_VERSION, kubernetes_faults
from gitops_writer.layout import chart_folder, namespace, project_folder
from gitops_writer.pod_security import pod_faults, pod_specs
from gitops_writer.records import Checks, Draft, Release
from gitops_writer.render import values as release_values

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["ask", "gate"]

Manifest = Mapping[str, Any]


def ask(draft: Draft | Release, checks: Checks) -> None:
    """Ask the world about ``draft``: whether every image is in the registry, and the host is this project's.

    Raises GateRefused with the answer. This may take as long as the registry does, so it is asked under no lock.
    """
    for service, image in sorted(draft.images.items()):
        refusal = checks.digest_exists(image)
        if refusal is not None:
            raise GateRefused(
                "gate.digest",
                f"the image of {service} can't be deployed",
                why=f"{image.repository}@{image.digest}: {refusal}",
                fix="push the image again, or choose a release whose image is still in the registry",
            )
    refusal = checks.host_allowed(draft.workspace, draft.project, draft.host)
    if refusal is not None:
        raise GateRefused(
            "gate.host", f"{draft.project} can't have the host {draft.host}", why=refusal, fix="choose another host"
        )


def gate(
    files: Mapping[str, bytes], release: Release, checks: Checks | None = None, *, kubernetes: str = DEFAULT_VERSION
) -> list[dict[str, Any]]:
    """Check that ``files`` would run as ``release`` says, and return the manifests that Argo CD will make of them.

    Checked are: values.yaml against the chart's schema and the release, Helm's rendering, the allowed kinds, the
    Kubernetes schemas of version ``kubernetes``, Pod Security ``restricted`` and that each image is the release's, by
    digest. With ``checks`` the world is asked first. Raises GateRefused naming file, field and fault.
    """
    if checks is not None:
        ask(release, checks)
    folder = f"{chart_folder(release.chart.name, release.chart.version)}/"
    chart = {path.removeprefix(folder): data for path, data in files.items() if path.startswith(folder)}
    where = f"{project_folder(release.workspace, release.project)}/values.yaml"
    values = parse_yaml(files[where])
    _refuse("gate.schema", where, _value_faults(values, release, chart.get("values.schema.json", b"{}")))
    manifests = render_chart(chart, values, release.project, namespace(release.workspace))
    _refuse("gate.kind", folder, _each(manifests, lambda it: _kind_faults(it, release)))
    _refuse("gate.kubernetes", folder, _each(manifests, lambda it: kubernetes_faults(it, kubernetes)))
    _refuse("gate.pod_security", folder, _each(manifests, _pod_faults))
    _refuse("gate.image", folder, _image_faults(manifests, release))
    return manifests


def _refuse(code: str, where: str, faults: Iterable[str]) -> None:
    found = list(faults)
    if found:
        what = {
            "gate.schema": "the values don't fit the chart",
            "gate.kind": "the chart renders what a tenant may not have",
            "gate.kubernetes": "the cluster would refuse the manifests",
            "gate.pod_security": "the pods break Pod Security restricted",
            "gate.image": "the manifests don't run the release's images",
        }[code]
        raise GateRefused(code, what, why="\n".join([f"in {where}:", *found[:8]]), fix="change what is named there")


def _each(manifests: Iterable[Manifest], faults: Callable[[Manifest], Iterator[str]]) -> Iterator[str]:
    for manifest in manifests:
        name = f"{manifest.get('kind')}/{(manifest.get('metadata') or {}).get('name')}"
        yield from (f"{name}: {fault}" for fault in faults(manifest))


def _value_faults(values: Manifest, release: Release, schema: bytes) -> Iterator[str]:
    for error in _schema(schema).iter_errors(values):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'values'}: {error.message[:300]}"
    # Helm's own reader must see what the record says, whatever the text of a value looks like.
    if values != release_values(release):
        yield "values: Helm reads other values than the release record holds"


@lru_cache(maxsize=16)
def _schema(schema: bytes) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def _kind_faults(manifest: Manifest, release: Release) -> Iterator[str]:
    group, _, _ = str(manifest.get("apiVersion")).rpartition("/")
    if (group, manifest.get("kind")) not in KINDS:
        yield "isn't among the kinds that the workspace's AppProject allows"
    if (manifest.get("metadata") or {}).get("namespace", namespace(release.workspace)) != namespace(release.workspace):
        yield "lies in another namespace than the workspace's"


def _pod_faults(manifest: Manifest) -> Iterator[str]:
    for pod in pod_specs(manifest):
        yield from pod_faults(pod)


def _image_faults(manifests: Iterable[Manifest], release: Release) -> Iterator[str]:
    wanted = {f"{image.repository}@{image.digest}" for image in release.images.values()}
    pods = [pod for manifest in manifests for pod in pod_specs(manifest)]
    running = {container.get("image") for pod in pods for container in pod.get("containers") or []}
    for image in sorted(map(str, running ^ wanted)):
        yield f"{image} is {'not in the release' if image in running else 'run by no container'}"
