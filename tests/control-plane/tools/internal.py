#!/usr/bin/env python3
"""Writes `src/structs/internal.txt`: the Go structs without a version that a server shows in its messages.

    internal.py MODULES VERSION KUBERNETES > src/structs/internal.txt

MODULES is a folder with the Go modules `k8s.io/apimachinery@VERSION`, `k8s.io/api@VERSION` and `k8s.io/kubernetes@KUBERNETES`
(`$(go env GOMODCACHE)/k8s.io` after `go mod download`).
"""

import re
import sys
from pathlib import Path

from structs import MODULES, Tables, wrap

KUBERNETES = "k8s.io/kubernetes"
# What is shown as a whole.
SHOWN = {
    "apps": ["DaemonSetUpdateStrategy", "DeploymentStrategy", "StatefulSetUpdateStrategy"],
    "batch": ["PodFailurePolicy", "SuccessPolicy", "UncountedTerminatedPods"],
    "certificates": ["CertificateSigningRequestCondition"],
    "core": [
        "EventSource", "NodeAddress", "NodeSelectorTerm", "ObjectReference", "PersistentVolumeClaimSpec",
        "PersistentVolumeSource", "PodIP", "PodResourceClaim", "PodTemplateSpec", "ScopeSelector", "SeccompProfile",
        "SecurityContext", "ServicePort", "Taint", "VolumeNodeAffinity", "HostIP", "Toleration",
    ],
    "flowcontrol": ["FlowDistinguisherMethod", "FlowSchemaSpec", "PriorityLevelConfigurationSpec"],
    "networking": ["ParentReference"],
    "policy": ["PodDisruptionBudgetSpec"],
    "rbac": ["RoleRef"],
    "resource": [
        "AllocationResult", "DeviceAttribute", "ResourceClaimSpec", "ResourceClaimTemplateSpec",
    ],
    "storage": ["CSINodeDriver", "VolumeAttachmentSpec"],
}
FIELD = re.compile(r'^\t(?:(\w+)[ \t]+)?([*\w.\[\]{}]+)(?:[ \t]+`(?:json:"([^"]*)")?[^`]*`)?[ \t]*(?://.*)?$', re.M)


class Internal(Tables):
    def name(self, path, go):
        self.waiting.append((path, go))
        return short(path, go)

    def struct(self, path, go):
        fields = []
        for name, kind, json in FIELD.findall(self.package(path).structs[go]):
            said, *options = json.split(",")
            if said == "-":
                continue
            kind, pointer = self.kind(path, kind)
            if not name:
                kind = f"*{kind}*"
            optional = "omitempty" in options or "omitzero" in options
            fields.append(f"{said or name or '-'} {kind}{'?' if pointer else ''}{'-' if optional else ''}")
        return fields

    def drain(self):
        while self.waiting:
            path, go = self.waiting.pop(0)
            if short(path, go) not in self.tables:
                self.tables[short(path, go)] = None
                self.tables[short(path, go)] = self.struct(path, go)


def short(path, go):
    return f"{path.rsplit('/', 1)[-1]}.{go}"


def main():
    modules, version, kubernetes = sys.argv[1:]
    MODULES[KUBERNETES] = "kubernetes"
    tables = Internal(Path(modules), version)
    tables.of_module = {KUBERNETES: kubernetes}
    for group, names in SHOWN.items():
        for name in names:
            tables.name(f"{KUBERNETES}/pkg/apis/{group}", name)
    tables.drain()
    for name, fields in tables.tables.items():
        print(f"{name}:")
        for line in wrap(fields):
            print(line)


if __name__ == "__main__":
    main()
