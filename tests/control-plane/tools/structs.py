#!/usr/bin/env python3
"""Writes `src/structs/fields.txt`: the Go structs of the built-in kinds of `src/schema/builtin.txt`.

    structs.py MODULES VERSION src/schema/builtin.txt > src/structs/fields.txt

MODULES is a folder with the Go modules `k8s.io/api@VERSION`, `k8s.io/apimachinery@VERSION`,
`k8s.io/apiextensions-apiserver@VERSION` and `k8s.io/kube-aggregator@VERSION` (`$(go env GOMODCACHE)/k8s.io` after
`go mod download`). The numbers that fields have in protobuf, and which are pointers, are read off the structs.
"""

import re
import sys
from pathlib import Path

MODULES = {
    "k8s.io/api": "api", "k8s.io/apimachinery": "apimachinery", "k8s.io/apiextensions-apiserver": "apiextensions-apiserver",
    "k8s.io/kube-aggregator": "kube-aggregator",
}
META = "k8s.io/apimachinery/pkg/apis/meta/v1"
EXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
# What is answered or sent besides objects. Those of no version are known in every one.
MORE = [
    ("DeleteOptions", META), ("Status", META), ("PartialObjectMetadata", META), ("APIVersions", META), ("APIGroup", META),
    ("APIGroupList", META), ("APIResourceList", META), ("PartialObjectMetadataList", META), ("Table", META),
    ("apidiscovery.k8s.io/v2 APIGroupDiscoveryList", "k8s.io/api/apidiscovery/v2"),
]
OWN = {
    (META, "Time"): "time", (META, "MicroTime"): "microtime", (META, "FieldsV1"): "set",
    ("k8s.io/apimachinery/pkg/api/resource", "Quantity"): "quantity",
    ("k8s.io/apimachinery/pkg/util/intstr", "IntOrString"): "int|string",
    ("k8s.io/apimachinery/pkg/runtime", "RawExtension"): "json",
    (EXTENSIONS, "JSON"): "json", (EXTENSIONS, "JSONSchemaPropsOrArray"): "schema|array",
    (EXTENSIONS, "JSONSchemaPropsOrBool"): "schema|bool",
    (EXTENSIONS, "JSONSchemaPropsOrStringArray"): "schema|strings",
    ("k8s.io/apimachinery/pkg/types", "UID"): "string",
}
SCALARS = {
    "string": "string", "bool": "bool", "int32": "int", "int64": "int", "uint32": "int", "uint64": "int", "int": "int",
    "uint8": "int", "float64": "number", "[]byte": "bytes", "interface{}": "json",
}


class Package:
    """The structs, other types and imports of a Go package, read off its sources."""

    def __init__(self, folder):
        self.structs, self.types, self.imports = {}, {}, {}
        files = [file for file in folder.glob("*.go") if not re.search("_test|zz_generated|generated.pb", file.name)]
        for file in sorted(files):
            text = file.read_text()
            for alias, path in re.findall(r'^\s+(?:(\w+) )?"(k8s\.io/[^"]+)"', text, re.M):
                last = path.rsplit("/", 2)[-2:]
                self.imports.setdefault(alias or (last[1] if not re.match(r"v\d", last[1]) else last[1]), path)
            self.structs.update(re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S))
            self.structs.update((name, "") for name in re.findall(r"^type (\w+) struct ?\{\}", text, re.M))
            self.types.update(re.findall(r"^type (\w+) ((?:\[\]|map|\w)[\w.\[\]]*)$", text, re.M))
        proto = folder / "generated.proto"
        self.messages = set(re.findall(r"^message (\w+) ", proto.read_text(), re.M)) if proto.exists() else set()


