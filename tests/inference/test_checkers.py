"""The checkers that come with the engine: each by itself, and one round a real worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessor

from inference import (
    Device,
    EngineConfig,
    EngineState,
    Event,
    Frame,
    ImageRequest,
    Init,
    InitKind,
    ModelUnavailable,
    PictureRef,
    Pixels,
    Progress,
    SampleBlocked,
    Strictness,
    Unsafe,
)
from inference.catalogue import ONLY_BUILT_IN
from inference.checkers.skin import MOST, SkinChecker, skin_share
from inference.checkers.stable_diffusion import CATEGORY, MOST_SQUARES, ClipChecker, squares
from inference.framing import RGB
from inference.local import LocalEngine
from inference.safety import coarsened, load
from tests.inference import driving
from tests.inference.toys import draw, results, until_state

SKIN, SKY = (224, 172, 138), (90, 140, 230)
SIDE = 32


def flat(colour: tuple[int, int, int], side: int = 8) -> RGB:
    return np.full((side, side, 3), colour, np.uint8)


# --- skin ---


@pytest.mark.parametrize("colour", [SKIN, (141, 85, 36), (255, 219, 172)])
def test_skin_has_the_colour_of_skin(colour: tuple[int, int, int]) -> None:
    """Of several people."""
    assert skin_share(flat(colour)) == 1


@pytest.mark.parametrize("colour", [SKY, (128, 128, 128), (255, 255, 255), (0, 0, 0), (60, 160, 60)])
def test_other_colours_have_not(colour: tuple[int, int, int]) -> None:
    """The sky, greys, white, black, grass."""
    assert skin_share(flat(colour)) == 0


def test_more_than_a_share_of_it_is_unsafe() -> None:
    """Pictures of any size, each with a verdict of its own."""
    little, much = flat(SKY, 10), flat(SKY, 20)
    little[:2], much[:10] = SKIN, SKIN
    safe, unsafe = SkinChecker().check([little, much])

    assert (safe.unsafe, unsafe.unsafe, unsafe.category) == (False, True, "skin")
    assert (safe.score, unsafe.score) == pytest.approx((0.2, 0.5))
    assert safe.score < MOST < unsafe.score


# --- Stable Diffusion's ---


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random checker whose thresholds lie in the middle of what random pictures score."""
    made = tmp_path_factory.mktemp("checker")
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision = {**tower, "image_size": SIDE, "patch_size": 8, "projection_dim": 16}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model: Any = StableDiffusionSafetyChecker(
            CLIPConfig(vision_config=vision, text_config={**tower, "projection_dim": 16}, projection_dim=16)
        )
        for concepts in (model.concept_embeds, model.special_care_embeds):
            concepts.copy_(torch.randn_like(concepts))
        model.visual_projection.weight.normal_(std=1.0)
    processor = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor.save_pretrained(made)
    _set_thresholds(model, processor)
    model.save_pretrained(made)
    return made


@torch.no_grad()
def _set_thresholds(model: Any, processor: Any) -> None:
    model.eval()
    prepared = processor(images=pictures(), return_tensors="pt")["pixel_values"]
    vectors = torch.nn.functional.normalize(model.visual_projection(model.vision_model(prepared)[1]))
    for embeds, thresholds in (
        (model.concept_embeds, model.concept_embeds_weights),
        (model.special_care_embeds, model.special_care_embeds_weights),
    ):
        near = vectors @ torch.nn.functional.normalize(embeds).T
        excess = (near - near.mean(0)).max(1).values.median()
        thresholds.copy_(near.mean(0) + excess)


