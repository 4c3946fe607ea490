"""What travels beside a request, held against it before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from inference.errors import BadRequest
from inference.types import (
    DRAWN_ANEW,
    Blob,
    Box,
    Grey,
    ImageRequest,
    Init,
    InitKind,
    PictureRef,
    Pixels,
    Size,
)

_KEPT = bytes(range(DRAWN_ANEW))


def checked(request: ImageRequest, blobs: Mapping[PictureRef, Blob]) -> dict[PictureRef, Blob]:
    """The blobs that the request refers to, and no others.

    Raises BadRequest where one is missing or of the wrong kind, a window is not within its picture, a mask is not of
    its picture's size, or nothing is marked in it.
    """
    if request.init is None:
        return {}
    start = _start(request.init, blobs)
    # Latents are those of a result, and that was of the frame's content.
    size = start.size if isinstance(start, Pixels) else request.frame.content
    window = request.init.window or Box(0, 0, size.width, size.height)
    if window.left + window.width > size.width or window.top + window.height > size.height:
        raise BadRequest(f"That part lies outside the picture, which is {size}.")
    needed: dict[PictureRef, Blob] = {request.init.ref: start}
    if request.mask is not None:
        needed[request.mask] = _mask(request.mask, blobs, size, window)
    return needed


def _start(init: Init, blobs: Mapping[PictureRef, Blob]) -> Pixels | bytes:
    blob = blobs.get(init.ref)
    if init.kind is InitKind.PIXELS and isinstance(blob, Pixels):
        return blob
    if init.kind is InitKind.LATENTS and isinstance(blob, bytes):
        return blob
    raise BadRequest("The picture to start from is missing.")


def _mask(ref: PictureRef, blobs: Mapping[PictureRef, Blob], size: Size, window: Box) -> Grey:
    mask = blobs.get(ref)
    if not isinstance(mask, Grey):
        raise BadRequest("The mask that says which part to draw anew is missing.")
    if mask.size != size:
        raise BadRequest(f"The mask is {mask.size} and the picture {size}; both must be of one size.")
    starts = (y * mask.width + window.left for y in range(window.top, window.top + window.height))
    if not any(mask.data[start : start + window.width].translate(None, _KEPT) for start in starts):
        raise BadRequest("Nothing is marked to be drawn anew.")
    return mask
