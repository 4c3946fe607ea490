"""What people would type for a scene, and nothing that is not in it.

A caption is one of TEMPLATES filled with noun phrases and the background's own words, sometimes with a style before or
after it. The ids of the templates are fixed: some of them are held out of training.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.emoji_art.backgrounds import BACKGROUNDS, COLOURS, Background
from inference.emoji_art.concepts import Concept

ALIAS_SHARE = 0.35
"""How often a thing is called by one of its other names."""

SIZE_WORDS = {"big": ("big", "large", "huge"), "small": ("small", "little", "tiny")}

COUNT_WORDS = {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3")}

COLOUR_WORDS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "white",
    "grey",
)

STYLES = {
    "3d": (
        ("a 3d render of", "3d render of", "a 3d picture of", "a glossy 3d"),
        ("3d", "3d render", "3d style", "in 3d", "as a 3d render", "in 3d style"),
    ),
    "flat": (
        ("a flat drawing of", "flat illustration of", "a flat picture of"),
        ("flat", "flat style", "flat design", "flat colours", "in flat style", "as a flat illustration"),
    ),
    "cartoon": (
        ("a cartoon of", "cartoon drawing of", "a cartoon picture of", "a cartoon"),
        ("cartoon", "cartoon style", "in cartoon style", "as a cartoon", "cartoon drawing"),
    ),
}
"""For each style what goes before a caption and what goes after it. A beginning without "of" replaces the article."""


@dataclass(frozen=True, slots=True)
class Template:
    """One way to say something. relation: what it can be said of, one of `sampling`'s. weight: how often it is used.

    Its fields: {a} {b} {c} things with their articles, {a0} {b0} {c0} without, {many} a number of things;
    {place} where they are ("on the beach"), {place0} its keyword ("beach"), {name} the place itself ("a beach").
    """

    id: str
    relation: str
    pattern: str
    weight: float = 1.0


TEMPLATES = (
    Template("nothing-name", "nothing", "{name}", 4),
    Template("nothing-keyword", "nothing", "{place0}", 2),
    Template("nothing-empty", "nothing", "{name}, empty"),
    Template("nothing-picture", "nothing", "a picture of {name}"),
    Template("alone-plain", "alone", "{a} {place}", 8),
    Template("alone-bare", "alone", "{a0} {place}", 2),
    Template("alone-keywords", "alone", "{a0}, {place0}", 3),
    Template("alone-comma", "alone", "{a}, {place0}", 1.5),
    Template("alone-thing", "alone", "{a}", 1.5),
    Template("alone-word", "alone", "{a0}", 1.5),
    Template("alone-place-first", "alone", "{place}, {a}"),
    Template("alone-picture", "alone", "a picture of {a} {place}"),
    Template("alone-drawing", "alone", "a drawing of {a} {place}"),
    Template("alone-there", "alone", "there is {a} {place}"),
    Template("alone-just", "alone", "just {a} {place}"),
    Template("alone-draw", "alone", "draw {a} {place}"),
    Template("alone-shows", "alone", "the picture shows {a} {place}"),
    Template("alone-with", "alone", "{name} with {a}"),
    Template("count-plain", "count", "{many} {place}", 5),
    Template("count-keywords", "count", "{many}, {place0}", 2),
    Template("count-there", "count", "there are {many} {place}"),
    Template("count-thing", "count", "{many}"),
    Template("and-plain", "and", "{a} and {b} {place}", 5),
    Template("and-bare", "and", "{a0} and {b0} {place}", 2),
    Template("and-keywords", "and", "{a0}, {b0}, {place0}", 2),
    Template("and-with", "and", "{a} with {b} {place}", 1.5),
    Template("and-place-first", "and", "{place}, {a} and {b}"),
    Template("and-picture", "and", "a picture of {a} and {b} {place}"),
    Template("and-there", "and", "there is {a} and {b} {place}"),
    Template("and-thing", "and", "{a} and {b}"),
    Template("three-plain", "three", "{a}, {b} and {c} {place}", 3),
    Template("three-bare", "three", "{a0}, {b0} and {c0} {place}"),
    Template("three-keywords", "three", "{a0}, {b0}, {c0}, {place0}"),
    Template("three-with", "three", "{a} with {b} and {c} {place}"),
    Template("beside-next", "beside", "{a} next to {b} {place}", 3),
    Template("beside-beside", "beside", "{a} beside {b} {place}", 2),
    Template("beside-bare", "beside", "{a0} next to {b0}, {place0}"),
    Template("beside-side", "beside", "{a} and {b} side by side {place}"),
    Template("left-left", "left", "{a} to the left of {b} {place}", 2),
    Template("left-short", "left", "{a} left of {b} {place}"),
    Template("left-right", "left", "{b} to the right of {a} {place}", 2),
    Template("left-short-right", "left", "{b} right of {a} {place}"),
    Template("left-both", "left", "{a} on the left and {b} on the right {place}"),
    Template("above-above", "above", "{a} above {b} {place}", 3),
    Template("above-over", "above", "{a} over {b} {place}", 1.5),
    Template("above-below", "above", "{b} below {a} {place}", 1.5),
    Template("above-under", "above", "{b} under {a} {place}", 2),
    Template("on-on", "on", "{a} on {b} {place}", 3),
    Template("on-top", "on", "{a} on top of {b} {place}", 3),
    Template("on-sitting", "on", "{b} with {a} on top {place}"),
    Template("front-front", "front", "{a} in front of {b} {place}", 3),
    Template("front-behind", "front", "{b} behind {a} {place}", 2),
    Template("front-place-first", "front", "{place}, {a} in front of {b}"),
    Template("far-background", "far", "{a} {place}, {b} in the background", 2),
    Template("far-with", "far", "{a} {place} with {b} in the background"),
    Template("far-behind", "far", "{a} {place}, {b} far behind"),
)
"""Every way. An id is never given to another pattern."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to be named, or `count` of it. colour and scale ("big", "small") are said where they are given."""

    concept: Concept
    colour: str | None = None
    scale: str | None = None
    count: int = 1


