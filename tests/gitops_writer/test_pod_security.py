"""Pod Security ``restricted``: a pod that keeps every rule passes, and each rule broken is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gitops_writer.pod_security import pod_faults, pod_specs

GOOD: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "containers": [
        {
            "name": "web",
            "image": "x",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
WEB = ("containers", 0)
SECURITY = (*WEB, "securityContext")
BROKEN: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("hostNetwork",), True, "hostNetwork"),
    (("hostPID",), True, "hostPID"),
    (("hostIPC",), True, "hostIPC"),
    (("volumes", 0), {"name": "h", "hostPath": {"path": "/"}}, "hostPath"),
    (("volumes", 0), {"name": "n", "nfs": {}}, "nfs"),
    (("securityContext", "runAsNonRoot"), False, "runAsNonRoot"),
    (("securityContext", "runAsNonRoot"), None, "runAsNonRoot"),
    (("securityContext", "runAsUser"), 0, "runAsUser"),
    (("securityContext", "seccompProfile"), None, "seccompProfile"),
    (("securityContext", "seccompProfile"), {"type": "Unconfined"}, "seccompProfile"),
    (("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}], "kernel.msgmax"),
    (("securityContext", "seLinuxOptions"), {"type": "spc_t"}, "seLinuxOptions"),
    (("securityContext", "windowsOptions"), {"hostProcess": True}, "hostProcess"),
    (("securityContext", "appArmorProfile"), {"type": "Unconfined"}, "appArmorProfile"),
    (("os",), {"name": "windows"}, "linux"),
    ((*SECURITY, "privileged"), True, "privileged"),
    ((*SECURITY, "allowPrivilegeEscalation"), True, "allowPrivilegeEscalation"),
    ((*SECURITY, "allowPrivilegeEscalation"), None, "allowPrivilegeEscalation"),
    ((*SECURITY, "capabilities"), None, "capabilities.drop"),
    ((*SECURITY, "capabilities"), {"drop": ["NET_RAW"]}, "capabilities.drop"),
    ((*SECURITY, "capabilities"), {"drop": ["ALL"], "add": ["SYS_ADMIN"]}, "SYS_ADMIN"),
    ((*SECURITY, "runAsNonRoot"), False, "runAsNonRoot"),
    ((*SECURITY, "runAsUser"), 0, "runAsUser"),
    ((*SECURITY, "procMount"), "Unmasked", "procMount"),
    ((*SECURITY, "seccompProfile"), {"type": "Unconfined"}, "seccompProfile"),
    ((*WEB, "ports"), [{"name": "p", "hostPort": 80}], "hostPort"),
    ((*WEB, "livenessProbe"), {"httpGet": {"host": "10.0.0.1"}}, "livenessProbe"),
    ((*WEB, "lifecycle"), {"preStop": {"tcpSocket": {"host": "10.0.0.1"}}}, "preStop"),
    (("initContainers",), [{"name": "init"}], "initContainers[init]"),
    (("ephemeralContainers",), [{"name": "debug"}], "ephemeralContainers[debug]"),
]


def test_a_pod_that_keeps_every_rule_passes() -> None:
    assert list(pod_faults(GOOD)) == []


def test_a_container_may_bind_a_low_port_and_bring_its_own_profile() -> None:
    pod = copy.deepcopy(GOOD)
    del pod["securityContext"]["seccompProfile"]
    pod["containers"][0]["securityContext"] |= {
        "seccompProfile": {"type": "Localhost"},
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    }
    assert list(pod_faults(pod)) == []


@pytest.mark.parametrize(("path", "value", "named"), BROKEN)
def test_a_broken_rule_is_named(path: tuple[str | int, ...], value: Any, named: str) -> None:
    pod = copy.deepcopy(GOOD)
    inner: Any = pod
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    faults = list(pod_faults(pod))
    assert any(named in fault for fault in faults), faults


def test_pods_are_found_in_every_kind_of_workload() -> None:
    template = {"template": {"spec": GOOD}}
    assert list(pod_specs({"kind": "Pod", "spec": GOOD})) == [GOOD]
    assert list(pod_specs({"kind": "StatefulSet", "spec": template})) == [GOOD]
    assert list(pod_specs({"kind": "CronJob", "spec": {"jobTemplate": {"spec": template}}})) == [GOOD]
    assert list(pod_specs({"kind": "Service", "spec": {"ports": []}})) == []
