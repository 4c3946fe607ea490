"""A hub on this machine: serves one small repository in the shape of the real hub's API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/a-model"

FILES: dict[str, bytes] = {
    "README.md": b"# A model",
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "whole-checkpoint.safetensors": b"x" * 5000,
    "scheduler/scheduler_config.json": b"{}",
    "text_encoder/config.json": b"{}",
    "text_encoder/model.safetensors": b"t" * 2000,
    "text_encoder/pytorch_model.bin": b"pickle",
    "tokenizer/merges.txt": b"a b",
    "tokenizer/vocab.json": b"{}",
    "unet/config.json": b'{"sample_size": 32}',
    "unet/diffusion_pytorch_model.safetensors": b"u" * 300_000,
    "unet/diffusion_pytorch_model.fp16.safetensors": b"h" * 150_000,
    "vae/config.json": b'{"block_out_channels": [1, 1, 1, 1]}',
    "vae/diffusion_pytorch_model.safetensors": b"v" * 3000,
    "safety_checker/model.safetensors": b"s" * 9000,
    "samples/picture.png": b"png",
}


class Hub(ThreadingHTTPServer):
    """asked: the path of every request for content. lost: files that are listed and cannot be had.

    token: what must be shown, if anything.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = dict(FILES)
        self.asked: list[str] = []
        self.lost: set[str] = set()
        self.token = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def downloads(self) -> set[str]:
        """The files that were asked for themselves."""
        start = f"/{REPOSITORY}/resolve/{COMMIT}/"
        return {path.removeprefix(start) for path in self.asked if path.startswith(start)}


@contextmanager
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        """Not to the test's output."""

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if with_body:
            self.server.asked.append(path)
        api = f"/api/models/{REPOSITORY}"
        resolve = f"/{REPOSITORY}/resolve/{COMMIT}/"
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._refuse(HTTPStatus.UNAUTHORIZED, "GatedRepo")
        elif path == f"{api}/revision/missing":
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif path.startswith((f"{api}/revision/", api + "/tree/")):
            self._json(self._tree() if "/tree/" in path else self._info())
        elif (
            path.startswith(resolve)
            and path.removeprefix(resolve) in self.server.files.keys() - self.server.lost
        ):
            self._file(self.server.files[path.removeprefix(resolve)], with_body=with_body)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "RepoNotFound")

    def _info(self) -> object:
        siblings = [{"rfilename": name, "size": len(data)} for name, data in self.server.files.items()]
        return {
            "id": REPOSITORY,
            "sha": COMMIT,
            "siblings": siblings,
            "private": False,
            "tags": [],
            "downloads": 0,
        }

    def _tree(self) -> object:
        return [
            {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
            for name, data in self.server.files.items()
        ]

    def _json(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, data: bytes, *, with_body: bool) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("ETag", f'"{_etag(data)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if with_body:
            self.wfile.write(data)


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
