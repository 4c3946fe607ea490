"""From a Picture and a wish to the next ImageRequest."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import remix
from bot.errors import BadOption, BadPicture
from bot.options import Options
from bot.remix import CANDIDATES, REFINE_STRENGTH, Part, Source
from inference import MAX_SEED, Box, Frame, Init, InitKind, PictureRef, Sampler, Size
from tests.bot.records import SQUARE, from_pixels, model, request

MOON, EARTH = model("moon"), model("earth", latents="vae-of-the-earth")
MODELS = (MOON, EARTH)
FILE, LATENTS, SKETCH = PictureRef("f" * 64), PictureRef("1" * 64), PictureRef("5" * 64)
PIXELS_OF_PARENT = Init(kind=InitKind.PIXELS, ref=FILE)
LATENTS_OF_PARENT = Init(kind=InitKind.LATENTS, ref=LATENTS)

WIDE = Frame(canvas=Size(704, 384), content=Size(683, 384), left=10)
MADE = msgspec.structs.replace(
    request(prompt="a moon", negative_prompt="clouds", seeds=(7, 8, 9), strength=0.9, steps=20, guidance=5.0),
    sampler=Sampler.DPMPP_2M,
    frame=WIDE,
)
PARENT = Source(file=FILE, size=WIDE.content, latents=LATENTS, latents_of="vae-of-the-moon", request=MADE)
UPLOAD = Source(file=SKETCH, size=Size(1600, 900))
MASK = PictureRef("a" * 64)
WINDOW = Box(600, 300, 512, 512)
PART = Part(mask=MASK, window=WINDOW, frame=Frame(canvas=SQUARE, content=SQUARE))
SAID_NOTHING = Options()


@given(width=st.integers(1, 4000), height=st.integers(1, 4000))
def test_a_sketch_keeps_its_aspect(width: int, height: int) -> None:
    """The result has the sketch's aspect to the nearest pixel, on a canvas of the model; too thin ones are refused."""
    source = Source(file=SKETCH, size=Size(width, height))
    try:
        frame = remix.from_sketch(MODELS, source, "a moon", SAID_NOTHING, 1).frame
    except BadPicture:
        assert max(width, height) > 8 * min(width, height)
        return

    scale = min(frame.canvas.width / width, frame.canvas.height / height)
    assert abs(frame.content.width - width * scale) <= 0.5
    assert abs(frame.content.height - height * scale) <= 0.5
    assert frame.canvas in MOON.sizes


def test_a_sketch_gets_what_its_model_recommends() -> None:
    """Where people say nothing the model's own defaults hold, and the sketch's pixels are the init."""
    made = remix.from_sketch(MODELS, UPLOAD, "  a moon ", SAID_NOTHING, 4711)

    assert (made.model, made.prompt, made.negative_prompt) == ("moon", "a moon", "")
    assert (made.strength, made.steps, made.guidance, made.sampler) == (0.75, 30, 7.5, Sampler.DDIM)
    assert made.init == Init(kind=InitKind.PIXELS, ref=SKETCH)
    assert made.seeds == (4711, 4712)
    assert len(made.seeds) == CANDIDATES


def test_what_people_say_goes_before_the_defaults() -> None:
    """Every option of a sketch reaches its request."""
    options = Options(
        strength=0.2,
        steps=5,
        seed=3,
        guidance=0.0,
        negative=" rain ",
        candidates=1,
        sampler=Sampler.DPMPP_2M,
        model="EARTH",
    )

    made = remix.from_sketch(MODELS, UPLOAD, "a moon", options, 4711)

    assert (made.model, made.negative_prompt, made.seeds) == ("earth", "rain", (3,))
    assert (made.strength, made.steps, made.guidance, made.sampler) == (0.2, 5, 0.0, Sampler.DPMPP_2M)


@pytest.mark.parametrize("prompt", ["", "   ", "\n", "\x00"])
def test_a_prompt_is_needed(prompt: str) -> None:
    """Space alone is no prompt."""
    with pytest.raises(BadOption, match="The prompt is empty"):
        remix.from_words(MODELS, prompt, SAID_NOTHING, 1)


