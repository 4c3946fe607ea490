"""The judge: what it recognises, what cannot fool it, and that it is the same each time."""

from __future__ import annotations

from pathlib import Path

import torch

from inference.emoji_art import judge as judge_module
from inference.emoji_art.backgrounds import BACKGROUNDS
from inference.emoji_art.hardening import harden, recoloured_sprites
from inference.emoji_art.judge import SIDE, load_judge, train_judge
from inference.emoji_art.sampling import SceneSampler
from inference.emoji_art.world import World
from tests.inference.emoji_art.judging import HELD_OUT, strange_world, toy_judge, toy_world


def portraits(world: World, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight scenes of each toy, alone: pictures and what they show."""
    sprites = world.sprites
    sampler = SceneSampler(sprites.concepts, sprites, HELD_OUT, seed)
    scenes = [
        sampler.scene_of([row], place.name, easy=True)
        for place in BACKGROUNDS[:8]
        for row in range(len(sprites.concepts))
    ]
    return world.render(scenes).pictures, torch.tensor([scene.objects[0].concept for scene in scenes])


def test_recognises_scenes_it_never_saw() -> None:
    """After seconds of training, toys in new scenes are named right nine times in ten."""
    pictures, wanted = portraits(toy_world(), seed=5)

    named = toy_judge().scores(pictures).argmax(1)

    assert (named == wanted).float().mean() >= 0.9


def test_recognises_what_others_drew() -> None:
    """It names toys that somebody else drew, far above chance (one in three)."""
    pictures, wanted = portraits(strange_world(), seed=5)

    named = toy_judge().scores(pictures).argmax(1)

    assert (named == wanted).float().mean() >= 0.7


def test_sees_nothing_where_nothing_is() -> None:
    """No toy is likely in a picture of one colour: the scores are odds, and not only an order."""
    empty = torch.full((1, 3, 256, 256), 0.3)
    pictures, wanted = portraits(toy_world(), seed=6)

    nothing = toy_judge().scores(empty).max()
    something = toy_judge().scores(pictures).gather(1, wanted[:, None]).median()

    assert nothing < something


def test_equal_seeds_give_equal_judges() -> None:
    """Training follows from its seed alone, whatever the global generator did; another seed gives another judge."""
    sprites = toy_world().sprites
    pictures, _ = portraits(toy_world(), seed=7)

    torch.manual_seed(1)
    first = train_judge(sprites, seed=3, steps=2, scenes=8)
    torch.manual_seed(2)
    again = train_judge(sprites, seed=3, steps=2, scenes=8)
    other = train_judge(sprites, seed=4, steps=2, scenes=8)

    assert torch.equal(first.scores(pictures), again.scores(pictures))
    assert not torch.equal(first.scores(pictures), other.scores(pictures))


def test_leaves_the_global_generator_alone() -> None:
    """Nobody else's chance is touched by training a judge."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    train_judge(toy_world().sprites, seed=0, steps=1, scenes=4)

    assert torch.equal(torch.rand(3), expected)


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    """A file holds the whole judge, its labels with it."""
    pictures, _ = portraits(toy_world(), seed=8)
    path = tmp_path / "judge.safetensors"

    toy_judge().save(path)
    loaded = load_judge(path)

    assert loaded.labels == toy_judge().labels == ("ball", "box", "tree")
    assert torch.allclose(loaded.scores(pictures), toy_judge().scores(pictures), atol=1e-4)


def test_is_small() -> None:
    """With 350 labels its two networks have less than a million parameters."""
    network = judge_module.build(350)

    assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000


def test_hardening_changes_every_picture_its_own_way() -> None:
    """One picture eight times gives eight different ones of the judge's size; some of many come out grey."""
    generator = torch.Generator().manual_seed(0)
    picture = portraits(toy_world(), seed=9)[0][:1]

    changed = harden(picture.expand(64, -1, -1, -1), SIDE, generator)
    difference = torch.pdist(changed.flatten(1))
    colourful = (changed.mean((2, 3)) - changed.mean((1, 2, 3), keepdim=True)[:, :, 0, 0]).abs().amax(1)

    assert changed.shape == (64, 3, SIDE, SIDE)
    assert difference.min() > 1
    assert 2 <= int((colourful < 0.01).sum()) <= 32


def test_recoloured_sprites_keep_their_shapes() -> None:
    """Another colour, the same outline; and the sprites that were given stay as they are."""
    sprites = toy_world().sprites
    before = sprites.pixels.clone()

    changed = recoloured_sprites(sprites, torch.Generator().manual_seed(1))

    assert torch.equal(sprites.pixels, before)
    assert torch.equal(changed.pixels[:, :, 3], before[:, :, 3])
    visible = before[:, :, 3] > 200
    moved = (changed.pixels[:, :, :3].float() - before[:, :, :3].float()).abs().amax(2)
    assert (moved * visible).flatten(2).amax(2).min() > 20
