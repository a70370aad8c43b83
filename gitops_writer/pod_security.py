"""The Pod Security Standard ``restricted`` as a pure function of a pod's specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["pod_faults", "pod_specs"]

Spec = Mapping[str, Any]

VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
SELINUX_TYPES = frozenset({None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def pod_specs(manifest: Spec) -> Iterator[Spec]:
    """Yield the specification of each pod that ``manifest`` makes: a Pod, a workload, a Job or a CronJob."""
    spec = manifest.get("spec") or {}
    if manifest.get("kind") == "Pod":
        yield spec
    elif "jobTemplate" in spec:
        yield from pod_specs(spec["jobTemplate"])
    elif isinstance(spec.get("template"), Mapping):
        yield spec["template"].get("spec") or {}


def pod_faults(pod: Spec) -> Iterator[str]:
    """Yield every rule of ``restricted`` that the pod breaks, naming the field and what it must be."""
    security = pod.get("securityContext") or {}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"spec.{field} must be false"
    yield from _volume_faults(pod)
    yield from _context_faults("spec.securityContext", security)
    yield from _sysctl_faults(security)
    if pod.get("os") and pod["os"].get("name") != "linux":
        yield "spec.os.name must be linux"
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(group) or []:
            yield from _container_faults(f"spec.{group}[{container.get('name')}]", container, security)


def _volume_faults(pod: Spec) -> Iterator[str]:
    for volume in pod.get("volumes") or []:
        for source in sorted(set(volume) - {"name"} - VOLUMES):
            yield f"spec.volumes[{volume.get('name')}].{source} is a volume type that restricted doesn't allow"


def _sysctl_faults(security: Spec) -> Iterator[str]:
    for sysctl in security.get("sysctls") or []:
        if sysctl.get("name") not in SYSCTLS:
            yield f"spec.securityContext.sysctls[{sysctl.get('name')}] isn't a safe sysctl"


def _context_faults(where: str, security: Spec) -> Iterator[str]:
    """Yield the faults of what may be set for the pod and for a container alike."""
    options = security.get("seLinuxOptions") or {}
    if options.get("type") not in SELINUX_TYPES or options.get("user") or options.get("role"):
        yield f"{where}.seLinuxOptions may only choose a container type"
    if (security.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}.windowsOptions.hostProcess must be false"
    if (security.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield f"{where}.appArmorProfile.type must not be Unconfined"
    if (security.get("seccompProfile") or {}).get("type", "RuntimeDefault") not in {"RuntimeDefault", "Localhost"}:
        yield f"{where}.seccompProfile.type must be RuntimeDefault or Localhost"
    if security.get("runAsUser") == 0:
        yield f"{where}.runAsUser must not be 0"
    if security.get("runAsNonRoot") is False:
        yield f"{where}.runAsNonRoot must be true"


def _container_faults(where: str, container: Spec, pod: Spec) -> Iterator[str]:
    security = container.get("securityContext") or {}
    context = f"{where}.securityContext"
    yield from _context_faults(context, security)
    yield from _capability_faults(context, security)
    if security.get("privileged"):
        yield f"{context}.privileged must be false"
    if security.get("allowPrivilegeEscalation") is not False:
        yield f"{context}.allowPrivilegeEscalation must be false"
    if security.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield f"{context}.runAsNonRoot must be true"
    if not (security.get("seccompProfile") or pod.get("seccompProfile")):
        yield f"{context}.seccompProfile.type must be RuntimeDefault or Localhost"
    if security.get("procMount", "Default") != "Default":
        yield f"{context}.procMount must be Default"
    yield from _host_faults(where, container)


def _capability_faults(context: str, security: Spec) -> Iterator[str]:
    capabilities = security.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"{context}.capabilities.drop must hold ALL"
    for added in sorted(set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}):
        yield f"{context}.capabilities.add must not hold {added}"


def _host_faults(where: str, container: Spec) -> Iterator[str]:
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{where}.ports[{port.get('name')}].hostPort must not be set"
    handlers = {probe: container.get(probe) or {} for probe in PROBES}
    lifecycle = container.get("lifecycle") or {}
    handlers |= {f"lifecycle.{hook}": lifecycle.get(hook) or {} for hook in ("postStart", "preStop")}
    for name, handler in handlers.items():
        for action in ("httpGet", "tcpSocket"):
            if (handler.get(action) or {}).get("host"):
                yield f"{where}.{name}.{action}.host must not be set"
