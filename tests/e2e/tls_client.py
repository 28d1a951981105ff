"""tls_client - a chat client over TLS: PORT USER CA; lines in are messages, lines out what came."""
import asyncio
import ssl
import sys

import websockets


async def read_lines(queue, loop):
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await queue.send(line.strip())


async def main(port, user, ca):
    context = ssl.create_default_context(cafile=ca)
    async with websockets.connect(f"wss://localhost:{port}/chat?user={user}", ssl=context,
                                  subprotocols=["parley.v1"]) as link:
        lines = asyncio.ensure_future(read_lines(link, asyncio.get_running_loop()))
        try:
            async for message in link:
                print(message, flush=True)
        except websockets.ConnectionClosedError as error:
            print("error", error, flush=True)
        lines.cancel()
    print("#close", link.close_code, flush=True)


asyncio.run(main(*sys.argv[1:]))