def test_the_first_model_is_the_default() -> None:
    """Without a name the first one, by name in any case, and an unknown name is answered with the known ones."""
    assert remix.choose_model(MODELS, None) is MOON
    assert remix.choose_model(MODELS, " Earth ") is EARTH

    with pytest.raises(BadOption, match="I know moon and earth"):
        remix.choose_model(MODELS, "mars")


def test_a_sampler_that_the_model_lacks_is_refused() -> None:
    """The sentence names those it has; one that it has is taken however it is written."""
    two = msgspec.structs.replace(MOON, samplers=(Sampler.DDIM, Sampler.EULER))

    with pytest.raises(BadOption, match="It has ddim and euler"):
        remix.from_words([two], "a moon", Options(sampler="unipc"), 1)
    with pytest.raises(BadOption, match="Did you mean `euler`"):
        remix.from_words([two], "a moon", Options(sampler="eulr"), 1)
    assert remix.from_words([two], "a moon", Options(sampler=" Euler"), 1).sampler is Sampler.EULER


@pytest.mark.parametrize(
    "shape, canvas",
    [
        (None, SQUARE),
        ("1:1", SQUARE),
        ("3:2", Size(640, 448)),
        ("2:3", Size(448, 640)),
        ("16:9", Size(704, 384)),
        ("100:1", Size(1024, 256)),
    ],
)
def test_words_alone_get_a_whole_canvas_of_the_wanted_shape(shape: str | None, canvas: Size) -> None:
    """The native size without a shape, else the model's size whose aspect is nearest; nothing is cropped."""
    made = remix.from_words(MODELS, "a moon", Options(size=shape), 1)

    assert made.frame == Frame(canvas=canvas, content=canvas)
    assert made.init is None


def test_a_wrong_shape_is_refused() -> None:
    """It is not silently replaced by the native size."""
    with pytest.raises(BadOption, match="A size is a shape"):
        remix.from_words(MODELS, "a moon", Options(size="big"), 1)


def test_a_reply_inherits_what_it_does_not_say() -> None:
    """Everything but strength and seed is as in the parent's request; the words replace the prompt."""
    made = remix.refine(MODELS, PARENT, None, "a red moon", SAID_NOTHING, 100)

    expected = msgspec.structs.replace(
        MADE,
        prompt="a red moon",
        strength=REFINE_STRENGTH,
        seeds=(100, 101, 102),
        init=LATENTS_OF_PARENT,
    )
    assert made == expected


def test_a_reply_without_words_keeps_the_prompt() -> None:
    """Options alone, or a picture alone, are a whole reply."""
    made = remix.refine(MODELS, PARENT, None, "", Options(steps=40), 100)

    assert (made.prompt, made.steps) == ("a moon", 40)


def test_a_reply_to_an_uploaded_picture_needs_words() -> None:
    """There is no parent's prompt to keep."""
    with pytest.raises(BadOption, match="The prompt is empty"):
        remix.refine(MODELS, UPLOAD, None, "", SAID_NOTHING, 100)


def test_a_reply_can_take_the_negative_prompt_away() -> None:
    """An empty one that was said is not the same as none that was said."""
    made = remix.refine(MODELS, PARENT, None, "a moon", Options(negative=""), 100)

    assert made.negative_prompt == ""


def test_a_reply_with_a_size_is_refused() -> None:
    """A picture has its shape already; the option is not silently dropped."""
    with pytest.raises(BadOption, match="`--size` is for pictures made from words alone"):
        remix.refine(MODELS, PARENT, None, "a moon", Options(size="3:2"), 100)


def test_another_model_brings_its_own_defaults() -> None:
    """Steps, guidance and sampler of one model mean nothing to another; the words do."""
    made = remix.refine(MODELS, PARENT, None, "a moon", Options(model="earth"), 100)

    assert (made.model, made.steps, made.guidance, made.sampler) == ("earth", 30, 7.5, Sampler.DDIM)
    assert (made.negative_prompt, len(made.seeds)) == ("clouds", 3)


def test_naming_the_parents_own_model_changes_nothing() -> None:
    """Saying what holds anyway is not a change of model."""
    made = remix.refine(MODELS, PARENT, None, "a moon", Options(model="Moon"), 100)

    assert made == remix.refine(MODELS, PARENT, None, "a moon", SAID_NOTHING, 100)


