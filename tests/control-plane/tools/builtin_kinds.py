#!/usr/bin/env python3
"""Writes the lines of `src/schema/builtin.txt` for built-in kinds.

    builtin_kinds.py OPENAPI GO_API KIND.. -- builtin.txt

OPENAPI is a folder with the OpenAPI v3 documents of a kube-apiserver, one file for each group and version
(`kubectl get --raw /openapi/v3/apis/apps/v1 > apis_apps_v1.json`, `api_v1.json`, ..), GO_API the module `k8s.io/api`
of the same Kubernetes (and beside it `kube-aggregator` for APIServices), a KIND is `apps/v1/Deployment` or `v1/Pod`. Types that the table has already
are left out. `structs.py` has to be run afterwards.
"""

import json
import re
import sys
from pathlib import Path

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
SCALARS = {
    QUANTITY: "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "microtime",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int|string",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any atomic",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
}
# Types of one name in two groups: those of the group that is not the first have it before their name.
PREFIXED = {
    "io.k8s.api.core.v1.EndpointPort": "core.EndpointPort",
    "io.k8s.api.flowcontrol.v1.Subject": "flowcontrol.Subject",
    "io.k8s.api.storage.v1.TokenRequest": "storage.TokenRequest",
    "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": "apiregistration.ServiceReference",
}
AGGREGATOR = "io.k8s.kube-aggregator."


def main():
    openapi, go_api, *kinds = sys.argv[1:-2]
    builtin = Path(sys.argv[-1]).read_text()
    schemas = {}
    for file in sorted(Path(openapi).glob("api*.json")):
        document = json.loads(file.read_text())
        schemas.update(document.get("components", {}).get("schemas", {}))
    known = set(re.findall(r"^type (\S+?):?(?: atomic:)?$", builtin, re.M))
    go = Go(Path(go_api))
    tables = Tables(schemas, go, known)
    for kind in kinds:
        tables.kind(kind)
    tables.drain()
    print("\n".join(tables.lines))


class Tables:
    def __init__(self, schemas, go, known):
        self.schemas, self.go, self.known = schemas, go, known
        self.lines, self.waiting = [], []

    def kind(self, text):
        *api_version, kind = text.split("/")
        group = api_version[0] if len(api_version) == 2 else ""
        full = self.find(group, api_version[-1], kind)
        self.write(f"kind {'/'.join(api_version)} {kind}:", full, skip={"apiVersion", "kind", "metadata"})

    def find(self, group, version, kind):
        for name, schema in self.schemas.items():
            for of in schema.get("x-kubernetes-group-version-kind", []):
                if (of["group"], of["version"], of["kind"]) == (group, version, kind):
                    return name
        sys.exit(f"there is no {kind} in {group}/{version}")

    def drain(self):
        while self.waiting:
            full = self.waiting.pop(0)
            name = short(full)
            if name in self.known:
                continue
            self.known.add(name)
            atomic = " atomic" if self.schemas[full].get("x-kubernetes-map-type") == "atomic" else ""
            self.write(f"type {name}{atomic}:", full)

    def write(self, head, full, skip=()):
        schema, tags = self.schemas[full], self.go.fields(full)
        fields = []
        for name, field in sorted(schema.get("properties", {}).items()):
            if name in skip:
                continue
            go = tags.get(name, Field("", True, False))
            kind = self.type_of(field)
            always = "!" if go.always(kind) else ""
            null = " pointer" if always and go.kind.startswith("*") else ""
            fields.append(f"{name}{always} {kind}{self.options(field)}{null}")
        self.lines.append(head)
        self.lines.extend(wrap(fields))

    def type_of(self, field):
        reference = ref(field)
        if reference:
            if reference in SCALARS:
                return SCALARS[reference]
            target = self.schemas[reference]
            if "properties" not in target and target.get("type") != "object":
                return self.type_of(target)
            self.waiting.append(reference)
            return short(reference)
        if field.get("type") == "array":
            return f"[{self.type_of(field['items'])}]"
        if field.get("type") == "object":
            values = field.get("additionalProperties")
            return f"{{{self.type_of(values)}}}" if values else "any"
        if field.get("type") == "string":
            return {"byte": "bytes", "date-time": "time"}.get(field.get("format"), "string")
        if field.get("type") == "integer":
            return "int64" if field.get("format") == "int64" else "int"
        return {"boolean": "bool", "number": "number"}.get(field.get("type"), "any")

    def options(self, field):
        out = ""
        kind, strategy = field.get("x-kubernetes-list-type"), field.get("x-kubernetes-patch-strategy", "")
        key = field.get("x-kubernetes-patch-merge-key")
        merges = "merge" in strategy.split(",")
        if field.get("type") == "array":
            keys = field.get("x-kubernetes-list-map-keys") or ([key] if merges and key else [])
            if kind == "map" or (kind is None and merges and key):
                out += f" map({' '.join(keys)})"
            elif kind == "set" or (kind is None and merges):
                out += " set"
            if merges:
                out += f" merge({key})" if key else " merge"
        elif field.get("x-kubernetes-map-type") == "atomic":
            out += " atomic"
        elif field.get("x-kubernetes-map-type") == "granular":
            out += " granular"
        if isinstance(field.get("default"), str) and field["default"]:
            out += f" ={field['default']}"
        return out


