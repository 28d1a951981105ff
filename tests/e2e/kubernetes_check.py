#!/usr/bin/python3
"""kubernetes_check MANIFEST - says what an API server would refuse of it; exit 1 if anything.

Fields and their types are those that Kubernetes publishes (kubernetes_schema.json); a field
that is in no type is refused, as `kubectl --validate=strict` does. What the API reference
says in words besides is below: values, numbers, and names that must belong together.
"""
import json
import os
import re
import sys

import yaml

SCHEMA = json.load(open(os.path.join(os.path.dirname(__file__), "kubernetes_schema.json")))
KINDS = {
    ("apps/v1", "Deployment"): "V1Deployment",
    ("v1", "PersistentVolumeClaim"): "V1PersistentVolumeClaim",
    ("v1", "Service"): "V1Service",
}
QUANTITY = r"[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i|e[0-9]+)?"
LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
# Strings that may not be any: by the name of their field, in any type or in the one named.
VALUES = {
    "V1Container.restartPolicy": "Always|OnFailure|Never",
    "V1PodSpec.restartPolicy": "Always",  # of a Deployment
    "V1EmptyDirVolumeSource.medium": "|Memory|HugePages.*",
    "V1EmptyDirVolumeSource.sizeLimit": QUANTITY,
    "V1DeploymentStrategy.type": "Recreate|RollingUpdate",
    "V1SeccompProfile.type": "RuntimeDefault|Unconfined|Localhost",
    "V1PersistentVolumeClaimSpec.accessModes": "ReadWriteOnce|ReadOnlyMany|ReadWriteMany|ReadWriteOncePod",
    "V1ServiceSpec.type": "ClusterIP|NodePort|LoadBalancer|ExternalName",
    "V1Volume.name": LABEL,
    "V1Container.name": LABEL,
    "V1ContainerPort.name": r"(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?",
    "V1EnvVar.name": r"[-._a-zA-Z][-._a-zA-Z0-9]*",
    "V1ResourceRequirements.requests": QUANTITY,
    "V1ResourceRequirements.limits": QUANTITY,
    "V1VolumeResourceRequirements.requests": QUANTITY,
    "protocol": "TCP|UDP|SCTP",
    "imagePullPolicy": "Always|IfNotPresent|Never",
    "mountPath": "/[^:]*",
    "V1Capabilities.drop": "[A-Z_]+",
}
AT_LEAST = {"initialDelaySeconds": 0, "periodSeconds": 1, "timeoutSeconds": 1,
            "successThreshold": 1, "failureThreshold": 1, "replicas": 0,
            "terminationGracePeriodSeconds": 1, "containerPort": 1, "port": 1}
SCALARS = {"string": str, "boolean": bool, "integer": int, "Date": str}
findings = []


def find(where, what):
    findings.append(f"{where}: {what}")


def check_value(where, owner, field, value):
    pattern = VALUES.get(f"{owner}.{field}", VALUES.get(field))
    if isinstance(value, str) and pattern is not None and not re.fullmatch(pattern, value):
        find(where, f"{value!r} is not one of {pattern}")
    if isinstance(value, int) and not isinstance(value, bool) and value < AT_LEAST.get(field, value):
        find(where, f"{value} is less than {AT_LEAST[field]}")


