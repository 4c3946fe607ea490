"""A CLIP tokenizer that knows every text without a learned vocabulary: one token per byte.

For models that are made here (the stand-in, the tests' small ones), so that nothing has to be fetched.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers.pre_tokenizers import ByteLevel

START, END = "<|startoftext|>", "<|endoftext|>"
CONTEXT = 77
"""Tokens per prompt, as in every CLIP of the Stable Diffusion family."""

_BYTES = sorted(ByteLevel.alphabet())
VOCABULARY = {
    token: index for index, token in enumerate([START, END, *_BYTES, *(f"{byte}</w>" for byte in _BYTES)])
}


def write(folder: Path) -> None:
    """Write the files that CLIPTokenizer.from_pretrained reads."""
    folder.mkdir(parents=True)
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": CONTEXT, **special}
    (folder / "vocab.json").write_text(json.dumps(VOCABULARY, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), "utf-8")