def test_a_picture_sent_along_is_the_init() -> None:
    """It takes the place of the parent's pixels and brings its own shape; the rest is still inherited."""
    made = remix.refine(MODELS, PARENT, UPLOAD, "a moon", SAID_NOTHING, 100)

    assert made.init == Init(kind=InitKind.PIXELS, ref=SKETCH)
    assert made.frame.content == Size(683, 384)
    assert (made.negative_prompt, made.steps) == ("clouds", 20)


def test_an_unedited_parent_goes_on_from_its_latents() -> None:
    """Model, place and size agree: no pass through the autoencoder, and the same frame."""
    made = remix.refine(MODELS, PARENT, None, "a moon", SAID_NOTHING, 100)

    assert (made.init, made.frame) == (LATENTS_OF_PARENT, WIDE)


@pytest.mark.parametrize(
    "parent, options",
    [
        pytest.param(msgspec.structs.replace(PARENT, latents=None), SAID_NOTHING, id="no latents stored"),
        pytest.param(PARENT, Options(model="earth"), id="another VAE"),
        pytest.param(msgspec.structs.replace(PARENT, latents_of=None), SAID_NOTHING, id="of an unknown VAE"),
        pytest.param(msgspec.structs.replace(PARENT, size=Size(600, 384)), SAID_NOTHING, id="cropped since"),
        pytest.param(msgspec.structs.replace(PARENT, request=None), SAID_NOTHING, id="not made by us"),
        pytest.param(
            msgspec.structs.replace(
                PARENT,
                size=Size(700, 300),
                request=request(canvas=Size(704, 320), content=Size(700, 300)),
            ),
            SAID_NOTHING,
            id="a canvas the model has not",
        ),
    ],
)
def test_anything_else_goes_on_from_pixels(parent: Source, options: Options) -> None:
    """If one thing does not agree the pixels are encoded anew, on a canvas of the model."""
    made = remix.refine(MODELS, parent, None, "a moon", options, 100)

    assert made.init == PIXELS_OF_PARENT
    assert made.frame.canvas in MOON.sizes


def test_two_models_that_know_nothing_of_their_latents_do_not_share_them() -> None:
    """A model that is not on this machine yet has no name for its latents: that is not agreement."""
    unknown = model("moon", latents="")
    parent = msgspec.structs.replace(PARENT, latents_of="")

    made = remix.refine([unknown], parent, None, "a moon", SAID_NOTHING, 100)

    assert made.init == PIXELS_OF_PARENT


def test_again_changes_the_seeds_alone() -> None:
    """Same inputs, as many seeds as before, all of them new."""
    made = remix.again(MADE, 500)

    assert made == msgspec.structs.replace(MADE, seeds=(500, 501, 502))
    assert not set(made.seeds) & set(MADE.seeds)


def test_vary_goes_on_from_the_picked_candidate() -> None:
    """Its latents are the init; strength and seeds are new, everything else is as it was made."""
    made = remix.vary(MOON, PARENT, 0.35, 500)

    assert made == msgspec.structs.replace(MADE, init=LATENTS_OF_PARENT, strength=0.35, seeds=(500, 501, 502))


def test_a_repaint_is_a_reply_about_a_part() -> None:
    """What is not said is as in the parent's request; mask, window and place are those of the part."""
    made = remix.repaint(MOON, PARENT, FILE, PART, "a lake", SAID_NOTHING, 0.6, 100)

    assert made == msgspec.structs.replace(
        MADE,
        prompt="a lake",
        strength=0.6,
        seeds=(100, 101, 102),
        init=Init(kind=InitKind.PIXELS, ref=FILE, window=WINDOW),
        frame=PART.frame,
        mask=MASK,
    )


def test_a_repaint_can_begin_with_an_edited_copy() -> None:
    """Its pixels are the init; without words the parent's stay, and what is said goes before what is usual."""
    made = remix.repaint(MOON, PARENT, SKETCH, PART, "", Options(strength=0.2, candidates=1), 0.6, 100)

    assert made.init is not None
    assert (made.init.ref, made.prompt, made.strength, made.seeds) == (SKETCH, "a moon", 0.2, (100,))


