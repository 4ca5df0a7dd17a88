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
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
CONTROLLERS = "/api/v1/namespaces/default/replicationcontrollers"


def main():
    server = Server(sys.argv[1])
    meanings = {}
    for path, kind in server.resources():
        meanings.setdefault(kind, {}).update(columns(server.get(path + "?limit=1", TABLE)))
    # A Scale is never listed.
    pods = {"metadata": {"labels": {"app": "scaled"}}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    server.send("POST", CONTROLLERS, {"metadata": {"name": "scaled"}, "spec": {"replicas": 0, "template": pods}})
    meanings["Scale"] = columns(server.get(f"{CONTROLLERS}/scaled/scale", TABLE))
    server.send("DELETE", f"{CONTROLLERS}/scaled")
    shared = {}
    for name in {name for told in meanings.values() for name in told}:
        said = [told[name] for told in meanings.values() if name in told]
        most = max(set(said), key=lambda text: (said.count(text), text))
        if said.count(most) > 3:
            shared[name] = most
    for told in meanings.values():
        for name in [name for name in told if told[name] == shared.get(name)]:
            del told[name]
    meanings = {kind: told for kind, told in meanings.items() if told} | {EVERYWHERE: shared}
    json.dump(meanings, sys.stdout, indent=1, sort_keys=True, ensure_ascii=False)
    print()


def columns(table):
    return {column["name"]: column["description"] for column in table.get("columnDefinitions", [])}


class Server:
    def __init__(self, kubeconfig):
        command = ["kubectl", "--kubeconfig", kubeconfig, "config", "view", "--raw", "--minify", "-o", "json"]
        config = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        self.address = config["clusters"][0]["cluster"]["server"]
        self.token = config["users"][0]["user"]["token"]
        # It is one of this machine, and nothing secret is asked of it.
        self.context = ssl._create_unverified_context()

    def get(self, path, accept="application/json"):
        return self.send("GET", path, accept=accept)

    def send(self, method, path, body=None, accept="application/json"):
        headers = {"accept": accept, "authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
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
