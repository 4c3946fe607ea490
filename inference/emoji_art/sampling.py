"""Chooses what scenes show: endless, different and with captions that are true of them.

Nothing that is held out (a thing before a background, two things together, a template) ever comes up by itself.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from inference.emoji_art.art import Sprites
from inference.emoji_art.backgrounds import BACKGROUNDS, PLACES, Background, by_name
from inference.emoji_art.captions import STYLES, TEMPLATES, Subject, countable, write
from inference.emoji_art.concepts import Concept, HeldOut
from inference.emoji_art.layout import LAYOUTS, NATURAL, Item, large, outlines
from inference.emoji_art.scenes import Scene

RELATIONS = {
    "nothing": 0.06,
    "alone": 0.26,
    "count": 0.10,
    "and": 0.15,
    "three": 0.07,
    "beside": 0.07,
    "left": 0.08,
    "above": 0.07,
    "on": 0.06,
    "front": 0.08,
    "far": 0.05,
}
"""What a scene of the full mix can be, and how often it is. "left" is said as right, "above" as below, "front" as
behind as well; "nothing" is a background by itself."""

OBJECTS = {"nothing": 0, "alone": 1, "count": 1, "three": 3}
"""How many different things take part; two, where it is not said."""

STYLED = 0.33
"""How often a caption asks for its style."""
COLOURED = 0.2
"""How often a thing's colour is said, if it has one."""
SCALED = 0.25
"""How often something is so big or small that it is said, where it can be."""
NATURALLY = 0.75
"""How often a thing is where it belongs; else it is anywhere."""
PLAIN = 0.35
"""How often the background is a plain colour."""

SET_WEIGHTS = {"3d": 2.0}
"""Where no style is asked for, the most finished set is drawn most."""

_TRIES = 240
_TRIES_PER_PLACE = 12


@dataclass(frozen=True, slots=True)
class Mix:
    """What scenes are made of. easy: the share with one large, centred object; the rest is the full mix."""

    easy: float = 0.3


