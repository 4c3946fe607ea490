"""What lies beside published weights, and that the engine understands it."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from inference.catalogue import read_vocabulary
from inference.emoji_art.carry import STATE
from inference.emoji_art.concepts import HeldOut, read_concepts
from inference.emoji_art.publish import VOCABULARY, publish, vocabulary_of
from inference.emoji_art.sampling import Mix
from inference.emoji_art.world import World
from inference.vocabulary import unknown_words
from tests.inference.emoji_art.test_model_card import EVALUATION, ORIGIN, card_of
from tests.inference.emoji_art.toys import toy_concepts, toy_sprites

NOTHING_HELD_OUT = HeldOut(frozenset(), frozenset(), frozenset())


def test_every_word_that_was_taught_is_known(tmp_path: Path) -> None:
    """Nobody is told that the model does not know a word of its own captions; of other words they are told."""
    (tmp_path / VOCABULARY).write_text(json.dumps(vocabulary_of(toy_concepts())))
    title, vocabulary = read_vocabulary(tmp_path)
    scenes = World(toy_sprites(), NOTHING_HELD_OUT, torch.device("cpu")).scenes(1, 400, Mix(easy=0.3))

    assert title == "emoji art (built-in)"
    assert vocabulary is not None
    assert {word for scene in scenes for word in unknown_words(scene.caption, vocabulary)} == set()
    assert unknown_words("a ball parsecs from a rocket", vocabulary) == ("parsecs", "rocket")


def test_every_concept_can_be_asked_for(tmp_path: Path) -> None:
    """Names and aliases of all concepts, in the singular, are words that are known."""
    (tmp_path / VOCABULARY).write_text(json.dumps(vocabulary_of(read_concepts())))
    _, vocabulary = read_vocabulary(tmp_path)
    names = [name for concept in read_concepts() for name in (concept.name, *concept.aliases)]

    assert vocabulary is not None
    assert [name for name in names if unknown_words(name, vocabulary)] == []
    assert len(names) > 600


def test_a_published_folder_is_whole_and_new(tmp_path: Path) -> None:
    """Weights, vocabulary, card, figures, sheets and notices; nothing of the training's own, nothing from before."""
    card_of(tmp_path, EVALUATION)  # leaves the files of an evaluation
    model = tmp_path / "trained"
    model.mkdir()
    (model / "model_index.json").write_text("{}")
    (model / STATE).write_text("{}")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "old").touch()
    card = publish(
        model,
        tmp_path / "to",
        evaluated=tmp_path / "evaluated",
        log=tmp_path / "log.jsonl",
        origin=ORIGIN,
        concepts=toy_concepts(),
    )

    there = {path.name for path in (tmp_path / "to").iterdir()}
    assert card == tmp_path / "to" / "README.md"
    assert {
        "model_index.json",
        VOCABULARY,
        card.name,
        "evaluation.json",
        "sheet.webp",
        "nearest.webp",
    } <= there
    assert not {STATE, "old"} & there
