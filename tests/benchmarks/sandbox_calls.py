"""How many simple calls a second the sandbox answers, beside a bare starlette application on the same uvicorn.

`python tests/benchmarks/sandbox_calls.py [--seconds S] [--json]`. Each server runs in a process of its own, one after
the other; the client keeps some connections busy with one request prepared beforehand, so that it costs little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

SEED = {
    "lines": [
        {"config_id": 69, "type": "cloud", "title": "Sales", "server": "sip.example", "login": "1", "password": "x"},
        {"config_id": 70, "type": "office", "title": "Support", "server": "sip.example", "login": "2", "password": "y"},
    ]
}
CONNECTIONS = 8
BARE = "bare starlette"
CALLS = {
    "voximplant.sip.get": {"FILTER": {"CONFIG_ID": 69}},
    "voximplant.line.outgoing.get": {},
    "voximplant.sip.update": {"CONFIG_ID": 69, "TITLE": "Sales"},
}


def serve_sandbox(channel: Connection) -> None:
    """The sandbox, without a rate limit."""
    from sipsync.sandbox import Options, serve

    serve(Options(seed=SEED, secret="sandbox"), lambda line: channel.send(json.loads(line)["url"]))


def serve_bare(channel: Connection) -> None:
    """The least that starlette can do with a request of JSON."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from sipsync.sandbox import serving

    async def answer(request: Request) -> JSONResponse:
        return JSONResponse({"result": await request.json()})

    app = Starlette(routes=[Route("/rest/1/sandbox/{method}", answer, methods=["POST"])])
    listening = serving.listen(0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving.Server(serving.configured(app), lambda: channel.send(url)).run(sockets=[listening])


def calls_a_second(serving: Callable[[Connection], None], method: str, seconds: float) -> float:
    """How many calls of a method a server answers in a second."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serving, args=(there,), daemon=True)
    process.start()
    try:
        port = int(here.recv().rpartition(":")[2])
        asyncio.run(_count(port, method, 0.3))
        return asyncio.run(_count(port, method, seconds)) / seconds
    finally:
        process.terminate()
        process.join()


async def _count(port: int, method: str, seconds: float) -> int:
    body = json.dumps(CALLS.get(method, {})).encode()
    head = f"POST /rest/1/sandbox/{method} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    end = time.monotonic() + seconds

    async def keep_asking() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.monotonic() < end:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode())
            await reader.readexactly(int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            done += 1
        writer.close()
        await writer.wait_closed()
        return done

    return sum(await asyncio.gather(*(keep_asking() for _ in range(CONNECTIONS))))


def measure(seconds: float = 2.0) -> dict[str, dict[str, float]]:
    """Calls a second, and the ratio to a bare starlette application, by method."""
    bare = calls_a_second(serve_bare, "voximplant.sip.get", seconds)
    found = {BARE: {"calls": bare, "ratio": 1.0}}
    for method in CALLS:
        calls = calls_a_second(serve_sandbox, method, seconds)
        found[method] = {"calls": calls, "ratio": calls / bare}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.seconds)
    if options.json:
        print(json.dumps(found))
        return
    for name, row in found.items():
        print(f"{name:30} {row['calls']:8.0f} calls/s   {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
