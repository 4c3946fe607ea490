"""Packets: whatever way the stream is cut, the same messages come out; anything else is a fault, not a crash."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.messages import (
    MAX_PACKET,
    Beat,
    BrokenPacket,
    Crashed,
    Drop,
    Entered,
    FromWorker,
    Ready,
    Refused,
    Report,
    Setup,
    Submit,
    ToWorker,
    Unpacker,
    pack,
    read_packet,
)
from inference.runner import Outcome, Phase, SampleFailed
from inference.types import Blob, Grey, PictureRef, Pixels, Progress, SampleBlocked, SampleDone, Strictness
from tests.inference.toys import request, toy_config

PICTURE = Pixels(4, 2, bytes(range(24)))
OUTCOMES = (
    Progress(sample=0, step=1, steps=2, preview=PICTURE),
    SampleDone(sample=1, pixels=PICTURE, latents=b"latents"),
    SampleFailed(sample=2, sentence="No.", kind="CheckFailed"),
    SampleBlocked(sample=3, category="test"),
)
MESSAGES: list[FromWorker] = [
    Ready(row_limit=4),
    Entered(phase=Phase.STEP, keys=(1, 2)),
    Beat(phase=Phase.STEP),
    *[Report(outcome=Outcome(key=3, event=event)) for event in OUTCOMES],
    Refused(key=4, kind="Unsafe", sentence="No.", category="test"),
    Crashed(text="dünn"),
]


@given(st.lists(st.sampled_from(MESSAGES), max_size=8), st.lists(st.integers(1, 60), min_size=1))
def test_messages_survive_any_cutting_of_the_stream(sent: list[FromWorker], cuts: list[int]) -> None:
    """A pipe gives bytes in pieces of its own choice; every message comes out once, in order."""
    stream = b"".join(bytes(pack(message)) for message in sent)
    unpacker = Unpacker()
    received: list[FromWorker] = []
    while stream:
        piece, stream = stream[: cuts[0]], stream[cuts[0] :]
        cuts = [*cuts[1:], cuts[0]]
        received += unpacker.feed(piece)

    assert received == sent


def test_the_worker_reads_what_the_engine_sends(tmp_path: Path) -> None:
    """Configuration, requests with pictures, latents and masks, and drops; then the end of the stream."""
    blobs: dict[PictureRef, Blob] = {PictureRef("a"): PICTURE, PictureRef("b"): b"l"}
    blobs[PictureRef("c")] = Grey(2, 2, bytes(4))
    submit = Submit(key=1, request=request(), samples=(0,), blobs=blobs, strictness=Strictness.BLOCK)
    sent: list[ToWorker] = [
        Setup(config=toy_config(tmp_path), folders={"toy": "/models/toy"}),
        submit,
        Drop(key=1),
    ]
    file = io.BytesIO(b"".join(bytes(pack(message)) for message in sent))

    assert [read_packet(file) for _ in range(4)] == [*sent, None]


@pytest.mark.parametrize(
    "junk",
    [b"loading weights...\n", b"\0\0\0\2hi", bytes(pack(Drop(key=1))), b"\0\0\0\0", b"\0\0\0\1\xc1"],
    ids=["a print", "no record", "a message of the other direction", "nothing", "no msgpack"],
)
def test_anything_else_is_a_broken_packet(junk: bytes) -> None:
    """What is not one of the worker's messages is refused as soon as it can be known."""
    unpacker = Unpacker()
    assert unpacker.feed(bytes(pack(Ready(row_limit=4)))) == [Ready(row_limit=4)]

    with pytest.raises(BrokenPacket):
        unpacker.feed(junk)


@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(junk: bytes) -> None:
    """Whatever a mad worker writes, the reader's answer is messages or BrokenPacket."""
    try:
        received = Unpacker().feed(junk)
    except BrokenPacket:
        received = []

    assert all(isinstance(message, FromWorker) for message in received)


def test_a_wrong_picture_is_a_broken_packet() -> None:
    """Pixels that do not match their size are noticed where they arrive, not where they are shown."""
    good = bytes(pack(Report(outcome=Outcome(key=1, event=OUTCOMES[1]))))
    assert Unpacker().feed(good)

    with pytest.raises(BrokenPacket, match="match its size"):
        Unpacker().feed(good.replace(b"width\x04", b"width\x05"))


def test_a_large_result_fits() -> None:
    """Sixteen pictures of 2048² are far from the bound on a packet."""
    packet = pack(Report(outcome=Outcome(key=1, event=SampleDone(sample=0, pixels=PICTURE, latents=b""))))

    assert len(packet) - len(PICTURE.data) + 16 * 2048 * 2048 * 3 < MAX_PACKET
