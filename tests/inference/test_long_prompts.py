"""A prompt longer than the tokenizer's length is read to its end, in chunks, whoever shares the batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
import torch
from torch.nn.functional import pad

from inference.batching import StepRunner
from inference.models.stable_diffusion import MOST_CHUNKS
from inference.types import ImageRequest, Sampler
from tests.inference import tiny_models
from tests.inference.driving import Joining, as_floats, config, ignore, model_of, play, request
from tests.inference.references import (
    BOUND,
    CLEARLY,
    Model,
    Picture,
    diffusers_alone,
    distance,
    open_both,
    pipeline,
    run_with,
    scheduler_of,
)

# diffusers 0.42 and the outdated scheduler file of the sd1 model: see test_exactness.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The configuration file of this scheduler:FutureWarning"),
]

STORY = "the moon over a lake with reeds, a heron and a small boat; far away there are hills, and one house is lit "


@pytest.fixture(scope="module", params=[77, 40], ids=["77 tokens", "40 tokens"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tokenizer makes one token of each byte, blanks aside."""
    return open_both("sd1", tiny_models.write_sd1(tmp_path_factory.mktemp("sd1"), context=request.param))


def room(model: Model) -> int:
    """Tokens of a chunk that are the prompt's own."""
    length: int = model.components["tokenizer"].model_max_length
    return length - 2


def text_of(tokens: int) -> str:
    """A text of so many tokens."""
    letters = [letter for letter in STORY * 40 if letter.isalpha()]
    return " ".join("".join(letters[:tokens][at : at + 7]) for at in range(0, tokens, 7))


def chunked(model: Model, text: str) -> torch.Tensor:
    """(1, chunks × length, width): each chunk goes through the text encoder for itself."""
    tokenizer, encoder = model.components["tokenizer"], model.components["text_encoder"]
    ids = tokenizer(text, add_special_tokens=False, truncation=False).input_ids
    size = tokenizer.model_max_length - 2
    encoded: list[torch.Tensor] = []
    while ids or not encoded:
        chunk, ids = [tokenizer.bos_token_id, *ids[:size], tokenizer.eos_token_id], ids[size:]
        chunk += [tokenizer.pad_token_id] * (tokenizer.model_max_length - len(chunk))
        with torch.no_grad():
            encoded.append(encoder(torch.tensor([chunk]))[0])
    return torch.cat(encoded, dim=1)


@contextmanager
def masked(unet: Any, lengths: list[int]) -> Iterator[None]:
    """The pipelines cannot hand a mask to their UNet, so it is put in on the way."""
    mask = torch.tensor([[float(at < length) for at in range(max(lengths))] for length in lengths])

    def put_in(_unet: object, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        return args, {**kwargs, "encoder_attention_mask": mask}

    hook = unet.register_forward_pre_hook(put_in, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


def diffusers_with_chunks(model: Model, asked: ImageRequest, *, mask: bool = True) -> Picture:
    """The pipeline with embeddings made here: both padded to the longer one, and masked where they are padding."""
    prompt, negative = chunked(model, asked.prompt), chunked(model, asked.negative_prompt)
    lengths = [negative.shape[1], prompt.shape[1]]
    texts = {
        name: pad(text, (0, 0, 0, max(lengths) - text.shape[1]))
        for name, text in (("prompt_embeds", prompt), ("negative_prompt_embeds", negative))
    }
    pipe = pipeline(model, asked, scheduler_of(model, asked.sampler))
    if not mask:
        return run_with(pipe, model, asked, **texts)
    with masked(pipe.unet, lengths):
        return run_with(pipe, model, asked, **texts)


def floats(model: Model, played: Any, key: int = 0) -> Picture:
    return as_floats(model.runner, played.done[key], model.fingerprint)


@pytest.mark.parametrize("chunks, negative_chunks", [(3, 1), (1, 2), (2, 2), (2, 3)])
def test_long_prompts_are_what_diffusers_makes_of_their_chunks(
    model: Model, chunks: int, negative_chunks: int
) -> None:
    """Alone and beside prompts of other lengths, which in turn are what they are without it."""
    size = room(model)
    asked = request(
        model.name,
        prompt=text_of(chunks * size - 5),
        negative_prompt=text_of(negative_chunks * size - 9).upper(),
        steps=6,
    )
    short = request(model.name, seeds=(3,), steps=8, sampler=Sampler.EULER)
    expected = diffusers_with_chunks(model, asked)

    alone = play(model.runner, [asked], model.blobs)
    mixed = play(model.runner, [Joining(asked, at=1), short], model.blobs)

    assert distance(floats(model, alone), expected) <= BOUND
    assert distance(floats(model, mixed), expected) <= BOUND
    assert distance(floats(model, mixed, 1), diffusers_alone(model, short)) <= BOUND
    assert max(mixed.rows) == 4


def test_the_end_of_a_long_prompt_counts(model: Model) -> None:
    """The control: what the pipelines cut off, and what the mask leaves out, makes a clear difference."""
    asked = request(model.name, prompt=text_of(3 * room(model)), steps=6)

    picture = floats(model, play(model.runner, [asked], model.blobs))

    assert distance(picture, diffusers_alone(model, asked)) >= CLEARLY
    assert distance(picture, diffusers_with_chunks(model, asked, mask=False)) >= CLEARLY


def test_a_prompt_that_just_fits_is_the_plain_pipelines(model: Model) -> None:
    """One chunk to the last token; a token more makes a second chunk."""
    fits = request(model.name, prompt=text_of(room(model)), steps=4)
    model_inside = model_of(model.runner)

    played = play(model.runner, [fits], model.blobs)

    assert distance(floats(model, played), diffusers_alone(model, fits)) <= BOUND
    lengths = [model_inside.encode_text(text_of(room(model) + more)).shape[1] for more in (0, 1)]
    assert lengths == [room(model) + 2, 2 * (room(model) + 2)]


def test_a_prompt_without_end_is_refused_with_a_sentence(model: Model) -> None:
    """Everybody in the batch would pay for it; the sentence says how much can be read."""
    limit = MOST_CHUNKS * room(model)
    asked = [request(model.name, prompt=text_of(limit + more), steps=1) for more in (0, 1)]

    played = play(model.runner, asked, model.blobs)

    assert list(played.done) == [0]
    assert f"{limit} can be read" in played.failures()[1]


def test_in_a_fixed_bucket_a_long_prompt_does_not_change_a_neighbours_bits(model: Model) -> None:
    """The opt-in replay mode: texts of other lengths go through the model in passes of their own."""
    folders = {model.name: model.folder}
    fixed = StepRunner(config(folders, max_rows=8, fixed_rows=True), folders, ignore)
    short = request(model.name, steps=4)
    long = msgspec.structs.replace(short, prompt=text_of(2 * room(model)), seeds=(2,))

    alone = play(fixed, [short], {})
    mixed = play(fixed, [short, long], {})
    loose = play(model.runner, [short, long], {})

    assert alone.done[0] == mixed.done[0]
    assert alone.done[0].latents != loose.done[0].latents
    assert set(mixed.rows) == {8}
    assert len(mixed.rows) == 2 * len(alone.rows)