@pytest.mark.parametrize(
    "words, options, sentence", [("", SAID_NOTHING, "empty"), ("a", Options(size="1:1"), "size")]
)
def test_a_repaint_needs_words_and_has_its_shape(words: str, options: Options, sentence: str) -> None:
    """As in a reply: an uploaded picture has no prompt to keep, and a picture has its shape already."""
    with pytest.raises(BadOption, match=sentence):
        remix.repaint(MOON, UPLOAD, SKETCH, PART, words, options, 0.6, 100)


def test_the_whole_picture_instead_of_a_part_keeps_the_rest() -> None:
    """Mask and window go, all of the picture is fitted onto a canvas, and the seeds are new."""
    part = remix.repaint(MOON, PARENT, SKETCH, PART, "a lake", SAID_NOTHING, 0.6, 100)
    made = remix.whole(MOON, part, UPLOAD.size, 500)

    assert made == msgspec.structs.replace(
        part,
        mask=None,
        init=Init(kind=InitKind.PIXELS, ref=SKETCH),
        frame=remix.from_sketch(MODELS, UPLOAD, "a", SAID_NOTHING, 1).frame,
        seeds=(500, 501, 502),
    )


def test_vary_of_a_repaint_stays_in_its_part() -> None:
    """From the pixels of the Candidate, though it has latents: those are of the window alone."""
    part = remix.repaint(MOON, PARENT, SKETCH, PART, "a lake", SAID_NOTHING, 0.6, 100)
    made = remix.vary(MOON, msgspec.structs.replace(PARENT, size=UPLOAD.size, request=part), 0.35, 500)

    assert made == msgspec.structs.replace(
        part,
        init=Init(kind=InitKind.PIXELS, ref=FILE, window=WINDOW),
        strength=0.35,
        seeds=(500, 501, 502),
    )


def test_vary_of_a_repaint_finds_another_canvas_where_its_own_is_gone() -> None:
    """Models may change between two presses; the window is fitted anew."""
    part = remix.repaint(MOON, PARENT, SKETCH, PART, "a lake", SAID_NOTHING, 0.6, 100)
    large = model("moon", native=Size(1024, 1024))
    made = remix.vary(large, msgspec.structs.replace(PARENT, request=part), 0.35, 500)

    assert made.frame.canvas == Size(1024, 1024)
    assert made.mask == MASK


def test_a_reply_to_a_repainted_picture_is_about_all_of_it() -> None:
    """No mask and no window are inherited."""
    part = remix.repaint(MOON, PARENT, SKETCH, PART, "a lake", SAID_NOTHING, 0.6, 100)
    parent = msgspec.structs.replace(PARENT, size=UPLOAD.size, request=part)

    made = remix.refine(MODELS, parent, None, "at night", SAID_NOTHING, 500)

    assert (made.mask, made.init) == (None, PIXELS_OF_PARENT)


@given(first=st.integers(0, MAX_SEED), count=st.integers(1, 16))
def test_seeds_are_valid_and_different(first: int, count: int) -> None:
    """They count on from the first and begin anew after the last possible one."""
    seeds = remix.seeds_from(first, count)

    assert seeds[0] == first
    assert len(set(seeds)) == count
    assert all((b - a) % (MAX_SEED + 1) == 1 for a, b in pairwise(seeds))
    assert request(seeds=seeds).seeds == seeds


def test_the_seed_after_the_last_is_the_first() -> None:
    """No request is refused because its seed was drawn near the end."""
    assert remix.seeds_from(MAX_SEED, 3) == (MAX_SEED, 0, 1)


def test_a_picture_of_words_is_refined_on_its_own_canvas() -> None:
    """Without latents a whole canvas stays that canvas, and from_pixels is what it starts from."""
    source = Source(file=from_pixels().ref, size=SQUARE, request=request())

    made = remix.refine(MODELS, source, None, "a moon", SAID_NOTHING, 1)

    assert (made.init, made.frame) == (from_pixels(), Frame(canvas=SQUARE, content=SQUARE))