class SceneSampler:
    """An endless row of scenes that follows from the seed."""

    def __init__(self, concepts: Sequence[Concept], sprites: Sprites, held_out: HeldOut, seed: int) -> None:
        self._concepts = concepts
        self._sprites = sprites
        self._held_out = held_out
        self._templates = [template for template in TEMPLATES if template.id not in held_out.templates]
        self._styles = [name for name in sprites.sets if name in STYLES]
        self._outlines = outlines(sprites)
        self._there = sprites.there.tolist()
        self._able: dict[str | None, list[int]] = {
            style: [row for row, there in enumerate(self._there) if there[column]]
            for column, style in enumerate(sprites.sets)
        }
        self._able[None] = [row for row, there in enumerate(self._there) if any(there)]
        self._rng = random.Random(seed)

    def scenes(self, count: int, mix: Mix) -> list[Scene]:
        """The next scenes. Raises ValueError if what is held out leaves nothing to show."""
        return [self._next(mix) for _ in range(count)]

    def scene_of(
        self,
        concepts: Sequence[int],
        background: str,
        relation: str = "alone",
        *,
        easy: bool = False,
        sprite_set: int | None = None,
    ) -> Scene:
        """A scene of what is asked for, held out or not: for judging.

        concepts: in the order in which the relation names them. sprite_set: which set draws them all.
        """
        place = by_name()[background]
        style = None if sprite_set is None else self._sprites.sets[sprite_set]
        chosen = self._with_sets(concepts, style)
        return self._scene(relation, chosen, place, None, easy=easy, plain=True)

    def _next(self, mix: Mix) -> Scene:
        rng = self._rng
        easy = rng.random() < mix.easy
        relation = "alone" if easy else rng.choices(list(RELATIONS), list(RELATIONS.values()))[0]
        style = rng.choice(self._styles) if self._styles and rng.random() < STYLED else None
        # With very few concepts some relations cannot be; one thing by itself nearly always can.
        for kind in (relation, "alone"):
            for attempt in range(_TRIES):
                # Where few things belong, it takes more of them to find one: so places stay equally frequent.
                if attempt % _TRIES_PER_PLACE == 0:
                    background = self._background()
                chosen = self._with_sets(self._choose(OBJECTS.get(kind, 2), style), style)
                if self._suits(kind, chosen, background):
                    return self._scene(kind, chosen, background, style, easy=easy)
        raise ValueError("nothing can be shown: too much is held out of too few concepts")

    def _background(self) -> Background:
        if self._rng.random() < PLAIN:
            return self._rng.choice(BACKGROUNDS[len(PLACES) :])
        return self._rng.choice(PLACES)

    def _choose(self, count: int, style: str | None) -> list[int]:
        able = self._able[style]
        return self._rng.sample(able, min(count, len(able)))

    def _suits(self, relation: str, chosen: Sequence[tuple[int, int]], background: Background) -> bool:
        """Whether the scene may be shown and makes sense."""
        things = [self._concepts[row] for row, _ in chosen]
        names = [thing.name for thing in things]
        if len(things) < OBJECTS.get(relation, 2):
            return False
        if any((name, background.name) in self._held_out.pairs for name in names):
            return False
        if any(couple <= set(names) for couple in self._held_out.couples):
            return False
        if not all(self._belongs(thing, background) for thing in things):
            return False
        if any(background.name in self._outlines[row][column].lost_on for row, column in chosen):
            return False
        return _possible(relation, things, background)

    def _belongs(self, thing: Concept, background: Background) -> bool:
        natural = thing.stands == "anywhere" or thing.stands in background.holds
        return natural or self._rng.random() > NATURALLY

    def _scene(
        self,
        relation: str,
        chosen: Sequence[tuple[int, int]],
        background: Background,
        style: str | None,
        *,
        easy: bool = False,
        plain: bool = False,
    ) -> Scene:
        rng = self._rng
        scales: Sequence[str | None] = [None] * len(chosen) if plain or easy else self._scales(relation)
        items = [self._item(*one, scale) for one, scale in zip(chosen, scales, strict=True)]
        count = rng.choice((2, 2, 3)) if relation == "count" else 1
        placed = (large if easy else LAYOUTS[relation])(rng, items * count, background) if items else []
        subjects = [self._subject(item, count, plain=plain) for item in items]
        caption, template = write(rng, relation, subjects, background, style, self._templates)
        return Scene(
            background=background.name,
            background_seed=rng.getrandbits(62),
            objects=tuple(placed),
            caption=caption,
            template=template,
            style=style,
            relation=None if relation in ("nothing", "alone", "and", "three") else relation,
        )

    def _with_sets(self, chosen: Sequence[int], style: str | None) -> list[tuple[int, int]]:
        """Each thing with the set that draws it: one set for all of them, if one has them all."""
        if style is not None:
            return [(row, self._sprites.sets.index(style)) for row in chosen]
        weights = [SET_WEIGHTS.get(name, 1.0) for name in self._sprites.sets]
        order = sorted(range(len(weights)), key=lambda column: -(self._rng.random() ** (1 / weights[column])))
        common = [column for column in order if all(self._there[row][column] for row in chosen)]
        columns = common[:1] * len(chosen) or [
            next(column for column in order if self._there[row][column]) for row in chosen
        ]
        return list(zip(chosen, columns, strict=True))

    def _scales(self, relation: str) -> Sequence[str | None]:
        """Sizes that are worth a word: one thing big or small in the picture, or one big beside a small one."""
        count = OBJECTS.get(relation, 2)
        if self._rng.random() > SCALED or relation not in ("alone", "and", "beside", "left"):
            return [None] * count
        return self._rng.choice([["big"], ["small"]] if count == 1 else [["big", "small"], ["small", "big"]])

    def _item(self, row: int, column: int, scale: str | None) -> Item:
        thing = self._concepts[row]
        return Item(row, column, self._outlines[row][column], thing.stands, NATURAL[thing.size], scale)

    def _subject(self, item: Item, count: int, *, plain: bool) -> Subject:
        colour = self._sprites.colours[item.concept][item.sprite_set]
        said = colour if not plain and self._rng.random() < COLOURED else None
        return Subject(self._concepts[item.concept], said, item.scale, count)


def _possible(relation: str, things: Sequence[Concept], background: Background) -> bool:
    """Whether things can be so without one of them hanging in the air."""
    if relation == "count":
        return any(countable(name) for name in (things[0].name, *things[0].aliases))
    if relation in ("nothing", "alone", "and", "three", "beside", "left"):
        return True
    first, second = things
    fits = NATURAL[first.size] <= NATURAL[second.size]
    match relation:
        case "above":
            return first.stands == "air" or background.horizon is None
        case "on":
            return fits and "air" not in (first.stands, second.stands)
        case "front":
            return fits and (first.stands == "air") == (second.stands == "air")
        case _:
            return second.stands == "air" and first.stands != "air" and background in PLACES