def ref(field):
    for one in [field, *field.get("allOf", [])]:
        if "$ref" in one:
            return one["$ref"].rsplit("/", 1)[1]
    return None


def short(full):
    group, version = full.split(".")[-3:-1]
    if full.startswith("io.k8s.api.") and version != "v1":
        return f"{group}.{version}.{full.rsplit('.', 1)[1]}"
    return PREFIXED.get(full, full.rsplit(".", 1)[1])


def wrap(fields):
    lines, line = [], " "
    for at, field in enumerate(fields):
        text = " " + field + ("," if at + 1 < len(fields) else "")
        if len(line) + len(text) > 118:
            lines.append(line)
            line = " "
        line += text
    return [*lines, line] if line.strip() else lines


class Field:
    def __init__(self, kind, omitted, inline):
        self.kind, self.omitted, self.inline = kind, omitted, inline

    def always(self, kind):
        """Whether Go writes the field also when it was not set; it never omits a struct that is no pointer."""
        if not self.kind:
            return False
        is_struct = kind[0].isupper() or "." in kind or kind in ("time", "microtime")
        return not self.omitted or (is_struct and not self.kind.startswith(("*", "[", "map[")) and not self.zero)

    zero = False


class Go:
    """The structs of k8s.io/api and of the aggregator."""

    def __init__(self, root):
        self.root, self.structs = root, {}

    def package(self, full):
        if full.startswith(AGGREGATOR):
            aggregator = self.root.with_name(self.root.name.replace("api@", "kube-aggregator@"))
            return aggregator.joinpath(*full.removeprefix(AGGREGATOR).split(".")[:-1])
        group, version, _ = full.removeprefix("io.k8s.api.").rsplit(".", 2)
        return self.root / group.split(".")[0] / version

    def fields(self, full):
        if not full.startswith(("io.k8s.api.", AGGREGATOR)):
            return {}
        folder, name = self.package(full), full.rsplit(".", 1)[1]
        if folder not in self.structs:
            text = "\n".join(file.read_text() for file in folder.glob("*types*.go"))
            self.structs[folder] = dict(re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S))
        return self.tags(folder, name)

    def tags(self, folder, name):
        out = {}
        for go_type, tag in re.findall(r"^\t(?:\w+\s+)?([\w.*\[\]]+)\s+`json:\"([^\"]*)\"", self.structs[folder].get(name, ""), re.M):
            json_name, *options = tag.split(",")
            if "inline" in options:
                out.update(self.tags(folder, go_type.rsplit(".", 1)[-1]))
                continue
            field = Field(go_type, "omitempty" in options or "omitzero" in options, False)
            field.zero = "omitzero" in options
            out[json_name] = field
        return out


if __name__ == "__main__":
    main()
