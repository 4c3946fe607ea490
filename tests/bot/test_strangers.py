"""Strangers' words where people read them: five hundred strings through every text that repeats what was typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot import texts
from bot.errors import BadOption
from bot.options import parse_reply, parse_shape, read_options
from bot.places import thread_name
from bot.remix import choose_model
from tests.bot.records import model
from tests.bot.strangers import CANARY, COUNT, KINDS, STRINGS, VISIBLE, dangers

MOST_CONTENT, MOST_NAME, MOST_LABEL, MOST_DESCRIPTION = 2000, 100, 100, 1024
"""Discord's limits."""

SHOWN: dict[str, tuple[Callable[[str], str], int]] = {
    "a card's prompt": (texts.plain, 1000),
    "a word that is quoted": (texts.quoted, 200),
    "words that a model does not know": (lambda words: texts.not_known([words] * 9), MOST_CONTENT),
    "a job under /queue": (lambda words: texts.queue_entry(words, "Running.", 1, None), 200),
    "a thread that was deleted": (texts.thread_deleted, 1000),
    "a thread's name": (lambda words: thread_name(words), MOST_NAME),
    "a history's title": (lambda words: texts.history_title(words, 2), 1000),
    "a picture's description": (lambda words: texts.alt_text(words, 1), MOST_DESCRIPTION),
    "a sketch's description": (texts.sketch_alt_text, MOST_DESCRIPTION),
    "a preview's description": (texts.preview_alt_text, MOST_DESCRIPTION),
    "a group under /help": (lambda words: texts.group_label(words, 2), MOST_LABEL),
    "a group's description": (lambda words: texts.group_description([words, words]), MOST_LABEL),
    "a size": (texts.bad_size, MOST_CONTENT),
    "a strength": (texts.bad_strength, MOST_CONTENT),
    "a number": (lambda words: texts.not_a_number("steps", words), MOST_CONTENT),
}
UNFORMATTED = {
    name for name in SHOWN if "description" in name or name in ("a thread's name", "a group under /help")
}
"""Where Discord neither formats nor pings, so that marks stay as they were typed."""


def test_there_are_five_hundred_different_ones() -> None:
    """Of every kind, each with the word by which a log would be caught; the longest as long as Discord allows."""
    assert len(set(STRINGS)) == len(STRINGS) == COUNT
    assert all(CANARY in words for words in STRINGS)
    assert max(map(len, STRINGS)) == 4000
    assert all(any(part in words for words in STRINGS) for parts in KINDS.values() for part in parts if part)


@pytest.mark.parametrize("where", SHOWN)
def test_what_was_typed_has_no_effect_where_it_is_shown(where: str) -> None:
    """No ping, link, invitation, block, control character, turned text or tower, and within Discord's limits."""
    show, limit = SHOWN[where]
    for words in STRINGS:
        shown = show(words)

        found = set(dangers(shown)) & (VISIBLE if where in UNFORMATTED else set(dangers(shown)))
        assert not found, f"{words!r} became {shown!r}"
        assert 1 <= len(shown) <= limit
        assert shown.strip()
        shown.encode()  # halves of characters cannot be sent


def test_as_they_are_the_words_would_have_an_effect() -> None:
    """The control: each of those effects is in at least three of the raw strings."""
    found = [name for words in STRINGS for name in dangers(words)]

    assert all(found.count(name) >= 3 for name in set(found))
    assert len(set(found)) == 10


def test_what_was_typed_comes_back_as_a_block_that_nothing_ends() -> None:
    """However many backticks there are; what cannot be written or turns the text is left out, lines stay lines."""
    for words in (*STRINGS, *("`" * count for count in range(1, 12)), "a\u2028b\rc`"):
        block = texts.for_copying(words)
        typed = block.removeprefix("```\n").removesuffix("\n```")

        assert block == f"```\n{typed}\n```"
        assert "```" not in typed
        assert not VISIBLE.intersection(dangers(typed))
        assert typed.count("`") == words.count("`")
        typed.encode()
    assert texts.for_copying("a\u2028b\rc`") == "```\na\nb\nc`\n```"


OPTIONS = ("strength", "steps", "seed", "guidance", "candidates", "sampler")


def refusal(attempt: Callable[..., object], *given: object) -> str:
    try:
        attempt(*given)
    except BadOption as error:
        return str(error)
    return ""


def test_what_is_wrong_in_a_reply_is_said_without_effect() -> None:
    """The words of a reply, each option's value, a model's name and a size: a sentence that can be sent, or none."""
    sentences = []
    for words in STRINGS:
        sentences.append(refusal(parse_reply, words))
        sentences.append(refusal(parse_reply, f"{words} --model {words} --{words}"))
        sentences.append(refusal(choose_model, [model()], words))
        sentences.append(refusal(parse_shape, words))
        sentences += [refusal(read_options, {name: words}) for name in OPTIONS]

    assert len([sentence for sentence in sentences if sentence]) > 7 * COUNT
    for sentence in sentences:
        assert dangers(sentence) == []
        assert len(sentence) <= MOST_CONTENT


def test_what_cannot_be_seen_is_no_name() -> None:
    """A thread is never called by nothing, nor a card's prompt shown as a gap."""
    assert [thread_name(words) for words in ("", "  \n", "\x00")] == [texts.NAMELESS_SCENE] * 3
    assert [texts.plain(words) for words in ("\u0301\u0301", "\u200c", "\u200d \u200c")] == ["…"] * 3
    assert texts.plain("") == ""


def test_ordinary_writing_keeps_its_marks() -> None:
    """The control: accents, points, joiners and composed emoji of people's own languages stay as they are."""
    for words in ("Việt Nam", "שָׁלוֹם", "می‌خواهم", "👩‍🚀 on the moon", "क्ष", "e\u0301te\u0301"):
        assert texts.plain(words) == words
