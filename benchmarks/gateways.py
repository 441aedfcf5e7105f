"""Many LiteLLM proxies in one process, each on a loopback port of its own: `python -m benchmarks.gateways N …`.

Prints the ports as a JSON list and serves until its input ends. Lines on its input: `live` lets traffic pass from
now on, `still` stops it, `polls` answers with the times of all looks at `/metrics`, port by port.
"""

import asyncio
import json
import sys
import time

from benchmarks.pages import Page


class Gateway:
    """One proxy."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.live = False
        self.looks: list[float] = []
        self._info = page.model_info()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection until the other side closes it."""
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                status, body = self._answer(request.split(b" ", 2)[1].partition(b"?")[0])
                kind = b"text/plain; version=0.0.4" if body[:1] not in (b"{", b"[") else b"application/json"
                head = b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (status, kind, len(body))
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path: bytes) -> tuple[bytes, bytes]:
        match path.rstrip(b"/"):
            case b"/metrics":
                self.looks.append(time.monotonic())
                if self.live:
                    self.page.step()
                return b"200 OK", self.page.text()
            case b"/model/info" | b"/v1/model/info" | b"/v2/model/info":
                return b"200 OK", self._info
            case b"/health/readiness":
                return b"200 OK", b'{"status":"healthy","db":"Not connected"}'
            case b"/health/readiness/details":
                return b"200 OK", b'{"status":"healthy","litellm_version":"1.106.2"}'
            case b"/router/settings":
                return b"200 OK", b'{"current_values":{"cooldown_time":20},"source":{}}'
            case _:
                return b"404 Not Found", b'{"detail":"Not Found"}'


async def main(endpoints: int, deployments: int, samples: int) -> None:
    """Serve until the input ends."""
    gateways = [Gateway(Page(number, deployments, samples)) for number in range(endpoints)]
    servers = [await asyncio.start_server(gateway.serve, "127.0.0.1", 0) for gateway in gateways]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if command == "polls":
            print(json.dumps([gateway.looks for gateway in gateways]), flush=True)
        else:
            for gateway in gateways:
                gateway.live = command == "live"
            print(json.dumps(command), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in sys.argv[1:4])))
