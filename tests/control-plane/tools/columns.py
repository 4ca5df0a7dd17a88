#!/usr/bin/env python3
"""Writes `src/kinds/printers/meanings.json`: what a kube-apiserver says of the columns of its kinds.

    columns.py KUBECONFIG > src/kinds/printers/meanings.json
"""

import json
import ssl
import subprocess
import sys
import urllib.request

EVERYWHERE = "*"


def main():
    server = Server(sys.argv[1])
    meanings = {}
    for path, kind in server.resources():
        for column in server.get(path + "?limit=1", "application/json;as=Table;v=v1;g=meta.k8s.io").get("columnDefinitions", []):
            meanings.setdefault(kind, {})[column["name"]] = column["description"]
    shared = {}
    for name in {name for columns in meanings.values() for name in columns}:
        said = [columns[name] for columns in meanings.values() if name in columns]
        most = max(set(said), key=lambda text: (said.count(text), text))
        if said.count(most) > 3:
            shared[name] = most
    for columns in meanings.values():
        for name in [name for name in columns if columns[name] == shared.get(name)]:
            del columns[name]
    meanings = {kind: columns for kind, columns in meanings.items() if columns} | {EVERYWHERE: shared}
    json.dump(meanings, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    print()


class Server:
    def __init__(self, kubeconfig):
        command = ["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "--minify", "-o", "json"]
        config = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        self.address = config["clusters"][0]["cluster"]["server"]
        self.token = config["users"][0]["user"]["token"]
        # It is one of this machine, and nothing secret is asked of it.
        self.context = ssl._create_unverified_context()

    def get(self, path, accept="application/json"):
        headers = {"accept": accept, "authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(request, context=self.context) as answer:
            return json.load(answer)

    def resources(self):
        versions = ["/api/v1"]
        versions += [
            f"/apis/{version['groupVersion']}" for group in self.get("/apis")["groups"] for version in group["versions"]
        ]
        for version in versions:
            for resource in self.get(version)["resources"]:
                if "/" not in resource["name"] and "list" in resource["verbs"]:
                    yield f"{version}/{resource['name']}", resource["kind"]


if __name__ == "__main__":
    main()
