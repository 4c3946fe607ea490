"""What other programs write into pictures is understood, and they understand what is written here."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from bot.png_text import LONGEST
from bot.scene.parameters import Parameters, read, write
from inference import MAX_SEED, ImageRequest, Init, InitKind, PictureRef, Sampler, Size
from tests.bot.records import from_pixels, request

words = st.text(
    st.one_of(st.sampled_from('ab,:"\\\n 7'), st.characters(codec="utf-8", categories=["L", "P", "S"]))
)

AS_OF_OLD = """\
portrait of a fox, (oil painting:1.2), "the artist", <lora:paint_v2:0.7>
soft light: golden hour
Negative prompt: lowres, bad anatomy,
text, watermark
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 3141592653, Size: 640x960, Model hash: 0123456789, \
Model: painter_v5, Denoising strength: 0.45, Clip skip: 2, Lora hashes: "paint_v2: 1a2b3c, Steps: 3", Version: v1.6.0"""

AS_NOW = """\
a lighthouse
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 5, Size: 512x512, \
Model: "odd, name: \\"x\\"", RNG: CPU, Version: v1.10.1"""

WITH_TEMPLATE = f"{AS_NOW}\nTemplate: a {{lighthouse|tower}}\nNegative Template: fog"


def test_a_picture_of_an_old_version_is_understood() -> None:
    """Prompts of several lines, with every mark that the settings use as well; what is not ours is passed over."""
    assert read(AS_OF_OLD) == Parameters(
        prompt='portrait of a fox, (oil painting:1.2), "the artist", <lora:paint_v2:0.7>\nsoft light: golden hour',
        negative="lowres, bad anatomy,\ntext, watermark",
        steps=28,
        sampler=Sampler.DPMPP_2M_KARRAS,
        guidance=6.5,
        seed=3141592653,
        size=Size(640, 960),
        model="painter_v5",
        strength=0.45,
    )


@pytest.mark.parametrize("text", [AS_NOW, WITH_TEMPLATE, AS_NOW.replace("\n", "\r\n"), f"\n\n{AS_NOW}\n"])
def test_a_picture_of_a_new_version_is_understood(text: str) -> None:
    """The schedule has a name of its own, and lines that an extension adds behind the settings change nothing."""
    assert read(text) == Parameters(
        prompt="a lighthouse",
        steps=20,
        sampler=Sampler.DPMPP_2M_KARRAS,
        guidance=7,
        seed=5,
        size=Size(512, 512),
        model='odd, name: "x"',
    )


@pytest.mark.parametrize(
    "settings, sampler",
    [
        ("Sampler: DPM++ 2M", Sampler.DPMPP_2M),
        ("Sampler: DPM++ 2M, Schedule type: Uniform", Sampler.DPMPP_2M),
        ("Sampler: DPM++ 2M, Schedule type: Automatic", Sampler.DPMPP_2M_KARRAS),
        ("Sampler: DPM++ 2M, Schedule type: Exponential", None),
        ("Sampler: DPM++ 2M SDE Karras", None),
        ("Sampler: Euler a", Sampler.EULER_A),
        ("Sampler: Euler a, Schedule type: Automatic", Sampler.EULER_A),
        ("Sampler: Euler, Schedule type: Karras", None),
        ("Sampler: Euler", Sampler.EULER),
        ("Sampler: UniPC", Sampler.UNIPC),
        ("Sampler: LCM", Sampler.LCM),
        ("sampler:ddim", Sampler.DDIM),
        ("Seed: 1", None),
    ],
)
def test_samplers_have_other_names_there(settings: str, sampler: Sampler | None) -> None:
    """And one that is not quite ours is not taken for it."""
    found = read(f"a moon\nSteps: 20, {settings}")

    assert found is not None
    assert found.sampler is sampler


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "a\nb\nc",
        '{"3": {"inputs": {"seed": 1}}}',
        "Steps:",
        "Steps: many, Seed: 2",
        "\0",
        "a: b",
    ],
)
def test_what_is_no_such_text_is_nothing(text: str) -> None:
    """A title, a workflow of another program or noise offer no parameters."""
    assert read(text) is None


@pytest.mark.parametrize(
    "settings",
    [
        "Steps: 0, CFG scale: 31, Seed: -1, Size: 0x512, Denoising strength: 0",
        "Steps: 3.5, CFG scale: nan, Seed: 4294967296, Size: 512, Denoising strength: 1.5",
        f"Steps: {'9' * 400}, CFG scale: 1e3, Seed: ١, Size: ١x١, Denoising strength: inf",
    ],
)
def test_values_that_no_request_can_have_are_left_out(settings: str) -> None:
    """Nothing of a stranger's leads to a request that is then refused."""
    assert read(f"a moon\n{settings}") == Parameters(prompt="a moon")


