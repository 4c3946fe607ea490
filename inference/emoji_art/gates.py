"""The gates one by one: what is drawn for each, what is counted, and against which chance."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from inference.emoji_art.art import Sprites
from inference.emoji_art.autoencoder import psnr
from inference.emoji_art.backgrounds import BACKGROUNDS, PLACES, Background, by_name
from inference.emoji_art.captions import plainly, with_article
from inference.emoji_art.concepts import Concept
from inference.emoji_art.drawer import Drawer
from inference.emoji_art.findings import (
    COLOUR_DRIFT,
    COUPLES,
    DECIBELS,
    DOODLE_STRENGTH,
    DOODLES,
    EMPTY_OVER_TRUE,
    NEAREST,
    NEVER_SEEN_CORE,
    PROMPTS_APART,
    RISES,
    SHEET,
    SHUFFLED_OVER_EMPTY,
    SINGLES,
    STRENGTHS,
    Check,
    JudgeFigures,
    Losses,
    Nearest,
    Scale,
    Strengths,
    finite,
    sentence_of,
)
from inference.emoji_art.judge import Judge
from inference.emoji_art.layout import outlines
from inference.emoji_art.sampling import SceneSampler
from inference.emoji_art.scenes import Scene
from inference.emoji_art.sheets import contact_sheet, nearest_sheet
from inference.emoji_art.training import seed_of
from inference.emoji_art.world import MIXED, World

_STANDARD_ERRORS = 3.0
"""How far above chance a share may be that is still called near it; and must be to count as anything at all."""
_SHUFFLES = 20
_FIELDS = 8
PLAIN = BACKGROUNDS[len(PLACES) :]

_COUPLE_PLACES = ("grass", "beach", "room", "road", "light blue background")


@dataclass
class Inquiry:
    """A model, those who judge it, and the art it is judged by; gathers what is found.

    seen: the art that trains. unseen: the same concepts by artists whose art does not.
    """

    drawer: Drawer
    judges: tuple[Judge, ...]
    seen: World
    unseen: World
    scale: Scale
    tell: Callable[[str], None] = lambda _: None
    checks: list[Check] = field(default_factory=list)

    @property
    def concepts(self) -> tuple[Concept, ...]:
        return self.seen.sprites.concepts

    @property
    def core(self) -> list[int]:
        return [row for row, concept in enumerate(self.concepts) if concept.core]

    def rows(self, names: Sequence[str]) -> tuple[int, ...] | None:
        """Places of the concepts among the labels; None if one of them is not taught."""
        places = {concept.name: row for row, concept in enumerate(self.concepts)}
        return tuple(places[name] for name in names) if all(name in places for name in names) else None

    def check(
        self,
        gate: int,
        claim: str,
        values: Sequence[float],
        *,
        low: float | None = None,
        high: float | None = None,
        chance: float | None = None,
        count: int,
        unit: str = "%",
    ) -> None:
        """Books one check. What is not a number has failed, and so has what comes from nothing."""
        passed = count > 0 and all(
            (low is None or value >= low) and (high is None or value <= high) for value in values
        )
        check = Check(
            gate=gate,
            claim=claim,
            unit=unit,
            values=tuple(finite(value) for value in values),
            low=low,
            high=high,
            chance=chance,
            count=count,
            passed=passed,
        )
        self.checks.append(check)
        self.tell(sentence_of(check))


# -- how far the judges can be trusted --------------------------------------------------------------------------------


def judge_the_judges(inquiry: Inquiry) -> tuple[JudgeFigures, ...]:
    every = range(len(inquiry.concepts))
    seen, wanted = _portraits(inquiry.seen, every, inquiry.scale.own, "own scenes")
    unseen, named = _portraits(inquiry.unseen, every, inquiry.scale.own, "own never-seen scenes")
    blobs, smeared = _portraits(_smeared(inquiry.seen), every, inquiry.scale.own, "blobs")
    core = torch.tensor([row in inquiry.core for row in named.tolist()])
    figures = []
    for seed, judge in enumerate(inquiry.judges):
        right = judge.scores(unseen).argmax(1) == named
        by_name_ = _shares(right, named, inquiry.concepts)
        figures.append(
            JudgeFigures(
                seed=seed,
                scenes=_share(judge.scores(seen).argmax(1) == wanted),
                never_seen_core=_share(right[core]),
                never_seen_every=_share(right),
                never_seen_grey=_share(judge.scores(_grey(unseen)).argmax(1) == named),
                blobs=_share(judge.scores(blobs).argmax(1) == smeared),
                weakest=dict(sorted(by_name_.items(), key=lambda item: item[1])[:10]),
            )
        )
    inquiry.check(
        1,
        f"the judges name core concepts in never-seen art, among {len(inquiry.concepts)} labels",
        [each.never_seen_core for each in figures],
        low=NEVER_SEEN_CORE,
        chance=1 / len(inquiry.concepts),
        count=int(core.sum()),
    )
    return tuple(figures)


def _portraits(world: World, rows: Sequence[int], count: int, purpose: str) -> tuple[Tensor, Tensor]:
    """`count` scenes of each concept alone, half of them large: pictures, and which concept each shows."""
    sampler = _sampler(world, purpose)
    there = world.sprites.there.any(1).tolist()
    scenes = [
        sampler.scene_of(
            [row], _somewhere(world.sprites, [row], 7 * row + 11 * index).name, easy=index % 2 == 0
        )
        for row in rows
        for index in range(count)
        if there[row]
    ]
    return _rendered(world, scenes), torch.tensor([scene.objects[0].concept for scene in scenes])


def _rendered(world: World, scenes: list[Scene]) -> Tensor:
    return torch.cat(
        [world.render(scenes[start : start + 32]).pictures for start in range(0, len(scenes), 32)]
    )


def _smeared(world: World) -> World:
    """The same art, each sprite a disc of its mean colour that fades at the rim."""
    side = world.sprites.pixels.shape[-1]
    line = torch.linspace(-1, 1, side)
    disc = (4 * (0.8 - (line[:, None] ** 2 + line**2).sqrt())).clamp(0, 1) * 255
    blobs = torch.zeros_like(world.sprites.pixels)
    for row, column in world.sprites.there.nonzero().tolist():
        colours, alpha = world.sprites.pixels[row, column].float().split([3, 1])
        mean = (colours * alpha).sum((1, 2), keepdim=True) / alpha.sum()
        blobs[row, column] = torch.cat([mean.expand(-1, side, side), disc[None]]).round().to(torch.uint8)
    return replace(world, sprites=replace(world.sprites, pixels=blobs))


def _grey(pictures: Tensor) -> Tensor:
    return pictures.mean(1, keepdim=True).expand_as(pictures)


# -- gate 1: objects --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """A prompt, and the concepts that have to be seen."""

    prompt: str
    wanted: tuple[int, ...]


def objects(inquiry: Inquiry) -> dict[str, float]:
    """Returns by name how often single objects were recognised, by the mean of the judges."""
    singles, couples = _held_out_pairs(inquiry), _held_out_couples(inquiry)
    labels = len(inquiry.concepts)
    right = _ask(
        inquiry,
        "single objects before backgrounds that training keeps from them",
        singles,
        SINGLES,
        1 / labels,
    )
    two = f"both of two objects that training keeps apart are the judges' first two of {labels}"
    _ask(inquiry, two, couples, COUPLES, 1 / max(1, math.comb(labels, 2)))
    wanted = torch.tensor([asked.wanted[0] for asked in singles for _ in range(inquiry.scale.seeds)])
    return _shares(right, wanted, inquiry.concepts)


def _ask(inquiry: Inquiry, claim: str, asked: list[_Asked], low: float, chance: float) -> Tensor:
    """Draw, check and check again with shuffled prompts. Returns (pictures,) the mean of the judges' verdicts."""
    each = [one for one in asked for _ in range(inquiry.scale.seeds)]
    seeds = [seed for _ in asked for seed in range(inquiry.scale.seeds)]
    if not each:
        inquiry.check(1, claim, [math.nan], low=low, chance=chance, count=0)
        return torch.empty(0)
    pictures = inquiry.drawer.draw([one.prompt for one in each], seeds)
    wanted = [one.wanted for one in each]
    scores = [judge.scores(pictures) for judge in inquiry.judges]
    verdicts = [_found(own, wanted) for own in scores]
    inquiry.check(1, claim, [_share(own) for own in verdicts], low=low, chance=chance, count=len(each))
    shuffled, guess = _shuffled(scores, wanted)
    error = math.sqrt(guess * (1 - guess) / len(each))
    inquiry.check(
        1,
        f"the same with the prompts shuffled: {claim}",
        shuffled,
        high=guess + _STANDARD_ERRORS * error,
        chance=guess,
        count=len(each),
    )
    return torch.stack(verdicts).float().mean(0)


