"""rfc6455 - a strict judge of the gateway's WebSocket, with raw bytes on a socket.

Usage: rfc6455.py PORT frames|handshake|http. Prints one TAP line per rule; the exit
code is the number of rules broken. The gateway under test has PARLEY_MESSAGE_MAX=1024.
"""
import base64, hashlib, json, os, re, socket, ssl, struct, sys, time

PORT = int(sys.argv[1])
CA = os.environ.get("JUDGE_CA")  # with it, over TLS
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MESSAGE_MAX = 1024


def connect():
    s = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not CA:
        return s
    return ssl.create_default_context(cafile=CA).wrap_socket(s, server_hostname="localhost")


def head(path="/chat?user=judge", version="HTTP/1.1", method="GET", drop=(), **changed):
    fields = {"Host": f"127.0.0.1:{PORT}", "Connection": "Upgrade", "Upgrade": "websocket",
              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
    fields.update({k.replace("_", "-"): v for k, v in changed.items()})
    lines = [f"{method} {path} {version}"]
    for name, value in fields.items():
        if name not in drop:
            lines += [f"{name}: {v}" for v in ([value] if isinstance(value, str) else value)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Reader:
    """Whole answers and frames from a socket."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, n):
        while len(self.buffer) < n:
            if not self.more():
                raise EOFError(f"{len(self.buffer)} of {n} bytes")
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                raise EOFError("no whole answer")
        top, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        version, status = lines[0].split(" ")[:2]
        fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            fields[name.strip().lower()] = value.strip()
        body = self.take(int(fields.get("content-length", 0))) if status != "101" else b""
        return version, int(status), fields, body

    def frame(self):
        first, second = self.take(2)
        assert not second & 128, "a server's frame is not masked"
        assert not first & 0x70, "no reserved bits"
        n = second & 127
        if n == 126:
            n = struct.unpack(">H", self.take(2))[0]
            assert n > 125, "minimal length"
        elif n == 127:
            n = struct.unpack(">Q", self.take(8))[0]
            assert n > 65535, "minimal length"
        return first >> 7, first & 15, self.take(n)

    def ended(self):
        """The peer closes, after nothing more."""
        while self.more():
            pass
        return self.buffer == b""


def frame(opcode, payload=b"", fin=1, masked=True, rsv=0, length=None, width=None):
    n = len(payload) if length is None else length
    if width is None:
        width = 0 if n < 126 else 2 if n < 65536 else 8
    code = n if width == 0 else 126 if width == 2 else 127
    out = bytes([fin << 7 | rsv << 4 | opcode, (128 if masked else 0) | code])
    out += {0: b"", 2: struct.pack(">H", n & 0xffff), 8: struct.pack(">Q", n)}[width]
    if masked:
        mask = os.urandom(4)
        out += mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
    else:
        out += payload
    return out


def opened():
    s = connect()
    s.sendall(head())
    r = Reader(s)
    version, status, fields, _ = r.answer()
    assert (version, status) == ("HTTP/1.1", 101), (version, status)
    fin, opcode, payload = r.frame()
    assert json.loads(payload)["op"] == "welcome"
    return s, r


def closes(code, *parts):
    """Whatever comes in `parts`, the answer is a Close with `code`, and then the end."""
    def rule():
        s, r = opened()
        for part in parts:
            s.sendall(part)
        while True:
            fin, opcode, payload = r.frame()
            if opcode == 8:
                break
        got = struct.unpack(">H", payload[:2])[0] if payload else None
        assert got == code, f"close code {got}, not {code}"
        payload[2:].decode("utf-8")
        s.sendall(frame(8, payload[:2]))
        assert r.ended(), f"bytes after Close: {r.buffer!r}"
    return rule


def stays(*parts, expect=()):
    """After `parts` come the `expect`ed (opcode, payload) frames, and the link lives."""
    def rule():
        s, r = opened()
        for part in parts:
            s.sendall(part)
        for want in expect:
            fin, opcode, payload = r.frame()
            assert fin == 1 and opcode == want[0], (opcode, payload)
            assert want[1] is None or payload == want[1], payload
        s.sendall(frame(9, b"alive?"))
        fin, opcode, payload = r.frame()
        assert (opcode, payload) == (10, b"alive?"), (opcode, payload)
        s.sendall(frame(8, struct.pack(">H", 1000)))
        fin, opcode, payload = r.frame()
        assert opcode == 8 and payload[:2] == b"\x03\xe8", payload
        assert r.ended()
    return rule


PING = b'{"op":"ping","ref":1}'
PONG = (1, b'{"op":"pong","ref":1}')
close = lambda code, reason=b"": frame(8, struct.pack(">H", code) + reason)
text = lambda payload: frame(1, payload)

FRAMES = {
    "a text message is answered": stays(text(PING), expect=[PONG]),
    "byte by byte is the same": stays(*[bytes([b]) for b in text(PING)], expect=[PONG]),
    "two messages in one segment": stays(text(PING) + text(PING), expect=[PONG, PONG]),
    "fragments are put together": stays(frame(1, PING[:5], fin=0), frame(0, PING[5:9], fin=0),
                                        frame(0, PING[9:]), expect=[PONG]),
    "empty fragments are fine": stays(frame(1, b"", fin=0), frame(0, PING, fin=0), frame(0),
                                      expect=[PONG]),
    "a ping between fragments is answered at once": stays(
        frame(1, PING[:5], fin=0), frame(9, b"x"), frame(0, PING[5:]), expect=[(10, b"x"), PONG]),
    "every ping of a burst is answered": stays(
        b"".join(frame(9, b"%d" % i) for i in range(50)),
        expect=[(10, b"%d" % i) for i in range(50)]),
    "a ping of 125 bytes": stays(frame(9, b"p" * 125), expect=[(10, b"p" * 125)]),
    "an unsolicited pong is ignored": stays(frame(10, b"what")),
    "a message of just the limit": stays(text(b'{"op":"ping","ref":1,"pad":"' + b"a" * (MESSAGE_MAX - 30) + b'"}'),
                                         expect=[PONG]),
    "bad JSON is an error, not the end": stays(text(b"{nonsense"), expect=[(1, None)]),
    "an empty message is an error, not the end": stays(text(b""), expect=[(1, None)]),
    "UTF-8 split inside a character over fragments": stays(
        frame(1, b'{"op":"ping","ref":1,"x":"\xe2', fin=0), frame(0, b'\x82\xac"}'), expect=[PONG]),
    "an unmasked frame is 1002": closes(1002, frame(1, PING, masked=False)),
    "RSV1 is 1002": closes(1002, frame(1, PING, rsv=4)),
    "RSV2 is 1002": closes(1002, frame(1, PING, rsv=2)),
    "RSV3 is 1002": closes(1002, frame(1, PING, rsv=1)),
    **{f"opcode {op} is 1002": closes(1002, frame(op, b"")) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a 16-bit length for 125 bytes is 1002": closes(1002, frame(1, b"a" * 125, width=2)),
    "a 64-bit length for 125 bytes is 1002": closes(1002, frame(1, b"a" * 125, width=8)),
    "a 64-bit length for 1000 bytes is 1002": closes(1002, frame(1, b"a" * 1000, width=8)),
    "a 64-bit length with the top bit is 1002": closes(1002, frame(1, b"", length=1 << 63, width=8)),
    "a ping of 126 bytes is 1002": closes(1002, frame(9, b"p" * 126)),
    "a fragmented ping is 1002": closes(1002, frame(9, b"p", fin=0)),
    "a fragmented Close is 1002": closes(1002, frame(8, b"\x03\xe8", fin=0)),
    "a continuation of nothing is 1002": closes(1002, frame(0, b"x")),
    "a new message inside a message is 1002": closes(1002, frame(1, b"x", fin=0), frame(1, b"y")),
    "a binary message is 1003": closes(1003, frame(2, b"\x00\x01")),
    "too long a message is 1009": closes(1009, text(b"a" * (MESSAGE_MAX + 1))),
    "too long is told from the announced length": closes(1009, frame(1, b"", length=1 << 40, width=8)),
    "too long in fragments is 1009": closes(1009, frame(1, b"a" * 600, fin=0), frame(0, b"a" * 600)),
    "invalid UTF-8 is 1007": closes(1007, text(b"\xff")),
    "an overlong form is 1007": closes(1007, text(b"\xc0\xaf")),
    "a surrogate is 1007": closes(1007, text(b"\xed\xa0\x80")),
    "above U+10FFFF is 1007": closes(1007, text(b"\xf4\x90\x80\x80")),
    "a cut-off character at the end is 1007": closes(1007, text(b"abc\xe2\x82")),
    "invalid UTF-8 is told before the frame ends": closes(1007, text(b"\xff" + b"a" * 500)[:20]),
    "invalid UTF-8 is told across fragments": closes(1007, frame(1, b"\xe2", fin=0), frame(0, b"\x28", fin=0)),
    "Close without a code is answered": lambda: close_echo(frame(8), b""),
    "Close 1000 is answered with 1000": lambda: close_echo(close(1000), b"\x03\xe8"),
    "Close 4999 is answered": lambda: close_echo(close(4999), struct.pack(">H", 4999)),
    "Close with a reason is answered": lambda: close_echo(close(1001, b"bye"), b"\x03\xe9"),
    "Close of one byte is 1002": closes(1002, frame(8, b"\x03")),
    "Close with bad UTF-8 in its reason is 1007": closes(1007, close(1000, b"\xff")),
    **{f"Close {c} is 1002": closes(1002, close(c))
       for c in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
    "nothing is read or sent after Close": lambda: nothing_after_close(),
    "a ping before a Close in one segment is answered": lambda: ping_then_close(),
}


def close_echo(sent, starts):
    s, r = opened()
    s.sendall(sent)
    fin, opcode, payload = r.frame()
    assert opcode == 8 and payload[:2] == starts, (opcode, payload)
    assert r.ended()


def nothing_after_close():
    s, r = opened()
    s.sendall(close(1000) + text(PING) + frame(9, b"x"))
    fin, opcode, payload = r.frame()
    assert opcode == 8, opcode
    assert r.ended(), r.buffer


def ping_then_close():
    s, r = opened()
    s.sendall(frame(9, b"last") + close(1000))
    assert r.frame()[1:] == (10, b"last")
    assert r.frame()[1] == 8
    assert r.ended()


def refused(status, request, **fields):
    def rule():
        s = connect()
        s.sendall(request)
        version, got, have, body = Reader(s).answer()
        assert version == "HTTP/1.1", version
        assert got == status, f"{got}, not {status}"
        for name, value in fields.items():
            name = name.replace("_", "-").lower()
            assert have.get(name) == value, f"{name}: {have.get(name)}"
        if status >= 400:
            json.loads(body)
    return rule


def accepted(request):
    def rule():
        s = connect()
        s.sendall(request)
        version, status, fields, _ = Reader(s).answer()
        assert (version, status) == ("HTTP/1.1", 101), (version, status)
        digest = hashlib.sha1((KEY + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert fields["sec-websocket-accept"] == base64.b64encode(digest).decode()
        assert fields["upgrade"].lower() == "websocket" and "upgrade" in fields["connection"].lower()
        assert "sec-websocket-extensions" not in fields
    return rule


own = f"http://127.0.0.1:{PORT}"
HANDSHAKE = {
    "the handshake of the RFC": accepted(head()),
    "header names and tokens in any case": accepted(head(drop=("Upgrade", "Connection"), uPGRADE="WebSocket", cONNECTION="keep-alive, UPGRADE")),
    "the protocol is echoed": accepted(head(Sec_WebSocket_Protocol="chat, parley.v1")),
    "extensions offered are not taken": accepted(head(Sec_WebSocket_Extensions="permessage-deflate")),
    "own origin": accepted(head(Origin=own)),
    "a foreign origin is 403": refused(403, head(Origin="http://evil.example")),
    "origin null is 403": refused(403, head(Origin="null")),
    "no version is 426 with the one spoken": refused(426, head(drop=("Sec-WebSocket-Version",)), Sec_WebSocket_Version="13"),
    "version 8 is 426": refused(426, head(Sec_WebSocket_Version="8"), Sec_WebSocket_Version="13"),
    "no upgrade is 426": refused(426, head(drop=("Upgrade", "Connection")), Upgrade="websocket"),
    "POST is 405 with Allow": refused(405, head(method="POST", Content_Length="0"), Allow="GET"),
    "HTTP/1.0 is 400": refused(400, head(version="HTTP/1.0")),
    "HTTP/9.9 is 505 or 400": lambda: either(head(version="HTTP/9.9"), (400, 505)),
    "no Host is 400": refused(400, head(drop=("Host",))),
    "two Hosts are 400": refused(400, head(Host=["a", "b"])),
    "no key is 400": refused(400, head(drop=("Sec-WebSocket-Key",))),
    "two keys are 400": refused(400, head(Sec_WebSocket_Key=[KEY, KEY])),
    "a short key is 400": refused(400, head(Sec_WebSocket_Key="c2hvcnQ=")),
    "a key that is no base64 is 400": refused(400, head(Sec_WebSocket_Key="!!!!IHNhbXBsZSBub25jZQ==")),
    "another path is 404": refused(404, head(path="/other")),
    "a user that is no UTF-8 is 400": refused(400, head(path="/chat?user=%ff")),
    "too long a user is 400": refused(400, head(path="/chat?user=" + "a" * 65)),
    "another protocol only is 400": refused(400, head(Sec_WebSocket_Protocol="mqtt")),
    "huge headers are 431": refused(431, head(X_Big="a" * 20000)),
    "a bare LF is 400": refused(400, head().replace(b"\r\n", b"\n")),
    "a folded header is 400": refused(400, head(X_A="b\r\n c")),
    "garbage is 400": refused(400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"),
}


def either(request, statuses):
    s = connect()
    s.sendall(request)
    assert Reader(s).answer()[1] in statuses


def many(n, request, status):
    """n requests in one go are answered n times, in order, on one connection."""
    def rule():
        s = connect()
        r = Reader(s)
        data = request * n
        s.settimeout(20)
        sent = 0
        answers = 0
        while sent < len(data):
            sent += s.send(data[sent:sent + 65536])
            s.setblocking(False)
            try:
                while r.more():
                    pass
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            s.settimeout(20)
        for i in range(n):
            assert r.answer()[1] == status, i
    return rule


post = lambda body, path="/nothing": (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
chunked = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
HTTP = {
    "512 pipelined GETs": many(512, b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "two POSTs in one segment": many(2, post(b"hello"), 404),
    "512 POSTs": many(512, post(b"hello"), 404),
    "a chunked POST is answered": many(1, chunked, 404),
    "512 chunked POSTs": many(512, chunked, 404),
    "an oversized POST is 413": refused(413, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"),
    "an oversized chunk is 413": refused(413, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + b"a" * 100000),
    "length and chunks together are 400": refused(400, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "Connection: close is honoured": lambda: closed_after(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
}


def closed_after(request):
    s = connect()
    s.sendall(request)
    r = Reader(s)
    assert r.answer()[1] == 404
    assert r.ended()


def main(rules):
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    broken = 0
    for number, (name, rule) in enumerate(rules.items(), 1):
        if only not in name:
            continue
        try:
            rule()
            print(f"ok {number} {name}", flush=True)
        except Exception as fault:
            broken += 1
            print(f"not ok {number} {name} # {type(fault).__name__}: {fault}", flush=True)
    sys.exit(min(broken, 100))


if __name__ == "__main__":
    main({"frames": FRAMES, "handshake": HANDSHAKE, "http": HTTP}[sys.argv[2]])