@given(text=st.one_of(st.text(), st.builds("{}\nSteps: 3, {}".format, words, words)))
@example("Steps: 1, a:" + '"' * LONGEST)
@example("Steps: 1, " + 'a:"\\' * LONGEST)
@example("Steps: 1" + " a" * LONGEST)
@example("Steps: 1, Seed: " + "[" * LONGEST)
@example('Steps: 1, Model: "\\ud800"')
def test_no_text_makes_it_raise(text: str) -> None:
    """Strangers' words end in parameters within their bounds, or in nothing."""
    found = read(text)

    if found is not None:
        assert len(found.prompt) <= LONGEST
        assert found.seed is None or 0 <= found.seed <= MAX_SEED
        assert found.strength is None or 0 < found.strength <= 1


requests = st.builds(
    request,
    model=st.text(st.sampled_from('ab,:"\\-. '), min_size=1, max_size=20).map(str.strip).filter(bool),
    prompt=words,
    negative_prompt=words,
    seeds=st.tuples(st.integers(0, MAX_SEED), st.integers(0, MAX_SEED)),
    content=st.builds(Size, st.integers(1, 512), st.integers(1, 512)),
    init=st.sampled_from([None, from_pixels()]),
    strength=st.integers(1, 1000).map(lambda thousandths: thousandths / 1000),
    steps=st.integers(1, 150),
    guidance=st.integers(0, 300).map(lambda tenths: tenths / 10),
)


@given(made=requests, sampler=st.sampled_from(Sampler), sample=st.integers(0, 1))
def test_what_is_written_is_read_again(made: ImageRequest, sampler: Sampler, sample: int) -> None:
    """Everything that the web UI has a name for comes back as it was, but for space round the lines of prompts."""
    made = structs.replace(made, sampler=sampler)

    found = read(write(made, sample, "weights, of: today"))

    assert found == Parameters(
        prompt=_lines(made.prompt),
        negative=_lines(made.negative_prompt),
        steps=made.steps,
        sampler=sampler,
        guidance=made.guidance,
        seed=made.seeds[sample],
        size=made.frame.content,
        model=made.model,
        strength=None if made.init is None else made.strength,
    )


def test_each_sample_has_its_own_seed_and_strength() -> None:
    """A candidate of a strip says what it was made with, and not what its neighbour was."""
    made = structs.replace(request(seeds=(7, 8), init=from_pixels()), strengths=(0.3, 0.9))

    first, second = read(write(made, 0)), read(write(made, 1))

    assert first is not None
    assert second is not None
    assert (first.seed, first.strength) == (7, 0.3)
    assert (second.seed, second.strength) == (8, 0.9)


def test_the_last_line_is_the_one_that_others_look_for() -> None:
    """In the order of the web UI, and what only this bot has comes last, under its own name."""
    made = structs.replace(
        request(init=Init(kind=InitKind.LATENTS, ref=PictureRef("b" * 64))), mask=PictureRef("c" * 64)
    )

    assert write(made, 0, "f00d").split("\n") == [
        "the surface of the moon",
        "Steps: 30, Sampler: DDIM, CFG scale: 7.5, Seed: 4711, Size: 512x512, Model: moon, Denoising strength: 0.75,"
        f" Moonsketch parent: {'b' * 64}, Moonsketch start: latents, Moonsketch mask: {'c' * 64},"
        " Moonsketch weights: f00d",
    ]


def test_a_prompt_cannot_pass_for_the_negative_one() -> None:
    """A line of it that looks like that heading is put behind the line before it."""
    found = read(write(request(prompt="a moon\nNegative prompt: no moon"), 0))

    assert found is not None
    assert (found.prompt, found.negative) == ("a moon Negative prompt: no moon", "")


def test_a_prompt_cannot_pass_for_the_settings() -> None:
    """Only the last such line counts."""
    found = read(write(request(prompt="a moon\nSteps: 1, Seed: 2, Size: 3x3"), 0))

    assert found is not None
    assert (found.steps, found.seed) == (30, 4711)
    assert found.prompt == "a moon\nSteps: 1, Seed: 2, Size: 3x3"


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().split("\n"))