def _found(scores: Tensor, wanted: Sequence[tuple[int, ...]]) -> Tensor:
    """(pictures,) bool: whether the highest scores are exactly those of what is wanted."""
    rows = zip(scores, wanted, strict=True)
    return torch.tensor([set(own.topk(len(names)).indices.tolist()) == set(names) for own, names in rows])


def _shuffled(scores: list[Tensor], wanted: list[tuple[int, ...]]) -> tuple[list[float], float]:
    """Each judge's share when pictures are held against other prompts, and what a perfect model would get by luck:
    the chance that a prompt is dealt to a picture of the same things, or at least that of guessing."""
    rng = random.Random(seed_of("shuffled prompts"))
    deals = [rng.sample(wanted, len(wanted)) for _ in range(_SHUFFLES)]
    shares = [_share(torch.stack([_found(own, dealt) for dealt in deals])) for own in scores]
    alike = sum(wanted.count(names) for names in wanted) / len(wanted) ** 2
    return shares, max(alike, 1 / scores[0].shape[1])


def _held_out_pairs(inquiry: Inquiry) -> list[_Asked]:
    asked: list[_Asked] = []
    for name, place in sorted(inquiry.seen.held_out.pairs):
        rows = inquiry.rows([name])
        if rows is not None and len(asked) < inquiry.scale.pairs * inquiry.scale.wordings:
            concept, background = inquiry.concepts[rows[0]], by_name()[place]
            names = (concept.name, *concept.aliases)
            for wording in range(inquiry.scale.wordings):
                phrase = background.phrases[wording % len(background.phrases)]
                asked.append(_Asked(f"{with_article(names[wording % len(names)])} {phrase}", rows))
    return asked


