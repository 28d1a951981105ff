"""stock_client - chats with the other stock client through the gateway."""
import asyncio, json, ssl, sys
import websockets


async def main():
    tls = ssl.create_default_context(cafile=sys.argv[2]) if sys.argv[2:] else None
    url = f"{'wss' if tls else 'ws'}://127.0.0.1:{sys.argv[1]}/chat?user=python"
    async with websockets.connect(url, ssl=tls, subprotocols=["parley.v1"], ping_interval=0.2) as ws:
        assert ws.subprotocol == "parley.v1"
        assert json.loads(await ws.recv())["op"] == "welcome"
        await ws.send(json.dumps({"op": "join", "room": "stock"}))
        print(json.loads(await ws.recv())["op"], flush=True)
        while True:
            got = json.loads(await asyncio.wait_for(ws.recv(), 20))
            if got["op"] == "message" and got["from"] == "node":
                print("python heard:", got["body"], flush=True)
                break
        await ws.send(json.dumps({"op": "send", "room": "stock", "id": "p1", "body": "hello from python"}))
        while json.loads(await ws.recv())["op"] != "sent":
            pass


asyncio.run(main())
