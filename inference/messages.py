"""What goes over the worker's pipes: one record per message, each in a packet of four length bytes and msgpack.

The engine's side feeds whatever bytes arrive to an `Unpacker`; the worker's side reads its file with `read_packet`.
A packet that is not one of ours raises BrokenPacket: whoever sent it cannot be trusted any more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from inference.config import EngineConfig
from inference.runner import Outcome, Phase
from inference.types import Blob, ImageRequest, PictureRef, Strictness

_Message = TypeVar("_Message")
_HEAD = 4
MAX_PACKET = 1 << 28
"""Sixteen results of 2048² with their latents are far below it; text read as a length is far above."""


class BrokenPacket(Exception):
    """What came over the pipe is not a packet of the expected kind."""


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first message: how to set up, and in which folder each model is."""

    config: EngineConfig
    folders: dict[str, str]


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Draw these samples of the request. `key` names it from now on and is never used again."""

    key: int
    request: ImageRequest
    samples: tuple[int, ...]
    blobs: dict[PictureRef, Blob]
    strictness: Strictness = Strictness.OFF


class Drop(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nobody wants this request any more."""

    key: int


ToWorker = Setup | Submit | Drop


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The default model is loaded."""

    row_limit: int


class SetupFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The default model or the safety checker cannot be loaded; the worker ends after this.

    sentence: why, fit to show.
    """

    sentence: str


class Entered(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A phase begins. `keys` are the requests that the worker's death in this phase would be blamed on."""

    phase: Phase
    keys: tuple[int, ...]


class Beat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The process is alive; whether it gets anywhere is told by `Entered`."""

    phase: Phase


class Report(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a step did for one sample."""

    outcome: Outcome


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The request was not taken up. `kind` is the name of a class of `inference.errors`; `category` is Unsafe's."""

    key: int
    kind: str
    sentence: str
    category: str = ""


class Crashed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Last words of a worker that ends because of an error, for the log."""

    text: str


FromWorker = Ready | SetupFailed | Entered | Beat | Report | Refused | Crashed


def pack(message: ToWorker | FromWorker) -> bytearray:
    """The message as one packet; pixels are copied once, into it."""
    packet = bytearray(_HEAD)
    _encoder.encode_into(message, packet, _HEAD)
    packet[:_HEAD] = (len(packet) - _HEAD).to_bytes(_HEAD, "big")
    return packet


def read_packet(file: BinaryIO) -> ToWorker | None:
    """Wait for the next message to the worker; None when the other side is gone."""
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        return None
    length = _length(head)
    body = file.read(length)
    return None if len(body) < length else _decode(_to_worker, body)


class Unpacker:
    """Cuts the stream of a worker's bytes into messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[FromWorker]:
        """Every message that is complete with `data`. Raises BrokenPacket; after that, feed it no more."""
        self._pending += data
        messages: list[FromWorker] = []
        start = 0
        with memoryview(self._pending) as pending:
            while (body := start + _HEAD) <= len(pending):
                end = body + _length(pending[start:body])
                if end > len(pending):
                    break
                messages.append(_decode(_from_worker, pending[body:end]))
                start = end
        del self._pending[:start]
        return messages


def _length(head: bytes | memoryview) -> int:
    length = int.from_bytes(head, "big")
    if length > MAX_PACKET:
        raise BrokenPacket(f"a packet of {length} bytes was announced")
    return length


def _decode(decoder: msgspec.msgpack.Decoder[_Message], body: bytes | memoryview) -> _Message:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenPacket(str(error)) from error


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} does not go over the pipe")


def _rich(wanted: type, value: Any) -> Path:
    if wanted is Path:
        return Path(value)
    raise NotImplementedError(f"{wanted.__name__} does not come over the pipe")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker, dec_hook=_rich)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker, dec_hook=_rich)