def write(
    rng: random.Random,
    relation: str,
    subjects: Sequence[Subject],
    background: Background,
    style: str | None = None,
    templates: Iterable[Template] = TEMPLATES,
) -> tuple[str, str]:
    """A caption and the id of its template, one of those given."""
    fitting = [template for template in templates if template.relation == relation]
    template = rng.choices(fitting, [template.weight for template in fitting])[0]
    caption = template.pattern.format_map(_fillings(rng, subjects, background))
    return _styled(rng, caption, style, template) if style else caption, template.id


def plainly(subjects: Sequence[Concept], background: Background | None = None) -> str:
    """The plainest caption of things in a place: "an apple and a car on the beach". It draws no random numbers."""
    things = " and ".join(with_article(concept.name) for concept in subjects)
    return f"{things} {background.phrases[0]}" if background else things


def words(concepts: Iterable[Concept]) -> frozenset[str]:
    """Every word that a caption of these concepts can have."""
    texts = [re.sub(r"{\w+}", " ", template.pattern) for template in TEMPLATES]
    for background in BACKGROUNDS:
        texts += [*background.phrases, *background.names, *background.words]
    for group in (
        *SIZE_WORDS.values(),
        *COUNT_WORDS.values(),
        COLOUR_WORDS,
        COLOURS,
        *_style_texts(),
        ("a an the some picture of",),
    ):
        texts += group
    for concept in concepts:
        for name in (concept.name, *concept.aliases):
            texts += [name, plural(name)]
    return frozenset(word for text in texts for word in split(text))


def split(caption: str) -> list[str]:
    """The words of a caption, as `words` counts them: lower case, a hyphen or an apostrophe belongs to its word."""
    return re.findall(r"[\w'-]+", caption.lower())


def _style_texts() -> Iterable[Sequence[str]]:
    return (texts for style in STYLES.values() for texts in style)


def _styled(rng: random.Random, caption: str, style: str, template: Template) -> str:
    before, after = STYLES[style]
    starts_with_things = template.pattern.startswith(("{a", "{b", "{many", "{name"))
    if not starts_with_things or rng.random() < 0.6:
        return f"{caption}, {rng.choice(after)}"
    article, _, rest = caption.partition(" ")
    # Keywords get no "a" before them, so the beginning gets none.
    bare = [beginning for beginning in before if not beginning.startswith("a ")]
    beginning = rng.choice(before if article in ("a", "an", "the") else bare)
    if beginning.endswith(" of"):
        return f"{beginning} {caption}"
    return f"{beginning} picture of {caption}" if article == "the" else f"{beginning} {rest}"


def _fillings(rng: random.Random, subjects: Sequence[Subject], background: Background) -> dict[str, str]:
    fillings = {
        "place": rng.choice(background.phrases),
        "place0": rng.choice(background.words),
        "name": rng.choice(background.names),
    }
    for letter, subject in zip("abc", subjects, strict=False):
        noun = _noun(rng, subject)
        fillings[letter] = with_article(noun, rng)
        fillings[letter + "0"] = noun
        if subject.count > 1:
            fillings["many"] = _many(rng, noun, subject.count)
    return fillings