def check_type(where, owner, field, kind, value):
    if kind.startswith("Array<"):
        if not isinstance(value, list):
            return find(where, "is no list")
        for i, item in enumerate(value):
            check_type(f"{where}[{i}]", owner, field, kind[6:-1], item)
    elif kind.startswith("{"):
        if not isinstance(value, dict):
            return find(where, "is no map")
        for key, item in value.items():
            check_type(f"{where}.{key}", owner, field, "string", item)
    elif kind in SCHEMA:
        check_object(where, kind, value)
    else:
        wanted = (int, str) if kind == "IntOrString" else SCALARS[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
            return find(where, f"{value!r} is no {kind}")
        check_value(where, owner, field, value)


def check_object(where, name, value):
    if not isinstance(value, dict):
        return find(where, f"is no {name}")
    fields = {field.rstrip("!"): kind for field, kind in SCHEMA[name].items()}
    for field in (f[:-1] for f in SCHEMA[name] if f.endswith("!")):
        if field not in value:
            find(where, f"has no {field}")
    for field, item in value.items():
        if field not in fields:
            find(where, f"{name} has no field {field}")
        else:
            check_type(f"{where}.{field}", name, field, fields[field], item)


# ---- what belongs together ----

def names(items):
    return [item.get("name") for item in items]


def once(where, items):
    for name in sorted({n for n in items if n is not None and items.count(n) > 1}):
        find(where, f"{name} stands there twice")


def check_probe(where, name, probe, ports):
    handlers = [h for h in ("exec", "grpc", "httpGet", "tcpSocket") if h in probe]
    if len(handlers) != 1:
        find(where, f"{name} has {len(handlers)} handlers, not one")
    port = probe.get("httpGet", {}).get("port")
    if isinstance(port, str) and port not in ports:
        find(where, f"{name} asks port {port}, which the container does not name")
    if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        find(where, f"successThreshold of {name} must be 1")
    if name == "readinessProbe" and "terminationGracePeriodSeconds" in probe:
        find(where, f"{name} ends nothing, and so has no terminationGracePeriodSeconds")


def check_pod(where, pod, claims):
    containers = pod.get("containers", [])
    everyone = pod.get("initContainers", []) + containers
    if not containers:
        find(where, "has no container")
    volumes = names(pod.get("volumes", []))
    once(f"{where}.volumes", volumes)
    once(f"{where} containers", names(everyone))
    once(f"{where} ports", [p.get("name") for c in everyone for p in c.get("ports", [])])
    for volume in pod.get("volumes", []):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim is not None and claim not in claims:
            find(where, f"volume {volume['name']} is of the claim {claim}, which is not there")
    for container in everyone:
        here = f"{where} {container.get('name')}"
        if not container.get("image"):
            find(here, "has no image")
        once(f"{here} env", names(container.get("env", [])))
        once(f"{here} mounts", [m.get("mountPath") for m in container.get("volumeMounts", [])])
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                find(here, f"mounts {mount['name']}, which is no volume")
        ports = names(container.get("ports", []))
        probes = {k: v for k, v in container.items() if k.endswith("Probe")}
        for name, probe in probes.items():
            check_probe(here, name, probe, ports)
        if container in pod.get("initContainers", []) and container.get("restartPolicy") != "Always" and probes:
            find(here, "is no sidecar (restartPolicy: Always), and so may have no probes")


def check_together(documents):
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document.get("kind"), []).append(document)
    claims = names(d["metadata"] for d in by_kind.get("PersistentVolumeClaim", []))
    templates = [d["spec"]["template"] for d in by_kind.get("Deployment", [])]
    for deployment in by_kind.get("Deployment", []):
        template = deployment["spec"]["template"]
        labels = template.get("metadata", {}).get("labels", {})
        wanted = deployment["spec"]["selector"].get("matchLabels", {})
        if not wanted or any(labels.get(k) != v for k, v in wanted.items()):
            find("Deployment", "its selector does not match its own pods")
        check_pod("pod", template["spec"], claims)
    for service in by_kind.get("Service", []):
        chosen = [t for t in templates if all(t["metadata"]["labels"].get(k) == v
                                              for k, v in service["spec"]["selector"].items())]
        if not chosen:
            find("Service", "chooses no pods")
        ports = [p for t in chosen for c in t["spec"]["containers"] for p in names(c.get("ports", []))]
        for port in service["spec"]["ports"]:
            if isinstance(port.get("targetPort"), str) and port["targetPort"] not in ports:
                find("Service", f"no container has the port {port['targetPort']}")


def main():
    with open(sys.argv[1], encoding="utf-8") as manifest:
        documents = [d for d in yaml.safe_load_all(manifest) if d is not None]
    for document in documents:
        kind = KINDS.get((document.get("apiVersion"), document.get("kind")))
        if kind is None:
            find("manifest", f"no kind here: {document.get('apiVersion')} {document.get('kind')}")
        else:
            check_object(document["kind"], kind, document)
    if not findings:
        check_together(documents)
    print("\n".join(findings) or f"as Kubernetes {SCHEMA['release']} wants it: {len(documents)} objects")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
