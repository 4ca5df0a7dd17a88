#!/usr/bin/env python3
"""Writes `src/api/openapi/kubernetes.txt.gz`: what a kube-apiserver says of itself in OpenAPI v3.

    openapi.py KUBECTL > src/api/openapi/kubernetes.txt.gz

KUBECTL is a kubectl that talks to a fresh kube-apiserver (`KUBECONFIG`); two CRDs are left behind there. The lines:

    schema NAME JSON              a type of any group, in the order of the names
    path DOCUMENT PATH JSON       a path of the document (`api/v1`, `apis/apps/v1`, ..)
    template SCOPE PATH JSON      a path of a CRD, of which only what is between angle brackets is its own
    beside NAME JSON              a type as it is in the document of a CRD, where that is another
    second NAME JSON              a type as it is in OpenAPI v2, where that does not follow from v3

Whoever reads the lines puts documents together that are a real server's, byte for byte.
"""

import gzip
import json
import re
import subprocess
import sys
import time

# Types that name the group of the document that they are in; what they are in the core group is kept.
OF_EVERY_GROUP = ("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent")
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
NUMBER_OR_TEXT = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
OWN = [
    ("io.example.templates.v7.Thing", "<schema>"),
    ("TemplatesExampleIoV7", "<operation>"),
    ("templatesExampleIo_v7", "<tag>"),
    ("templates.example.io", "<group>"),
    ('"v7"', '"<version>"'),
    ("/v7/", "/<version>/"),
    ("<schema>List", "<list>"),
    ("Thing", "<Kind>"),
    ("things", "<plural>"),
]


def main():
    lines = []
    documents = {name: get(f"/openapi/v3/{name}") for name in index()}
    schemas = {}
    for name, document in documents.items():
        for schema, value in document.get("components", {}).get("schemas", {}).items():
            if schema not in OF_EVERY_GROUP or name == "api/v1":
                schemas[schema] = value
    lines += [f"schema {name} {text(value)}" for name, value in sorted(schemas.items())]
    for name, document in documents.items():
        lines += [f"path {name} {path} {text(value)}" for path, value in document["paths"].items()]
    for scope in ("Namespaced", "Cluster"):
        document = definition(scope)
        for path, value in document["paths"].items():
            lines.append(f"template {scope} {own(path)} {own(text(value))}")
    for name, value in document["components"]["schemas"].items():
        if value != schemas.get(name) and name.startswith("io.k8s."):
            lines.append(f"beside {name} {text(value)}")
    second = json.loads(kubectl("get", "--raw", "/openapi/v2"))["definitions"]
    lines += [f"second {name} {text(second[name])}" for name in (*OF_EVERY_GROUP, QUANTITY, NUMBER_OR_TEXT)]
    sys.stdout.buffer.write(gzip.compress("\n".join(lines).encode(), 9, mtime=0))


def text(value):
    """JSON as Go writes it."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", written)


def own(words):
    for theirs, placeholder in OWN:
        words = words.replace(theirs, placeholder)
    return words


def kubectl(*arguments, **more):
    return subprocess.run([sys.argv[1], *arguments], check=True, capture_output=True, **more).stdout


def get(path):
    raw = kubectl("get", "--raw", path)
    value = json.loads(raw)
    assert text(value).encode() == raw.strip(), f"{path} is not kept byte for byte"
    return value


def index():
    return json.loads(kubectl("get", "--raw", "/openapi/v3"))["paths"]


def definition(scope):
    """The document of a CRD."""
    schema = {"type": "object", "properties": {part: {"type": "object", "properties": {"replicas": {"type": "integer"}}} for part in ("spec", "status")}}
    version = {
        "name": "v7", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
    }
    kubectl("delete", "crd", "things.templates.example.io", "--ignore-not-found")
    while "apis/templates.example.io/v7" in index():
        time.sleep(0.2)
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.templates.example.io"},
        "spec": {
            "group": "templates.example.io", "scope": scope, "versions": [version],
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
        },
    }
    kubectl("create", "-f", "-", input=json.dumps(crd).encode())
    while "apis/templates.example.io/v7" not in index():
        time.sleep(0.2)
    return get("/openapi/v3/apis/templates.example.io/v7")


main()
