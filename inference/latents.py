"""The latent blob of a finished sample: opaque outside the engine, safetensors inside.

Its metadata names what it can be fed to again (`ModelInfo.latents`), so that latents of another VAE are refused
instead of decoded into noise.
"""

from __future__ import annotations

import json
from struct import unpack_from

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from inference.errors import BadRequest

_TENSOR = "latents"
_KIND = "moonsketch-latents"


def pack(latents: torch.Tensor, fingerprint: str) -> bytes:
    """latents: (1, channels, height / 8, width / 8), as they were before the decoder.

    fingerprint: the model's `ModelInfo.latents`.
    """
    return save({_TENSOR: latents.detach().cpu().contiguous()}, metadata={_KIND: fingerprint})


def unpack(blob: bytes, fingerprint: str) -> torch.Tensor:
    """The tensor that was packed, on the CPU. Raises BadRequest for bytes that are not ours or of another VAE."""
    try:
        tensors = load(blob)
        made_with = _metadata(blob)[_KIND]
        latents = tensors[_TENSOR]
    except (SafetensorError, ValueError, KeyError) as error:
        raise BadRequest("The stored latents cannot be read.") from error
    if made_with != fingerprint:
        raise BadRequest("The stored latents were made with another model.")
    return latents


def _metadata(blob: bytes) -> dict[str, str]:
    """safetensors reads the metadata of files only; the header is a length (u64, little-endian) and JSON."""
    (length,) = unpack_from("<Q", blob)
    metadata: dict[str, str] = json.loads(blob[8 : 8 + length])["__metadata__"]
    return metadata
