"""protocol - replays the examples of gateway/PROTOCOL.md against a real gateway.

Usage: protocol.py PORT PID DOCUMENT. What stands under `Client:` is sent as it is, by ann;
what stands under `Server:` must come, with the same members, of the same types, and the
same words where they are the protocol's own. Another (bob) does what it takes for that.
The gateway keeps 100 messages of a room, and is ended by the last example. Prints an `ok`
line per example; the exit code is 0 if all are so.
"""
import base64, json, os, re, signal, socket, struct, sys, time

PORT, PID, DOCUMENT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PATIENCE_S = 20
OWN_WORDS = {"op", "code", "room", "user", "ref", "id", "from"}


class Client:
    def __init__(self, user):
        self.sock = socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.sock.sendall((f"GET /chat?user={user} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.bytes, self.got = b"", []
        while b"\r\n\r\n" not in self.bytes:
            self.more()
        answer, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        assert answer.startswith(b"HTTP/1.1 101"), answer

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError("the server has closed")
        self.bytes += data

    def take(self, n):
        while len(self.bytes) < n:
            self.more()
        data, self.bytes = self.bytes[:n], self.bytes[n:]
        return data

    def receive(self):
        first, n = self.take(2)
        if n > 125:
            n = struct.unpack(">H" if n == 126 else ">Q", self.take(2 if n == 126 else 8))[0]
        payload = self.take(n)
        if first & 15 == 1:
            self.got.append(json.loads(payload))

    def send(self, text):
        data = text.encode()
        head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else \
            b"\x81\xfe" + struct.pack(">H", len(data))
        self.sock.sendall(head + bytes(4) + data)

    def await_one(self, wanted):
        """The first that came, or comes, for which wanted() is true; taken."""
        seen = 0
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            while seen < len(self.got):
                if wanted(self.got[seen]):
                    return self.got.pop(seen)
                seen += 1
            self.receive()
        raise TimeoutError(f"not among {[m['op'] for m in self.got]}")

    def ask(self, op, **members):
        """A request, and its answer."""
        self.n_asked = getattr(self, "n_asked", 0) + 1
        ref = f"own-{self.n_asked}"
        self.send(json.dumps({"op": op, "ref": ref, **members}))
        return self.await_one(lambda m: m.get("ref") == ref)

    def say_all(self, room, n):
        assert self.ask("join", room=room)["op"] == "joined"
        for i in range(n):
            assert self.ask("send", room=room, id=f"seed-{i}", body=i)["op"] == "sent"


def examples():
    """(line, "Client" or "Server", text) of the document, in order."""
    who = None
    for number, line in enumerate(open(DOCUMENT, encoding="utf-8"), 1):
        if line.strip() in ("Client:", "Server:"):
            who = line.strip()[:-1]
        elif line.startswith("{"):
            yield number, who, line.strip()


def differences(example, real, path=""):
    """What is not the same but for values that are nobody's own."""
    if isinstance(example, dict) and isinstance(real, dict):
        for name in example.keys() | real.keys():
            if name not in example or name not in real:
                yield f"{path}.{name} is only {'here' if name in example else 'there'}"
            elif name == "body":
                continue
            elif name in OWN_WORDS and example[name] != real[name]:
                yield f"{path}.{name} is {real[name]!r}"
            else:
                yield from differences(example[name], real[name], f"{path}.{name}")
    elif isinstance(example, list) and isinstance(real, list):
        if bool(example) != bool(real):
            yield f"{path} has {len(real)}"
        for one in real[:1] if example else []:
            yield from differences(example[0], one, path + "[]")
    elif type(example) is not type(real):
        yield f"{path} is a {type(real).__name__}"


def prepare():
    """What the examples take for granted."""
    bob = Client("bob")
    bob.say_all("trimmed", 120)
    bob.ask("leave", room="trimmed")
    bob.say_all("lobby", 41)
    while "first" not in bob.ask("join", room="trimmed", since=2):
        bob.ask("leave", room="trimmed")
    bob.ask("leave", room="trimmed")
    return bob


def provoke(op, bob):
    """What others do for the server to say this of itself."""
    if op == "presence":
        bob.ask("leave", room="lobby")
        bob.ask("join", room="lobby")
    elif op == "typing":
        bob.send('{"op":"typing","room":"lobby"}')
    elif op == "drain":
        os.kill(PID, signal.SIGTERM)


def exceed(ann, text, ref):
    """Sends it until one is too much."""
    for _ in range(50):
        for _ in range(50):
            ann.send(text)
        answers = [ann.await_one(lambda m: m.get("ref") == ref) for _ in range(50)]
        refused = [m for m in answers if m["op"] == "error"]
        if refused:
            ann.got.append(refused[0])
            return
    raise AssertionError("nothing was too much")


def replay(ann, bob):
    n_bad, asked = 0, None
    for line, who, text in examples():
        example = json.loads(text)
        if who == "Client":
            asked = text
            ann.send(text)
            continue
        if example.get("code") == "rate_limited":
            exceed(ann, asked, example["ref"])
        if "ref" not in example:
            provoke(example["op"], bob)
        like = {k: example[k] for k in ("op", "ref", "code") if k in example}
        if example["op"] == "presence":  # not that of his leaving
            like["joined"] = example["joined"]
        if example["op"] == "message":
            like["id"] = example["id"]
        real = ann.await_one(lambda m: all(m.get(k) == v for k, v in like.items()))
        bad = list(differences(example, real))
        n_bad += bool(bad)
        print(f"{'not ok' if bad else 'ok'} line {line} {example['op']} {' '.join(bad)}", flush=True)
    return n_bad


BOB = prepare()
sys.exit(1 if replay(Client("ann"), BOB) else 0)
