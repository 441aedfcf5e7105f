"""Record what the real OpenTelemetry SDK sends: `python -m tests.contract.record_otlp FILE`.

The bodies are kept as they came over HTTP, unpacked: base64 of protobuf.
"""

import base64
import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.contract.instrumented import one_request, telling

REQUESTS = 12


def main(target: Path) -> None:
    """Let the application make a dozen requests, and write what its SDK sent."""
    bodies: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    ours, theirs = (OTLPSpanExporter(url, compression=Compression.Gzip) for _ in range(2))
    with telling(ours, "shop-api", batch=20) as shop, telling(theirs, "search", batch=20) as search:
        for number in range(1, REQUESTS + 1):
            one_request(shop, search, number)
    server.shutdown()
    recording = {
        "sdk": version("opentelemetry-sdk"),
        "recorded_at": time.time(),
        "bodies": [base64.b64encode(body).decode() for body in bodies],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(recording, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
