#!/usr/bin/python3
"""kubelet - runs the pod of a manifest as a kubelet does, with processes for containers.

  kubelet.py MANIFEST --bin DIR --dir DIR --port CONTAINER=HOST... [--factor F]

Sidecars start first; a container whose process ends is started again, at once the first
time and then after 10 s, 20 s ... 300 s; startup, liveness and readiness are asked for with
their own periods, time-outs and thresholds; who fails startup or liveness is ended (preStop,
TERM, grace, KILL) and started again; the pod is in the endpoints of its Service while all its
containers are ready. TERM deletes the pod: out of the endpoints, containers ended, and after
them the sidecars, in what is left of the grace.

All numbers are the manifest's. A factor below 1 makes periods, delays, graces and back-offs
shorter, and what the manifest sets in milliseconds; time-outs stay, since an answer takes as
long as it takes. What happens is told on stdout; how it stands is in DIR/pod.json.
"""
import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time

import yaml

BACKOFF_S, BACKOFF_MAX_S = 10, 300
NOTICED_S = 1  # a kubelet looks at its containers once a second
SIDECAR_GRACE_MIN_S = 2
DEFAULTS = {"initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1,
            "successThreshold": 1, "failureThreshold": 3}
KINDS = ("startup", "liveness", "readiness")


async def after(seconds):
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    timer = loop.call_later(seconds, lambda: done.done() or done.set_result(None))
    try:
        await done
    finally:
        timer.cancel()


async def http_get(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: pod\r\nUser-Agent: kube-probe/1.36\r\n"
                     "Connection: close\r\n\r\n".encode())
        line = await reader.readline()
        code = int(line.split()[1])
        return 200 <= code < 400, f"HTTP {code}"
    finally:
        writer.close()


class Probe:
    """One question, and what the last answers make of it."""

    def __init__(self, container, kind, spec):
        self.container, self.kind = container, kind
        self.spec = DEFAULTS | spec
        self.asked = self.failed = self.run = 0
        self.last = None  # of the run of equal answers

    async def ask(self):
        container = self.container
        if "exec" in self.spec:
            return await container.exec(self.spec["exec"]["command"])
        get = self.spec["httpGet"]
        return await http_get(container.pod.host_port(container, get["port"]), get["path"])

    async def answer(self):
        try:
            return await asyncio.wait_for(self.ask(), self.spec["timeoutSeconds"])
        except asyncio.TimeoutError:
            return False, "timed out"
        except (OSError, ValueError, IndexError) as error:
            return False, str(error)

    def note(self, yes, words):
        self.asked += 1
        self.failed += not yes
        self.run = self.run + 1 if yes == self.last else 1
        self.last = yes
        if not yes and self.run <= self.spec["failureThreshold"]:
            self.container.tell(f"{self.kind} failed {self.run}/{self.spec['failureThreshold']}: {words}")
        if yes and self.run >= self.spec["successThreshold"]:
            return True
        if not yes and self.run >= self.spec["failureThreshold"]:
            return False
        return None  # not decided yet

    def wanted(self):
        container = self.container
        if self.kind == "startup":
            return not container.started
        return container.started and not (container.pod.leaving and self.kind == "liveness")

    async def loop(self, process):
        """While it lives: wait_for may take a cancellation for the answer that came with it."""
        scale = self.container.pod.factor
        self.run, self.last = 0, None
        await after(self.spec["initialDelaySeconds"] * scale)
        while process.returncode is None:
            begun = time.monotonic()
            if self.wanted():
                answer = await self.answer()
                if process.returncode is not None:
                    return
                decided = self.note(*answer)
                if decided is not None:
                    self.container.decided(self, decided)
                self.container.pod.publish()
            spent = time.monotonic() - begun
            await after(max(0, self.spec["periodSeconds"] * scale - spent))


