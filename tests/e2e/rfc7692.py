"""rfc7692 - a strict judge of the gateway's compression, with raw bytes on a socket.

Usage: rfc7692.py PORT all. Prints as rfc6455.py does. The gateway under test has
PARLEY_MESSAGE_MAX=1024, PARLEY_DEFLATE=yes and PARLEY_DEFLATE_MIN=1.
"""
import json, os, zlib

import rfc6455
from rfc6455 import (MESSAGE_MAX, PING, PONG, Reader, accepted, closes, connect, frame, head, main,
                     opened, refused, stays, text)

OFFER = "permessage-deflate; client_max_window_bits"
TAKEN = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def packed(data, bits=15, level=9, strategy=0):
    deflater = zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


def offered(answer, *values):
    """These values of the header, one a line, are answered so."""
    def rule():
        s = connect()
        s.sendall(head(Sec_WebSocket_Extensions=list(values)))
        version, status, fields, _ = Reader(s).answer()
        assert status == 101 and fields.get("sec-websocket-extensions") == answer, fields
    return rule


class Compressing(Reader):
    """Reads frames of which the first bit says that they are compressed."""

    def frame(self):
        while len(self.buffer) < 2 and self.more():
            pass
        self.compressed = bool(self.buffer[:1] and self.buffer[0] & 0x40)
        if self.compressed:
            self.buffer = bytes([self.buffer[0] & ~0x40]) + self.buffer[1:]
        fin, opcode, payload = super().frame()
        if self.compressed:
            assert opcode == 1 and fin == 1, "only whole text messages are compressed"
            payload = zlib.decompressobj(-12).decompress(payload + b"\0\0\xff\xff")
        return fin, opcode, payload


def deflating(offer=OFFER):
    s = connect()
    s.sendall(head(Sec_WebSocket_Extensions=offer))
    r = Compressing(s)
    assert r.answer()[2]["sec-websocket-extensions"].startswith(TAKEN)
    assert json.loads(r.frame()[2])["op"] == "welcome"
    return s, r


def with_deflate(rule, *arguments, **named):
    """The same rule on a link that agreed on compression."""
    def run():
        rfc6455.opened = deflating
        try:
            rule(*arguments, **named)()
        finally:
            rfc6455.opened = opened
    return run


def a_room_is_compressed():
    room = os.urandom(8).hex()
    body = "the same again and " * 20
    links = [deflating(), deflating("permessage-deflate; server_max_window_bits=12"), opened()]
    for s, r in links:
        s.sendall(text(json.dumps({"op": "join", "room": room}).encode()))
        while json.loads(r.frame()[2])["op"] != "joined":
            pass
    s.sendall(text(json.dumps({"op": "send", "room": room, "id": "1", "body": body}).encode()))
    for s, r in links:
        while (got := json.loads(r.frame()[2]))["op"] != "message":
            pass
        assert got["body"] == body
        assert getattr(r, "compressed", False) == (r is not links[2][1])


def second_of_two(data):
    """The same again, by one who remembers that he said it before."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflater.compress(data)
    deflater.flush(zlib.Z_SYNC_FLUSH)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


small = lambda payload, **more: frame(1, packed(payload, **more), rsv=4)
DEFLATE = {
    "what browsers and ws offer is taken": offered(TAKEN, OFFER),
    "our window is as small as asked": offered(TAKEN + "; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=12"),
    "the first offer that can be met is taken": offered(TAKEN, "x, permessage-deflate; server_max_window_bits=9", "permessage-deflate"),
    "an unknown parameter declines": offered(None, "permessage-deflate; window=3"),
    "a repeated parameter declines": offered(None, "permessage-deflate; client_max_window_bits; client_max_window_bits"),
    "a list that is none is 400": refused(400, head(Sec_WebSocket_Extensions="permessage-deflate; =")),
    "nothing offered, nothing taken": accepted(head()),
    "a room's messages come compressed to who agreed": a_room_is_compressed,
    "a compressed message is answered": with_deflate(stays, small(PING), expect=[PONG]),
    "byte by byte is the same": with_deflate(stays, *[bytes([b]) for b in small(PING)], expect=[PONG]),
    "a plain one is, too": with_deflate(stays, text(PING) + small(PING) + text(PING), expect=[PONG] * 3),
    "stored, fixed and small windows": with_deflate(
        stays, small(PING, level=0) + small(PING, strategy=zlib.Z_FIXED) + small(PING, bits=9), expect=[PONG] * 3),
    "fragments carry the bit on the first": with_deflate(
        stays, frame(1, packed(PING)[:5], fin=0, rsv=4), frame(9, b"x"), frame(0, b"", fin=0),
        frame(0, packed(PING)[5:]), expect=[(10, b"x"), PONG]),
    "a final block and one byte more": with_deflate(
        stays, frame(1, zlib.compress(PING, wbits=-15) + b"\0", rsv=4), expect=[PONG]),
    "just the limit": with_deflate(
        stays, small(b'{"op":"ping","ref":1,"pad":"' + b"a" * (MESSAGE_MAX - 30) + b'"}'), expect=[PONG]),
    "one byte more is 1009": with_deflate(closes, 1009, small(b"a" * (MESSAGE_MAX + 1))),
    "a bomb is 1009": with_deflate(closes, 1009, small(bytes(900_000))),
    "the bit on a ping is 1002": with_deflate(closes, 1002, frame(9, b"x", rsv=4)),
    "the bit on a Close is 1002": with_deflate(closes, 1002, frame(8, b"\x03\xe8", rsv=4)),
    "the bit on a continuation is 1002": with_deflate(closes, 1002, frame(1, packed(PING)[:5], fin=0, rsv=4), frame(0, packed(PING)[5:], rsv=4)),
    "RSV2 beside it is 1002": with_deflate(closes, 1002, frame(1, packed(PING), rsv=6)),
    "the bit without an agreement is 1002": closes(1002, small(PING)),
    "what cannot be inflated is 1007": with_deflate(closes, 1007, frame(1, b"\xff\xff\xff", rsv=4)),
    "a message without its end is 1007": with_deflate(closes, 1007, frame(1, packed(PING)[:-3], rsv=4)),
    "invalid UTF-8 inside is 1007": with_deflate(closes, 1007, small(b"\xff")),
    "a window that is remembered is 1007": with_deflate(closes, 1007, small(PING) + frame(1, second_of_two(PING), rsv=4)),
    "binary is 1003": with_deflate(closes, 1003, frame(2, packed(b"x"), rsv=4)),
}


main(DEFLATE)