def _held_out_couples(inquiry: Inquiry) -> list[_Asked]:
    sprites, held_out = inquiry.seen.sprites, inquiry.seen.held_out
    asked: list[_Asked] = []
    for names in sorted(map(sorted, held_out.couples))[: inquiry.scale.couples]:
        rows = inquiry.rows(names)
        if rows is not None:
            # One thing at a time: nothing here is before a background that is held out as well.
            usual = [
                place
                for place in _COUPLE_PLACES
                if not any((name, place) in held_out.pairs for name in names)
            ]
            for wording in range(max(1, inquiry.scale.wordings // 4)):
                place = _somewhere(sprites, rows, len(asked), [by_name()[name] for name in usual])
                things = [inquiry.concepts[row] for row in rows][:: (-1) ** wording]
                asked.append(_Asked(plainly(things, place), rows))
    return asked


# -- gates 2 and 3: doodles -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Doodled:
    """Doodles of never-seen art, one core concept each, with what to ask for."""

    pictures: Tensor
    scenes: list[Scene]

    @property
    def wanted(self) -> list[tuple[int, ...]]:
        return [(scene.objects[0].concept,) for scene in self.scenes]


def _doodled(inquiry: Inquiry, rows: Sequence[int], purpose: str) -> _Doodled:
    sampler = _sampler(inquiry.unseen, purpose)
    scenes = [
        sampler.scene_of([row], _somewhere(inquiry.unseen.sprites, [row], turn).name, easy=True)
        for turn, row in enumerate(rows)
    ]
    generator = torch.Generator().manual_seed(seed_of("the hands that doodle", purpose))
    return _Doodled(inquiry.unseen.doodles(scenes, generator), scenes)


def _prompts(inquiry: Inquiry, doodled: _Doodled, wanted: Sequence[tuple[int, ...]]) -> list[str]:
    return [
        plainly([inquiry.concepts[row] for row in rows], by_name()[scene.background])
        for rows, scene in zip(wanted, doodled.scenes, strict=True)
    ]


def doodles(inquiry: Inquiry) -> tuple[float, ...]:
    """Returns the judges' shares on the doodles as they are sent."""
    doodled = _doodled(inquiry, inquiry.core * inquiry.scale.doodles, "gate 2")
    seeds = list(range(len(doodled.scenes)))
    prompts = _prompts(inquiry, doodled, doodled.wanted)
    pictures = inquiry.drawer.redraw(doodled.pictures, prompts, seeds, DOODLE_STRENGTH)
    inquiry.check(
        2,
        f"the prompt's object is recognised in doodles of never-seen art, redrawn at strength {DOODLE_STRENGTH}",
        [_share(_found(judge.scores(pictures), doodled.wanted)) for judge in inquiry.judges],
        low=DOODLES,
        chance=1 / len(inquiry.concepts),
        count=len(seeds),
    )
    return tuple(_share(_found(judge.scores(doodled.pictures), doodled.wanted)) for judge in inquiry.judges)


def strengths(inquiry: Inquiry) -> Strengths:
    rows = list(itertools.islice(itertools.cycle(inquiry.core), inquiry.scale.strengths))
    doodled = _doodled(inquiry, rows, "gate 3")
    sketches = inquiry.drawer.round_trip(doodled.pictures)
    others = _others(inquiry, rows)
    seeds = list(range(len(rows)))
    distances, recognised, doodles_share, prompts_share = [], [], [], []
    for strength in STRENGTHS:
        right, wrong = (
            inquiry.drawer.redraw(doodled.pictures, _prompts(inquiry, doodled, wanted), seeds, strength)
            for wanted in (doodled.wanted, others)
        )
        distances.append(_distance(right, sketches))
        recognised.append(_agreed(inquiry, right, doodled.wanted))
        doodles_share.append(_agreed(inquiry, wrong, doodled.wanted))
        prompts_share.append(_agreed(inquiry, wrong, others))
        if strength == STRENGTHS[0]:
            _check_colours(inquiry, right, sketches)
    found = Strengths(
        strengths=STRENGTHS,
        distances=tuple(finite(float(each.mean())) for each in distances),
        recognised=tuple(recognised),
        wrong_doodle=tuple(doodles_share),
        wrong_prompt=tuple(prompts_share),
    )
    rises = torch.stack(distances).diff(dim=0) > 0
    claim = "the distance to the sketch's round trip rises from each strength to the next"
    inquiry.check(3, claim, [_share(rises)], low=RISES, chance=0.5, count=rises.numel())
    _check_hand_over(inquiry, found, len(rows))
    return found


def _others(inquiry: Inquiry, rows: Sequence[int]) -> list[tuple[int, ...]]:
    """For each concept another core one, always the same."""
    core = inquiry.core
    step = max(1, len(core) // 3)
    return [(core[(core.index(row) + step) % len(core)],) for row in rows]


def _agreed(inquiry: Inquiry, pictures: Tensor, wanted: Sequence[tuple[int, ...]]) -> float:
    shares = [_share(_found(judge.scores(pictures), wanted)) for judge in inquiry.judges]
    return sum(shares) / len(shares)


def _check_colours(inquiry: Inquiry, pictures: Tensor, sketches: Tensor) -> None:
    """Chance is what another sketch's colours would be off by."""
    fields = adaptive_avg_pool2d(sketches, _FIELDS)
    drift = float(_distance(adaptive_avg_pool2d(pictures, _FIELDS), fields).mean())
    elsewhere = float(_distance(fields.roll(1, 0), fields).mean())
    claim = f"at strength {STRENGTHS[0]} the colours of {_FIELDS}×{_FIELDS} fields stay the sketch's"
    inquiry.check(3, claim, [drift], high=COLOUR_DRIFT, chance=elsewhere, count=len(pictures), unit="")


def _check_hand_over(inquiry: Inquiry, found: Strengths, count: int) -> None:
    """The doodle's object leads at 0.4 and the prompt's at 0.8, and what leads is seen more often than by luck."""
    chance = 1 / len(inquiry.concepts)
    luck = chance + _STANDARD_ERRORS * math.sqrt(chance * (1 - chance) / max(1, count))
    early, late = STRENGTHS.index(0.4), STRENGTHS.index(0.8)
    for claim, leads, trails in (
        (
            "with a wrong prompt the doodle's object leads at strength 0.4",
            found.wrong_doodle,
            found.wrong_prompt,
        ),
        (
            "with a wrong prompt the prompt's object leads at strength 0.8",
            found.wrong_prompt,
            found.wrong_doodle,
        ),
    ):
        place = early if leads is found.wrong_doodle else late
        inquiry.check(3, claim, [leads[place]], low=max(luck, trails[place]), chance=chance, count=count)


# -- gates 4 and 5: captions, seeds, round trips ----------------------------------------------------------------------


def captions(inquiry: Inquiry) -> Losses:
    scenes = inquiry.seen.scenes(seed_of("validation captions"), inquiry.scale.checked, MIXED)
    pictures = _rendered(inquiry.seen, scenes)
    captions = [scene.caption for scene in scenes]
    seed = seed_of("validation noise")
    true, empty, shuffled = (
        float(inquiry.drawer.losses(pictures, each, seed).mean())
        for each in (captions, [""] * len(captions), captions[1:] + captions[:1])
    )
    for claim, ratio, low in (
        ("the loss with no caption over that with the true one", _ratio(empty, true), EMPTY_OVER_TRUE),
        ("the loss with another's caption over that with none", _ratio(shuffled, empty), SHUFFLED_OVER_EMPTY),
    ):
        inquiry.check(4, claim, [ratio], low=low, chance=1.0, count=len(scenes), unit="×")
    return Losses(true=finite(true), empty=finite(empty), shuffled=finite(shuffled))


def prompts_apart(inquiry: Inquiry) -> None:
    place = by_name()["light blue background"]
    rows = list(itertools.islice(inquiry.core, max(2, inquiry.scale.strengths)))
    pictures = inquiry.drawer.draw([plainly([inquiry.concepts[row]], place) for row in rows], [0] * len(rows))
    apart = _distance(pictures, pictures.roll(1, 0))
    claim = "one seed, two objects before one background: the median difference of the pictures"
    inquiry.check(4, claim, [float(apart.median())], low=PROMPTS_APART, chance=0.0, count=len(rows), unit="")


def round_trips(inquiry: Inquiry) -> None:
    world = inquiry.seen
    scenes = world.scenes(seed_of("scenes for the round trip"), inquiry.scale.checked, MIXED)
    generator = torch.Generator().manual_seed(seed_of("doodles for the round trip"))
    for claim, pictures in (
        (
            "the autoencoder's round trip of scenes that it was not trained on, in dB",
            _rendered(world, scenes),
        ),
        (
            "the autoencoder's round trip of doodles that it was not trained on, in dB",
            world.doodles(scenes, generator),
        ),
    ):
        decibels = psnr(inquiry.drawer.round_trip(pictures), pictures)
        inquiry.check(5, claim, [decibels], low=DECIBELS, count=len(scenes), unit="dB")


# -- gate 6: pictures to look at --------------------------------------------------------------------------------------


def sheet_prompts(sprites: Sprites) -> tuple[str, ...]:
    """The contact sheet's prompts in their fixed order: by turns before a plain colour, in a place, and two things.

    The core concepts take turns; a place is one where they belong.
    """
    core = [row for row, concept in enumerate(sprites.concepts) if concept.core]
    prompts = []
    for index in range(SHEET):
        rows = [core[index % len(core)]]
        if index % 3 == 2:
            rows.append(core[(index + 1 + len(core) // 3) % len(core)])
        choice = PLAIN if index % 3 == 0 else PLACES
        place = _somewhere(
            sprites, rows, 5 * index, [each for each in choice if _belong(sprites, rows, each)]
        )
        prompts.append(plainly([sprites.concepts[row] for row in rows], place))
    return tuple(prompts)


def _belong(sprites: Sprites, rows: Sequence[int], place: Background) -> bool:
    return all(sprites.concepts[row].stands in ("anywhere", *place.holds) for row in rows)


def sheets(inquiry: Inquiry, out: Path) -> tuple[tuple[str, ...], Nearest]:
    """Draws the first seeds, none left out; every third, which is before one colour, beside its nearest sprite.

    Returns the prompts, and how near. Writes sheet.webp and nearest.webp into `out`.
    """
    prompts = sheet_prompts(inquiry.seen.sprites)
    pictures = inquiry.drawer.draw(prompts, list(range(SHEET)))
    contact_sheet(pictures, prompts, out / "sheet.webp")
    alone = pictures[::3][:NEAREST]
    outputs = nearest_sheet(alone, prompts[::3], inquiry.seen.sprites, out / "nearest.webp")
    inquiry.check(
        6,
        "pictures on the contact sheet, seeds 0 to 35, none left out",
        [len(pictures)],
        low=SHEET,
        count=SHEET,
        unit="",
    )
    inquiry.check(
        6, "outputs beside their nearest training sprite", [len(alone)], low=NEAREST, count=NEAREST, unit=""
    )
    copies, strangers = (
        nearest_sheet(_on_plain(world, inquiry.core, len(alone)), prompts, inquiry.seen.sprites, None)
        for world in (inquiry.seen, inquiry.unseen)
    )
    return prompts, Nearest(outputs=finite(outputs), copies=copies, strangers=strangers)


def _on_plain(world: World, rows: Sequence[int], count: int) -> Tensor:
    """Large portraits before plain colours, as the outputs are that they are compared with."""
    sampler = _sampler(world, "nearest")
    scenes = [
        sampler.scene_of([row], _somewhere(world.sprites, [row], 5 * index, PLAIN).name, easy=True)
        for index, row in enumerate(itertools.islice(itertools.cycle(rows), count))
    ]
    return _rendered(world, scenes)


def _somewhere(
    sprites: Sprites, rows: Sequence[int], turn: int, choice: Sequence[Background] = BACKGROUNDS
) -> Background:
    """The background whose turn it is, or the next one before which none of these is lost in its own colour."""
    lost = set().union(*(outline.lost_on for row in rows for outline in outlines(sprites)[row]))
    for offset in range(len(choice)):
        background = choice[(turn + offset) % len(choice)]
        if background.name not in lost:
            return background
    return choice[turn % len(choice)]


# -- small things -----------------------------------------------------------------------------------------------------


def _sampler(world: World, purpose: str) -> SceneSampler:
    return SceneSampler(world.sprites.concepts, world.sprites, world.held_out, seed_of("evaluation", purpose))


def _ratio(above: float, below: float) -> float:
    return above / below if below else math.nan


def _share(right: Tensor) -> float:
    return float(right.float().mean()) if right.numel() else math.nan


def _shares(right: Tensor, wanted: Tensor, concepts: Sequence[Concept]) -> dict[str, float]:
    """By the name of each concept that was asked for."""
    return {concepts[row].name: _share(right[wanted == row]) for row in sorted(set(wanted.tolist()))}


def _distance(pictures: Tensor, others: Tensor) -> Tensor:
    """(n,): mean difference in shares of the range, of pictures in [-1, 1]."""
    return (pictures - others).abs().flatten(1).mean(1) / 2