def _noun(rng: random.Random, subject: Subject) -> str:
    names = [
        name
        for name in (subject.concept.name, *subject.concept.aliases)
        if subject.count == 1 or countable(name)
    ]
    name = rng.choice(names[1:]) if names[1:] and rng.random() < ALIAS_SHARE else names[0]
    described = [rng.choice(SIZE_WORDS[subject.scale])] if subject.scale else []
    if subject.colour and not any(word in COLOUR_WORDS for word in name.split()):
        described.append(subject.colour)
    return " ".join([*described, name])


def _many(rng: random.Random, noun: str, count: int) -> str:
    number = rng.choice(COUNT_WORDS[count])
    if noun.startswith("pair of "):
        number = COUNT_WORDS[count][0]
    return f"{number} {plural(noun)}"


# -- a little English -------------------------------------------------------------------------------------------------

_ONLY_ONE = frozenset(("sun", "moon", "earth", "planet earth", "milky way", "tokyo tower", "eiffel tower"))
"""There is one of them, so it is "the"."""

_PROPER = frozenset(("saturn", "mount fuji"))
"""Names, which take no article."""

# fmt: off
_UNCOUNTED = frozenset((
    "bacon", "bread", "broccoli", "butter", "cheese", "corn", "fire", "fog", "garlic", "ginger",
    "honey", "ice", "lightning", "luggage", "milk", "money", "pasta", "popcorn", "ramen", "rice",
    "salt", "seaweed", "spaghetti", "sunshine", "sushi", "tofu", "water", "wine", "wood", "yarn",
))
# fmt: on
"""Stuff, which takes no "a"."""

_PLURALS = {
    "bow and arrow": "bows and arrows",
    "cactus": "cacti",
    "deer": "deer",
    "dice": "dice",
    "die": "dice",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "mango": "mangoes",
    "moai": "moai",
    "mouse": "mice",
    "nigiri": "nigiri",
    "onigiri": "onigiri",
    "ox": "oxen",
    "potato": "potatoes",
    "scarf": "scarves",
    "sheep": "sheep",
    "shrimp": "shrimp",
    "snowman": "snowmen",
    "squid": "squid",
    "tomato": "tomatoes",
    "tooth": "teeth",
    "tornado": "tornadoes",
    "torii": "torii",
    "volcano": "volcanoes",
    "wolf": "wolves",
}


def is_plural(noun: str) -> bool:
    """Whether a noun is many by itself: glasses, scissors."""
    last = _head(noun).rpartition(" ")[2]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "ens", "mas"))


def countable(noun: str) -> bool:
    """Whether one can say "two" of it: not of bread, not of the sun."""
    return not (noun in _ONLY_ONE or noun in _PROPER or _is_stuff(noun) or is_plural(noun))


def with_article(noun: str, rng: random.Random | None = None) -> str:
    """ "an apple", "the sun", "glasses", "bread"."""
    if noun in _ONLY_ONE:
        return f"the {noun}"
    if noun in _PROPER:
        return noun
    if _is_stuff(noun) or is_plural(noun):
        return f"some {noun}" if rng and rng.random() < 0.25 else noun
    return f"{'an' if _sounds_open(noun) else 'a'} {noun}"


def plural(noun: str) -> str:
    """ "apples", "bowls of rice", "scissors"."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    head = _head(noun)
    rest = noun[len(head) :]
    if is_plural(noun):
        return noun
    before, _, last = head.rpartition(" ")
    return f"{before} {_plural_word(last)}".strip() + rest


def _is_stuff(noun: str) -> bool:
    return _head(noun).rpartition(" ")[2] in _UNCOUNTED


def _head(noun: str) -> str:
    """ "bowl" of "bowl of rice": what is counted."""
    return re.split(r" (?:of|with|in|on|at|from|and) ", noun, maxsplit=1)[0]


def _plural_word(word: str) -> str:
    if word in _PLURALS:
        return _PLURALS[word]
    if word.endswith("fish"):
        return word
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def _sounds_open(noun: str) -> bool:
    """Whether "an" goes before it: by sound, so not before unicorn, but before hourglass."""
    if noun[0] not in "aeiou":
        return noun.startswith("hour")
    return not noun.startswith(("uni", "uk", "eu", "use", "ufo", "one"))
