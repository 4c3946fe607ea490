"""A CLIP tokenizer that knows every text: one token per byte, and one for each pair of tokens that it is given.

For models that are made here (the built-in one, the tests' small ones), so that nothing has to be fetched.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers.pre_tokenizers import ByteLevel

START, END = "<|startoftext|>", "<|endoftext|>"
CONTEXT = 77
"""Tokens per prompt, as in every CLIP of the Stable Diffusion family."""

_BYTES = sorted(ByteLevel.alphabet())
VOCABULARY = {
    token: index for index, token in enumerate([START, END, *_BYTES, *(f"{byte}</w>" for byte in _BYTES)])
}


def write(folder: Path, *, merges: Sequence[tuple[str, str]] = (), context: int = CONTEXT) -> None:
    """Write the files that CLIPTokenizer.from_pretrained reads.

    merges: pairs of tokens to join, in that order, each of them a byte of ByteLevel's alphabet or joined before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    joined = [first + second for first, second in merges]
    vocabulary = VOCABULARY | {token: len(VOCABULARY) + index for index, token in enumerate(joined)}
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": context, **special}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges), ""]), "utf-8"
    )
    (folder / "special_tokens_map.json").write_text(json.dumps(special), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), "utf-8")