class Container:
    """One process, again and again."""

    def __init__(self, pod, spec, sidecar):
        self.pod, self.spec, self.sidecar, self.name = pod, spec, sidecar, spec["name"]
        self.probes = {kind: Probe(self, kind, spec[f"{kind}Probe"])
                       for kind in KINDS if f"{kind}Probe" in spec}
        self.process = self.ending = None
        self.started = self.ready = False
        self.restarts, self.backoff, self.exits = 0, 0, []
        self.up = asyncio.Event()  # started, for those that start after it

    def tell(self, words):
        print(f"{time.monotonic() - self.pod.begun:.2f} {self.name}: {words}", flush=True)

    def environment(self):
        own = {e["name"]: str(e.get("value", "")) for e in self.spec.get("env", [])}
        for name, value in own.items():
            for mount in self.spec.get("volumeMounts", []):
                if mount["mountPath"] != "/dev/shm":
                    value = value.replace(mount["mountPath"], self.pod.volume(mount["name"]))
            for inside, outside in self.pod.ports.items():
                value = value.replace(f"0.0.0.0:{inside}", f"127.0.0.1:{outside}")
            if name.endswith("_MS"):
                value = str(int(float(value) * self.pod.factor))
            own[name] = value
        return os.environ | {"PATH": f"{self.pod.args.bin}:{os.environ['PATH']}"} | own

    async def exec(self, command):
        child = await asyncio.create_subprocess_exec(
            *command, env=self.environment(), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            out, _ = await child.communicate()
            return child.returncode == 0, out.decode(errors="replace").strip()
        finally:
            if child.returncode is None:
                child.kill()

    async def start(self):
        with open(os.path.join(self.pod.args.dir, f"{self.name}.log"), "ab") as log:
            # A group of its own: it ends as a whole, as what is in one pid namespace does.
            self.process = await asyncio.create_subprocess_exec(
                *self.spec["command"], *self.spec.get("args", []), env=self.environment(),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.started, self.ready = "startup" not in self.probes, False
        self.settle()
        self.tell(f"runs pid={self.process.pid} restarts={self.restarts}")
        self.pod.publish()

    def settle(self):
        if self.started:
            self.up.set()
            self.ready = self.ready or "readiness" not in self.probes

    def decided(self, probe, yes):
        if probe.kind == "readiness":
            if self.ready != yes:
                self.ready = yes
                self.tell("is ready" if yes else "is not ready")
        elif not yes:
            self.end(f"{probe.kind} failed", probe.spec.get("terminationGracePeriodSeconds"))
        elif not self.started:
            self.started = True
            self.tell("has started")
            self.settle()

    def end(self, why, grace_s=None):
        if self.ending is None:
            grace_s = self.pod.spec.get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s
            self.ending = asyncio.create_task(self.leave(why, grace_s * self.pod.factor))
        return self.ending

    async def leave(self, why, grace_s):
        self.tell(f"is ended: {why}")
        process, begun = self.process, time.monotonic()
        hook = self.spec.get("lifecycle", {}).get("preStop", {}).get("exec")
        if hook:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.exec(hook["command"]), grace_s)
        if process.returncode is None:
            process.terminate()
            left_s = max(0, grace_s - (time.monotonic() - begun))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), left_s)
        if process.returncode is None:
            self.tell("did not leave in its grace, killed")
            process.kill()
            await process.wait()

    async def live(self):
        """From its start to its exit."""
        await self.start()
        questions = [asyncio.create_task(p.loop(self.process)) for p in self.probes.values()]
        begun = time.monotonic()
        await self.process.wait()
        for question in questions:
            question.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.ending:
            await self.ending
            self.ending = None
        self.exits.append(self.process.returncode)
        self.started = self.ready = False
        self.tell(f"exited code={self.process.returncode} after={time.monotonic() - begun:.1f}")
        self.pod.publish()
        return time.monotonic() - begun

    async def run(self):
        while True:
            lived_s = await self.live()
            if self.pod.leaving:
                return
            if lived_s > 2 * BACKOFF_MAX_S * self.pod.factor:
                self.backoff = 0
            await after(max(NOTICED_S, self.backoff) * self.pod.factor)
            self.backoff = min(max(BACKOFF_S, 2 * self.backoff), BACKOFF_MAX_S)
            if self.pod.leaving:
                return
            self.restarts += 1

    def state(self):
        return {"pid": self.process.pid if self.process and self.process.returncode is None else None,
                "restarts": self.restarts, "started": self.started, "ready": self.ready, "exits": self.exits,
                "probes": {k: {"asked": p.asked, "failed": p.failed} for k, p in self.probes.items()}}


class Pod:
    def __init__(self, args, spec):
        self.args, self.spec, self.factor = args, spec, args.factor
        self.ports = dict(pair.split("=") for pair in args.port)
        self.begun, self.leaving, self.left_s = time.monotonic(), False, None
        self.containers = [Container(self, c, True) for c in spec.get("initContainers", [])] + \
                          [Container(self, c, False) for c in spec["containers"]]
        self.tasks = {}
        for volume in spec.get("volumes", []):
            os.makedirs(self.volume(volume["name"]))

    def volume(self, name):
        return os.path.join(os.path.abspath(self.args.dir), "volumes", name)

    def host_port(self, container, port):
        for named in container.spec.get("ports", []):
            if named.get("name") == port:
                port = named["containerPort"]
        return int(self.ports[str(port)])

    def publish(self):
        state = {"endpoints": not self.leaving and all(c.ready for c in self.containers),
                 "leaving": self.leaving, "leftSeconds": self.left_s,
                 "containers": {c.name: c.state() for c in self.containers}}
        path = os.path.join(self.args.dir, "pod.json")
        with open(path + ".new", "w", encoding="utf-8") as out:
            json.dump(state, out)
        os.replace(path + ".new", path)

    async def start(self):
        for container in self.containers:
            self.tasks[container] = asyncio.create_task(container.run())
            if container.sidecar:
                await container.up.wait()

    async def delete(self):
        self.leaving = True
        self.publish()
        begun = time.monotonic()
        grace_s = self.spec.get("terminationGracePeriodSeconds", 30)
        await self.end_all([c for c in self.containers if not c.sidecar], grace_s)
        for sidecar in reversed([c for c in self.containers if c.sidecar]):
            left_s = grace_s - (time.monotonic() - begun) / self.factor
            await self.end_all([sidecar], max(SIDECAR_GRACE_MIN_S, left_s))
        self.left_s = round((time.monotonic() - begun) / self.factor, 1)
        self.publish()

    async def end_all(self, containers, grace_s):
        for container in containers:
            if container.process and container.process.returncode is None:
                container.end("the pod is deleted", grace_s)
            elif container in self.tasks:
                self.tasks[container].cancel()
        tasks = [self.tasks[c] for c in containers if c in self.tasks]
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(failure, Exception):
                raise failure


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--port", nargs="+", default=[])
    parser.add_argument("--factor", type=float, default=1)
    args = parser.parse_args()
    with open(args.manifest, encoding="utf-8") as manifest:
        deployment = next(d for d in yaml.safe_load_all(manifest) if d["kind"] == "Deployment")
    pod = Pod(args, deployment["spec"]["template"]["spec"])
    deleted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, deleted.set)
    starting = asyncio.create_task(pod.start())
    await deleted.wait()
    starting.cancel()
    await pod.delete()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
