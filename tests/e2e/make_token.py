#!/usr/bin/python3
"""make_token - tokens for tests: make_token.py KEY CLAIMS [HEADER] prints a JWT.

KEY is HS256:FILE, where FILE is as PARLEY_JWT_KEY_FILE has it, or RS256:, ES256: or
EdDSA:FILE with a private key in PEM (openssl signs). CLAIMS is JSON; `exp`, `nbf` and
`iat` that begin with + or - are seconds from now. HEADER is JSON that is put into the
header beside `alg`, or in its place.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time


def url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(data, *args):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        args = ["openssl", *args, f.name]
        return subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout


def raw_pair(der):
    """ASN.1's two numbers as 32 bytes each."""
    numbers, at = b"", 2
    for _ in range(2):
        end = at + 2 + der[at + 1]
        numbers += der[at + 2 : end].lstrip(b"\0").rjust(32, b"\0")
        at = end
    return numbers


def sign(alg, path, data):
    if alg == "HS256":
        with open(path, encoding="ascii") as f:
            secret = base64.b64decode(f.read().split(":", 1)[1])
        return hmac.new(secret, data, hashlib.sha256).digest()
    if alg == "EdDSA":
        return openssl(data, "pkeyutl", "-sign", "-rawin", "-inkey", path, "-in")
    signature = openssl(data, "dgst", "-sha256", "-sign", path)
    return raw_pair(signature) if alg == "ES256" else signature


def main():
    alg, path = sys.argv[1].split(":", 1)
    claims = json.loads(sys.argv[2])
    header = {"alg": alg, "typ": "JWT", **json.loads((sys.argv[3:] or ["{}"])[0])}
    for name in ("exp", "nbf", "iat"):
        if isinstance(claims.get(name), str):
            claims[name] = time.time() + float(claims[name])
    parts = [url(json.dumps(part).encode()) for part in (header, claims)]
    print(".".join([*parts, url(sign(alg, path, ".".join(parts).encode()))]))


main()
