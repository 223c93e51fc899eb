"""The `websockets` library as a client of tests/rfc6455 (clients.mjs has the lines that go in and out)."""

import asyncio
import sys

import websockets


def tell(word, *fields):
    sys.stdout.write(" ".join([word, *[f.hex() or "-" if isinstance(f, bytes) else str(f) for f in fields]]) + "\n")
    sys.stdout.flush()


def read(field):
    return b"" if field == "-" else bytes.fromhex(field)


async def hear(ws):
    try:
        async for message in ws:
            if isinstance(message, str):
                tell("text", message.encode())
            else:
                tell("binary", message)
    except websockets.ConnectionClosed:
        pass
    await ws.wait_closed()
    tell("closed", ws.close_code, (ws.close_reason or "").encode())


async def pinged(waiter, data):
    await waiter
    tell("pong", data)


class Session:
    def __init__(self):
        self.ws = None
        self.parts = []
        self.tasks = set()

    def go_on(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def open(self, url, protocols, deflate):
        offered = [p for p in read(protocols).decode().split(",") if p]
        try:
            self.ws = await websockets.connect(
                read(url).decode(),
                subprotocols=offered or None,
                compression="deflate" if deflate == "1" else None,
                max_size=None,
                ping_interval=None,
                close_timeout=5,
            )
        except websockets.InvalidStatusCode as error:
            return tell("failed", error.status_code)
        except (websockets.InvalidHandshake, OSError) as error:
            return tell("failed", 0, str(error).encode())
        names = ",".join(e.name for e in self.ws.extensions)
        tell("opened", (self.ws.subprotocol or "").encode(), names.encode())
        self.go_on(hear(self.ws))

    async def text(self, data):
        await self.ws.send(read(data).decode())

    async def binary(self, data):
        await self.ws.send(read(data))

    async def part(self, data):
        self.parts.append(read(data).decode())

    async def last(self, data):
        parts, self.parts = [*self.parts, read(data).decode()], []
        await self.ws.send(parts)

    async def ping(self, data):
        self.go_on(pinged(await self.ws.ping(read(data)), read(data)))

    async def close(self, code, reason):
        await self.ws.close(int(code), read(reason).decode())


async def main():
    session = Session()
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        word, *fields = line.decode().split()
        await getattr(session, word)(*fields)


asyncio.run(main())