class Tables:
    def __init__(self, root, version):
        self.root, self.version, self.packages, self.waiting, self.tables = root, version, {}, [], {}
        # Where it is another than the others'.
        self.of_module = {}

    def package(self, path):
        if path not in self.packages:
            module = next(module for module in MODULES if path == module or path.startswith(module + "/"))
            version = self.of_module.get(module, self.version)
            self.packages[path] = Package(self.root / f"{MODULES[module]}@{version}" / path[len(module) + 1 :])
        return self.packages[path]

    def name(self, path, go):
        group, version = path.rsplit("/", 2)[-2:]
        self.waiting.append((path, go))
        return f"{group}.{version}.{go}"

    def kind(self, path, go):
        """What a Go type is here; and whether it is left out while nobody has set it."""
        if go.startswith("*"):
            kind, _ = self.kind(path, go[1:])
            return kind, True
        if go in SCALARS:
            return SCALARS[go], False
        if go.startswith("[]"):
            return f"[{self.kind(path, go[2:])[0]}]", False
        if go.startswith("map["):
            return f"{{{self.kind(path, go.split(']', 1)[1])[0]}}}", False
        package, name = self.package(path), go
        if "." in go:
            alias, name = go.split(".")
            path = package.imports[alias]
            if (path, name) in OWN:
                return OWN[path, name], False
            package = self.package(path)
        if (path, name) in OWN:
            return OWN[path, name], False
        if name in package.structs:
            return self.name(path, name), False
        kind, _ = self.kind(path, package.types[name])
        # A list of a name of its own is a message with items.
        return (f"<{kind[1:-1]}>" if name in package.messages else kind), False

    def declared(self, path, go):
        """What Go calls a type, and whether that names one that is no struct."""
        if go.startswith("*"):
            return self.declared(path, go[1:])
        if go in SCALARS:
            return go, False
        if go.startswith("[]"):
            element, is_named = self.declared(path, go[2:])
            return f"[]{element}", is_named
        if go.startswith("map["):
            key, values = (self.declared(path, part) for part in go[4:].split("]", 1))
            return f"map[{key[0]}]{values[0]}", key[1] or values[1]
        if "." in go:
            alias, go = go.split(".")
            path = self.package(path).imports[alias]
        is_named = (path, go) not in OWN and go not in self.package(path).structs
        return f"{path.rsplit('/', 1)[1]}.{go}", is_named or go == "UID"

    def struct(self, path, go):
        fields = []
        pattern = r"^\t(?:(\w+)[ \t]+)?([*\w.\[\]{}]+)[ \t]+`json:\"([^\"]*)\"(?:[^`]*? protobuf:\"([^\"]*)\")?"
        for _, kind, json, protobuf in re.findall(pattern, self.package(path).structs[go], re.M):
            name, *options = json.split(",")
            if "inline" in options and not protobuf:
                continue
            number = int(protobuf.split(",")[1]) if protobuf else 0
            declared, is_named = self.declared(path, kind)
            kind, pointer = self.kind(path, kind)
            if "inline" in options:
                name, kind = "-", f"*{kind}*"
            if (go, name) == ("TableRow", "object"):
                kind = "object"
            called = f" {declared}" if is_named else ""
            fields.append(f"{number} {name} {kind}{'?' if pointer else ''}{called}")
        return fields

    def drain(self):
        while self.waiting:
            path, go = self.waiting.pop(0)
            group, version = path.rsplit("/", 2)[-2:]
            if f"{group}.{version}.{go}" not in self.tables:
                self.tables[f"{group}.{version}.{go}"] = self.struct(path, go)


def package_of(group, version):
    if group == "apiextensions.k8s.io":
        return EXTENSIONS
    if group == "apiregistration.k8s.io":
        return "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
    folder = group.split(".")[0] or "core"
    return f"k8s.io/api/{folder}/{version}"


def wrap(fields):
    lines, line = [], " "
    for at, field in enumerate(fields):
        text = f" {field}{',' if at + 1 < len(fields) else ''}"
        if len(line) + len(text) > 118:
            lines.append(line)
            line = " "
        line += text
    return [*lines, line] if line.strip() else lines


def main():
    modules, version, builtin = sys.argv[1:]
    tables = Tables(Path(modules), version)
    kinds = []
    for api_version, kind in re.findall(r"^kind (\S+) (\w+):", Path(builtin).read_text(), re.M):
        group, _, name = api_version.rpartition("/")
        kinds.append((f"{api_version} {kind}", package_of(group, name)))
    for kind, path in kinds + MORE:
        print(f"kind {kind} = {tables.name(path, kind.split()[-1])}")
    tables.drain()
    for name, fields in tables.tables.items():
        print("\n".join([f"{name}:", *wrap(fields)]))


if __name__ == "__main__":
    main()
