#!/usr/bin/env python3
"""Writes `src/schema/named.txt`: the fields of the built-in kinds whose Go type has a name of its own without being a struct.

    named.py MODULES VERSION src/schema/builtin.txt > src/schema/named.txt

MODULES is the folder that `structs.py` reads.
"""

import re
import sys
from pathlib import Path

from structs import SCALARS, Tables, package_of, wrap

FIELD = re.compile(r'^\t(?:\w+[ \t]+)?([*\w.\[\]{}]+)[ \t]+`json:"([^",]*)', re.M)


class Named(Tables):
    def __init__(self, *of):
        super().__init__(*of)
        self.structs = []

    def name(self, path, go):
        if (path, go) not in self.structs:
            self.structs.append((path, go))
        return super().name(path, go)

    def called(self, path, go):
        """What Go calls a type in which there is such a name; a list or a map has `[]` or `{}` behind its own."""
        go = go.lstrip("*")
        if go in SCALARS:
            return None
        if go.startswith("[]"):
            element = self.called(path, go[2:])
            return element and f"[]{element}"
        if go.startswith("map["):
            types = go[4:].split("]", 1)
            names = [self.called(path, one) for one in types]
            return any(names) and "map[{}]{}".format(*(name or one for name, one in zip(names, types))) or None
        alias, _, name = go.rpartition(".")
        path = self.package(path).imports.get(alias) if alias else path
        try:
            of = path and self.package(path).types.get(name)
        except StopIteration:
            return None
        kind = {"[": "[]", "m": "{}"}.get(of[0] if of and of.startswith(("[]", "map[")) else "", "")
        return of and f"{path.rsplit('/', 1)[-1]}.{name}{kind}"


def main():
    modules, version, builtin = sys.argv[1:]
    tables = Named(Path(modules), version)
    for api_version, kind in re.findall(r"^kind (\S+) (\w+):", Path(builtin).read_text(), re.M):
        group, _, name = api_version.rpartition("/")
        tables.name(package_of(group, name), kind)
    tables.drain()
    found = {}
    for path, go in tables.structs:
        for kind, name in FIELD.findall(tables.package(path).structs[go]):
            called = tables.called(path, kind)
            if called:
                found.setdefault(go, {})[name] = called
    for go, fields in found.items():
        print("\n".join([f"{go}:", *wrap([f"{name} {called}" for name, called in fields.items()])]))


if __name__ == "__main__":
    main()
