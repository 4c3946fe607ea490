"""Recipes as people can type them: for every way in which a picture comes about."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot.file_recipe import file_recipe
from bot.options import parse_reply
from bot.recipe import recipe_text
from bot.remix import STRIP
from bot.scene.parameters import Parameters
from bot.store import JobKind, PictureKind, Shown, Style
from inference import Box, Init, InitKind, PictureRef, Sampler, Size
from tests.bot.records import from_pixels, model, picture, request

MASK = PictureRef("c" * 64)
CRAYON = Style(name="crayon", template="{prompt}, in crayon")


def sent(number: int, **changes: Any) -> Shown:
    return Shown(picture=msgspec.structs.replace(picture(number), **changes))


def drawn(number: int, kind: JobKind = JobKind.REPLY, *, style: Style | None = None, **changes: Any) -> Shown:
    asked = msgspec.structs.replace(request(init=from_pixels(), strength=0.4), **changes)
    result = msgspec.structs.replace(picture(number), kind=PictureKind.GENERATED, job_id=number, candidate=1)
    return Shown(picture=result, kind=kind, request=asked, style=style)


def block(text: str) -> str:
    return text.split("```")[1].strip()


def test_a_picture_from_words_is_a_command_with_its_shape() -> None:
    """And without a strength: there is nothing to keep."""
    asked = recipe_text([drawn(1, JobKind.IMAGINE, init=None)])

    assert block(asked).startswith(
        "/imagine prompt: the surface of the moon size: 512:512 steps: 30 seed: 4711"
    )


@pytest.mark.parametrize("kind", [JobKind.SKETCH, JobKind.AGAIN])
def test_a_picture_from_a_first_sketch_is_a_command(kind: JobKind) -> None:
    """Also where somebody pressed Again: the same sketch begins it. It says which picture to attach."""
    asked = recipe_text([sent(1), drawn(2, kind)])

    assert "Attach the sketch (picture 1)" in asked
    assert block(asked).startswith("/sketch prompt: the surface of the moon strength: 0.4")


def test_a_refinement_is_a_reply() -> None:
    """To the picture that it came of; its flags are read back as they are written."""
    asked = recipe_text(
        [sent(1), drawn(2), drawn(3, negative_prompt="clouds, people", sampler=Sampler.EULER)]
    )
    words, options = parse_reply(block(asked))

    assert "Reply to picture 2 with this:" in asked
    assert words == "the surface of the moon"
    assert (options.strength, options.seed, options.sampler, options.negative) == (
        0.4,
        4711,
        "euler",
        "clouds, people",
    )


@pytest.mark.parametrize("kind", [PictureKind.UPLOADED, PictureKind.PAINTED])
def test_a_refinement_of_a_file_that_came_with_the_reply_names_both(kind: PictureKind) -> None:
    """What to reply to and what to attach are two pictures."""
    asked = recipe_text([sent(1), drawn(2), sent(3, kind=kind, parent_id=2), drawn(4)])

    assert "Reply to picture 2 with this, and with picture 3 as the file:" in asked


@pytest.mark.parametrize("kind", [PictureKind.COMPOSED, PictureKind.SHAPED, PictureKind.CUT])
def test_a_refinement_of_what_no_model_made_is_a_reply_to_it(kind: PictureKind) -> None:
    """A composite that was harmonised, a piece that was run on its own."""
    asked = recipe_text([sent(1), drawn(2), sent(3, kind=kind, parent_id=2), drawn(4, JobKind.HARMONISE)])

    assert "Reply to picture 3 with this:" in asked


@pytest.mark.parametrize(
    "part", [{"mask": MASK}, {"init": Init(kind=InitKind.PIXELS, ref=MASK, window=Box(0, 0, 64, 64))}]
)
def test_a_part_cannot_be_typed_and_that_is_said(part: dict[str, Any]) -> None:
    """The words and numbers are there for copying, and the way to have the same part again."""
    asked = recipe_text([sent(1), drawn(2), drawn(3, JobKind.REPAINT, **part)])

    assert "Only a part of picture 2 was drawn anew" in asked
    assert "cannot be typed, but I keep it: **Again**" in asked
    assert "--strength 0.4 --steps 30 --seed 4711" in block(asked)


def test_of_a_strength_strip_only_the_picture_that_is_meant() -> None:
    """No single request has several strengths: its own, its seed, and one picture."""
    shown = drawn(3, JobKind.STRIP, seeds=(7,) * 5, strengths=STRIP)
    fourth = msgspec.structs.replace(shown, picture=msgspec.structs.replace(shown.picture, candidate=4))
    asked = recipe_text([sent(1), drawn(2), fourth])

    assert "--strength 0.75" in block(asked)
    assert "--seed 7 " in block(asked)
    assert "--n 1 " in block(asked)


@pytest.mark.parametrize(
    "before, now, flag",
    [
        (None, None, None),
        (None, CRAYON, "--style crayon"),
        (CRAYON, CRAYON, "--style crayon"),
        (CRAYON, None, "--style none"),
    ],
)
def test_the_style_is_said_where_a_reply_would_have_another(
    before: Style | None, now: Style | None, flag: str | None
) -> None:
    """A reply takes over the style of the picture that it goes on from."""
    asked = block(recipe_text([sent(1), drawn(2, style=before), drawn(3, style=now)]))

    assert ("--style" in asked) is (flag is not None)
    assert flag is None or flag in asked


def test_our_own_picture_as_a_sketch_is_the_menu() -> None:
    """A reply would start from its latents."""
    asked = recipe_text([sent(1), drawn(2), drawn(3, JobKind.SKETCH)])

    assert "Open the menu `Use as sketch` of picture 2" in asked


def test_what_no_model_drew_has_no_command() -> None:
    """How it came about is said instead."""
    alone = recipe_text([sent(1)])
    shaped = recipe_text([sent(1), sent(2, kind=PictureKind.SHAPED, made="cropped to 3:2")])

    assert "No model drew picture 1: uploaded." in alone
    assert "No model drew picture 2: cropped to 3\\:2. It was made of picture 1." in shaped
    assert "```" not in alone + shaped


def test_a_start_that_was_deleted_is_named() -> None:
    """Nobody is sent looking for it."""
    asked = recipe_text([sent(1, deleted_at=1.0), drawn(2)])

    assert asked.endswith("Picture 1 was deleted, so nobody can do that any more.")


# What a stranger's file says


def test_only_what_would_be_accepted_becomes_a_command() -> None:
    """A model that we do not have and steps that nobody may ask for are told apart."""
    said = Parameters(prompt="a cat", negative="dogs", steps=500, seed=3, guidance=7.0, model="dreams.ckpt")
    found = file_recipe(said, [model()], "0.75")

    assert found.command == "/imagine prompt: a cat seed: 3 guidance: 7 negative: dogs"
    assert found.more == ("the model dreams.ckpt", "500 steps")
    assert not found.from_sketch
    assert (found.form.prompt, found.form.negative, found.form.strength) == ("a cat", "dogs", "0.75")
    assert found.form.flags == "--seed 3 --guidance 7"


def test_a_file_from_a_sketch_becomes_a_sketch() -> None:
    """With its strength, and with a model and sampler that we have."""
    said = Parameters(
        prompt="a cat", steps=20, strength=0.6, model="Moon", sampler=Sampler.EULER_A, size=Size(9, 6)
    )
    found = file_recipe(said, [model("other"), model()], "0.75")

    assert found.command == "/sketch prompt: a cat steps: 20 sampler: euler-a model: moon strength: 0.6"
    assert found.from_sketch
    assert found.form.strength == "0.6"


def test_a_file_from_words_keeps_its_shape() -> None:
    said = Parameters(prompt="a cat", size=Size(768, 512))

    assert file_recipe(said, [model()], "0.75").command == "/imagine prompt: a cat size: 768:512"


def test_more_words_than_we_take_are_cut() -> None:
    """What a form or command cannot hold is of no use in it."""
    found = file_recipe(Parameters(prompt="x" * 3000, negative="y" * 3000), [model()], "0.75")

    assert (len(found.form.prompt), len(found.form.negative)) == (500, 500)
    assert len(found.command) < 1100