def pictures(count: int = 40) -> list[RGB]:
    """Gradients and noise in all colours."""
    random = np.random.default_rng(0)
    coarse = [random.integers(0, 256, (4, 4, 3), dtype=np.uint8) for _ in range(count)]
    return [np.kron(one, np.ones((SIDE // 4, SIDE // 4, 1), np.uint8)) for one in coarse]


def config(safety: str) -> EngineConfig:
    return driving.config({}, safety=safety)


def opened(folder: Path) -> ClipChecker:
    checker = load(config(f"diffusers:{folder}"))
    assert isinstance(checker, ClipChecker)
    return checker


def verdicts_of_the_library(folder: Path, seen: list[RGB]) -> list[bool]:
    model: Any = StableDiffusionSafetyChecker.from_pretrained(folder)
    prepared = CLIPImageProcessor.from_pretrained(folder)(images=seen, return_tensors="pt")["pixel_values"]
    _, unsafe = model.eval()(clip_input=prepared, images=[np.zeros((1, 1, 3))] * len(seen))
    return [bool(one) for one in unsafe]


def test_verdicts_are_those_of_the_library(folder: Path) -> None:
    """On pictures of which it finds some unsafe and some not, and some only because a special concept is near."""
    found = opened(folder).check(pictures())
    wanted = verdicts_of_the_library(folder, pictures())

    assert [verdict.unsafe for verdict in found] == wanted
    assert {True, False} == set(wanted)
    assert {verdict.category for verdict in found} == {CATEGORY}
    assert len({verdict.score for verdict in found}) > 10


def test_special_concepts_make_it_stricter(folder: Path, tmp_path: Path) -> None:
    """Where all of them are near, every score rises by the hundredth that the library adds; else the scores differ."""
    near, far = (changed(folder, tmp_path / name, level) for name, level in (("near", -2.0), ("far", 2.0)))
    lifted = np.array(opened(near).scores(pictures()))
    plain = np.array(opened(far).scores(pictures()))

    assert np.allclose(lifted - plain, 0.01, atol=1e-3)
    assert [bool(score > 0) for score in lifted] == verdicts_of_the_library(near, pictures())
    assert [bool(score > 0) for score in plain] == verdicts_of_the_library(far, pictures())


def changed(folder: Path, copy: Path, special: float) -> Path:
    """A copy with other thresholds of the special concepts."""
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    weights = load_file(copy / "model.safetensors")
    weights["special_care_embeds_weights"][:] = special
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    return copy


def test_a_wide_picture_is_looked_at_in_full(folder: Path) -> None:
    """The processor sees the middle only; what is unsafe at an end is found all the same."""
    checker = opened(folder)
    scores = checker.scores(pictures())
    safest, worst = pictures()[int(np.argmin(scores))], pictures()[int(np.argmax(scores))]
    for wide in (np.hstack([safest, safest, worst]), np.hstack([worst, safest, safest])):
        middle = checker.scores([wide])[0]

        assert checker.check([wide])[0].score == pytest.approx(max(scores), abs=2e-3)
        assert middle == pytest.approx(min(scores), abs=2e-3)


@pytest.mark.parametrize("shape", [(5, 5), (5, 8), (16, 5), (20, 5), (3, 100), (100, 1)])
def test_squares_cover_the_picture(shape: tuple[int, int]) -> None:
    """Every pixel is in one, none is larger than it must be, and there are few of them."""
    picture = np.arange(shape[0] * shape[1] * 3, dtype=np.int64).reshape(*shape, 3)
    cut = squares(picture)  # type: ignore[arg-type]  # wide numbers, each another one

    assert {int(value) for one in cut for value in one.ravel()} == set(range(picture.size))
    assert all(one.shape[0] == one.shape[1] for one in cut)
    assert len(cut) <= MOST_SQUARES


def test_a_pipelines_folder_will_do(folder: Path, tmp_path: Path) -> None:
    """The checker and what prepares pictures for it lie in two folders there."""
    for part, names in (
        ("safety_checker", ("config.json", "model.safetensors")),
        ("feature_extractor", ("preprocessor_config.json",)),
    ):
        (tmp_path / part).mkdir()
        for name in names:
            (tmp_path / part / name).write_bytes((folder / name).read_bytes())

    assert opened(tmp_path).scores(pictures()) == opened(folder).scores(pictures())


@pytest.mark.parametrize(
    "damage", ["cut off", "not safetensors", "lacking a part", "no weights", "other shape"]
)
def test_a_damaged_checker_is_refused(folder: Path, tmp_path: Path, damage: str) -> None:
    """Never filled up with random numbers; the same folder undamaged is taken."""
    copy = changed(folder, tmp_path / "copy", 0.0)
    opened(copy)
    weights = copy / "model.safetensors"
    if damage == "cut off":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "not safetensors":
        weights.rename(copy / "pytorch_model.bin")
    elif damage == "no weights":
        weights.unlink()
    else:
        held = load_file(weights)
        held["concept_embeds"] = held["concept_embeds"][:5].clone()
        if damage == "lacking a part":
            del held["concept_embeds"]
        save_file(held, weights, {"format": "pt"})

    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        opened(copy)


# --- round a real worker ---


@asynccontextmanager
async def real_engine(tmp_path: Path) -> AsyncIterator[LocalEngine]:
    plain = EngineConfig(catalogue=ONLY_BUILT_IN, models_dir=tmp_path, device=Device.CPU, safety="skin")
    engine = LocalEngine(msgspec.structs.replace(plain, preview_seconds=0.0))
    await engine.start()
    try:
        ready = await until_state(engine, EngineState.READY, EngineState.SETUP_FAILED, EngineState.UNHEALTHY)
        assert ready.state is EngineState.READY, ready.detail
        yield engine
    finally:
        await engine.close()


async def test_a_real_worker_checks_what_it_draws(tmp_path: Path) -> None:
    """A skin-coloured start is refused, what is drawn from its latents is blocked and from the sky is not; previews
    leave blurred, and are those that leave clear with strictness off."""
    start, other = PictureRef("5" * 64), PictureRef("6" * 64)
    async with real_engine(tmp_path) as engine:
        native = engine.models()[0].native

        def plain(colour: tuple[int, int, int]) -> Pixels:
            return Pixels(native.width, native.height, bytes(colour) * native.area)

        asked = ImageRequest(
            model=engine.models()[0].name,
            prompt="a moon",
            seeds=(1,),
            frame=Frame(canvas=native, content=native),
            init=Init(kind=InitKind.PIXELS, ref=start),
            strength=0.05,
            steps=40,
        )
        again = msgspec.structs.replace(asked, init=Init(kind=InitKind.LATENTS, ref=start))
        unchecked = await draw(engine, asked, {start: plain(SKIN)})
        with pytest.raises(Unsafe) as caught:
            await draw(engine, asked, {start: plain(SKIN)}, Strictness.BLOCK)
        latents = results(unchecked)[0].latents
        blocked = await draw(engine, again, {start: latents}, Strictness.BLOCK)
        elsewhere = msgspec.structs.replace(asked, init=Init(kind=InitKind.PIXELS, ref=other))
        sky = await draw(engine, elsewhere, {other: plain(SKY)}, Strictness.BLOCK)
        spoiled = await draw(engine, asked, {start: plain(SKIN)}, Strictness.SPOILER)

    assert caught.value.category == "skin"
    assert blocked[-1] == SampleBlocked(sample=0, category="skin")
    assert results(sky)[0].unsafe == ""
    assert results(spoiled)[0] == msgspec.structs.replace(results(unchecked)[0], unsafe="skin")
    clear = previews_of(unchecked)
    assert previews_of(spoiled) == [coarsened(preview) for preview in clear] != clear


def previews_of(events: list[Event]) -> list[Pixels]:
    found = [event.preview for event in events if isinstance(event, Progress)]
    assert None not in found
    return [preview for preview in found if preview is not None]
