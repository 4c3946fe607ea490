"""What buttons remember of themselves."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.custom_ids import (
    BUTTON_TEMPLATE,
    DRAFT_TEMPLATE,
    ERASE_TEMPLATE,
    FILL_TEMPLATE,
    FORGET_TEMPLATE,
    FORM_TEMPLATE,
    GRID_TEMPLATE,
    HELP_TEMPLATE,
    HISTORY_TEMPLATE,
    HOLD_TEMPLATE,
    LOG_TEMPLATE,
    MORE_TEMPLATE,
    PIECES_TEMPLATE,
    PLACE_TEMPLATE,
    QUEUE_TEMPLATE,
    SHARE_TEMPLATE,
    SHOW_TEMPLATE,
    STEP_TEMPLATE,
    WHICH_TEMPLATE,
    Action,
    How,
    Press,
    Ruling,
    Step,
    Target,
    Way,
    button_id,
    draft_id,
    erase_id,
    fill_id,
    form_id,
    grid_id,
    help_id,
    history_id,
    hold_id,
    keep_id,
    log_id,
    more_id,
    named,
    names_job,
    pieces_id,
    place_id,
    queue_id,
    share_id,
    show_id,
    step_id,
    which_id,
)
from bot.store import Named, Shares

TEMPLATES = (
    BUTTON_TEMPLATE,
    HISTORY_TEMPLATE,
    HELP_TEMPLATE,
    QUEUE_TEMPLATE,
    MORE_TEMPLATE,
    FORM_TEMPLATE,
    ERASE_TEMPLATE,
    SHARE_TEMPLATE,
    FILL_TEMPLATE,
    GRID_TEMPLATE,
    WHICH_TEMPLATE,
    DRAFT_TEMPLATE,
    PLACE_TEMPLATE,
    PIECES_TEMPLATE,
    SHOW_TEMPLATE,
    STEP_TEMPLATE,
    LOG_TEMPLATE,
    HOLD_TEMPLATE,
)

GREATEST_ID = 10**18 - 1
LONGEST = 100
"""Discord's limit."""

ids = st.integers(1, GREATEST_ID)
snowflakes = st.integers(1, 9 * 10**18 - 1)
models = st.from_regex("[a-z0-9][a-z0-9._-]{0,31}", fullmatch=True)


@given(action=st.sampled_from(Action), job=ids, candidate=st.integers(0, 99))
def test_a_button_is_read_as_it_was_written(action: Action, job: int, candidate: int) -> None:
    """Every action, job and candidate comes back, in a length that Discord takes."""
    written = button_id(action, job, candidate)

    match = re.fullmatch(BUTTON_TEMPLATE, written)
    assert match is not None
    assert (match["action"], int(match["job"]), int(match["candidate"])) == (action, job, candidate)
    assert len(written) <= LONGEST


@given(picture=ids, left=st.integers(0, 4096), top=st.integers(0, 4096))
def test_a_fill_button_is_read_as_it_was_written(picture: int, left: int, top: int) -> None:
    """The picture and where the old one lies in it come back, in a length that Discord takes."""
    written = fill_id(picture, (left, top))

    match = re.fullmatch(FILL_TEMPLATE, written)
    assert match is not None
    assert (int(match["picture"]), int(match["left"]), int(match["top"])) == (picture, left, top)
    assert len(written) <= LONGEST


@given(scene=ids, page=st.integers(0, 10**6 - 1))
def test_a_history_select_is_read_as_it_was_written(scene: int, page: int) -> None:
    """The Scene and the page come back, in a length that Discord takes."""
    written = history_id(scene, page)

    match = re.fullmatch(HISTORY_TEMPLATE, written)
    assert match is not None
    assert (int(match["scene"]), int(match["page"])) == (scene, page)
    assert len(written) <= LONGEST


@given(person=ids | st.none(), page=st.integers(1, 10**6 - 1))
def test_a_page_of_the_log_is_read_as_it_was_written(person: int | None, page: int) -> None:
    """Whom it is about and the page come back, in a length that Discord takes."""
    written = log_id(person, page)

    match = re.fullmatch(LOG_TEMPLATE, written)
    assert match is not None
    assert (int(match["person"]) or None, int(match["page"])) == (person, page)
    assert len(written) <= LONGEST


@given(number=ids, way=st.sampled_from(Way))
def test_the_buttons_of_a_step_are_read_as_they_were_written(number: int, way: Way) -> None:
    """The Scene and the way, or the picture, come back, in a length that Discord takes."""
    stepping, showing = step_id(number, way), show_id(number)

    step, show = re.fullmatch(STEP_TEMPLATE, stepping), re.fullmatch(SHOW_TEMPLATE, showing)
    assert step is not None
    assert show is not None
    assert (int(step["scene"]), step["way"], int(show["picture"])) == (number, way, number)
    assert max(len(stepping), len(showing)) <= LONGEST


@given(job=ids)
def test_a_button_under_queue_is_read_as_it_was_written(job: int) -> None:
    """The job comes back, in a length that Discord takes; it is no button of that job's card."""
    written = queue_id(job)

    match = re.fullmatch(QUEUE_TEMPLATE, written)
    assert match is not None
    assert int(match["job"]) == job
    assert not names_job(written, job)
    assert len(written) <= LONGEST


@given(number=snowflakes, kind=st.sampled_from("pmd"), how=st.sampled_from(How))
def test_a_form_is_read_as_it_was_written(number: int, kind: str, how: How) -> None:
    """What it is about comes back, if it can be about that; interactions are numbered higher than anything of ours."""
    suitable = {"p": set(How), "m": {How.SKETCH, How.REFINE}, "d": {How.SEAMS, How.WHOLE}}
    assume(how in suitable[kind])
    written = form_id(kind, number, how)

    match = re.fullmatch(FORM_TEMPLATE, written)
    assert match is not None
    assert (match["kind"], int(match["id"]), match["how"]) == (kind, number, how)
    assert len(written) <= LONGEST


@given(number=st.integers(1, GREATEST_ID), step=st.sampled_from(Step), card=st.booleans())
def test_a_delete_button_is_read_as_it_was_written(number: int, step: Step, card: bool) -> None:
    """A card and a picture of the same number are two things."""
    written = erase_id(Target(job_id=number) if card else Target(picture_id=number), step)

    match = re.fullmatch(ERASE_TEMPLATE, written)
    assert match is not None
    assert (match["kind"], int(match["id"]), match["step"]) == ("j" if card else "p", number, step)
    assert len(written) <= LONGEST


@given(picture=ids)
def test_a_grid_button_is_read_as_it_was_written(picture: int) -> None:
    """The picture comes back, in a length that Discord takes."""
    written = grid_id(picture)

    match = re.fullmatch(GRID_TEMPLATE, written)
    assert match is not None
    assert int(match["picture"]) == picture
    assert len(written) <= LONGEST


@given(message=snowflakes, picture=st.integers(0, GREATEST_ID))
def test_an_answer_about_a_copy_is_read_as_it_was_written(message: int, picture: int) -> None:
    """Whose message it is about and which picture it names come back; 0 is none."""
    written = which_id(message, picture)

    match = re.fullmatch(WHICH_TEMPLATE, written)
    assert match is not None
    assert (int(match["message"]), int(match["picture"])) == (message, picture)
    assert len(written) <= LONGEST


@given(model=models)
def test_a_help_select_is_read_as_it_was_written(model: str) -> None:
    """Whatever a model may be called comes back, in a length that Discord takes."""
    written = help_id(model)

    match = re.fullmatch(HELP_TEMPLATE, written)
    assert match is not None
    assert match["model"] == model
    assert len(written) <= LONGEST


@given(draft=ids, press=st.sampled_from(Press))
def test_a_button_of_a_placing_is_read_as_it_was_written(draft: int, press: Press) -> None:
    """The Draft and what is pressed come back, in a length that Discord takes."""
    written = draft_id(draft, press)

    match = re.fullmatch(DRAFT_TEMPLATE, written)
    assert match is not None
    assert (int(match["draft"]), match["press"]) == (draft, press)
    assert len(written) <= LONGEST


@given(picture=ids)
def test_a_place_button_is_read_as_it_was_written(picture: int) -> None:
    """The picture comes back, in a length that Discord takes."""
    written = place_id(picture)

    match = re.fullmatch(PLACE_TEMPLATE, written)
    assert match is not None
    assert int(match["picture"]) == picture
    assert len(written) <= LONGEST


@given(action=st.sampled_from(Action), number=ids, model=models | st.sampled_from(["pick", "history", "1"]))
def test_no_custom_id_is_two_things(action: Action, number: int, model: str) -> None:
    """A button is no select and a select no other one: discord.py takes the first template that fits."""
    templates = TEMPLATES
    written = (
        button_id(action, number),
        history_id(number),
        help_id(model),
        queue_id(number),
        more_id(number),
        form_id("p", number, How.REFINE),
        erase_id(Target(job_id=number), Step.ASK),
        share_id(Shares.MINE),
        fill_id(number, (number % 4097, 0)),
        grid_id(number),
        which_id(number, number),
        draft_id(number, Press.LEFT),
        place_id(number),
        pieces_id(),
        show_id(number),
        step_id(number, Way.REDO),
        log_id(number, 1),
        hold_id(number, Ruling.THROUGH),
    )

    fitting = [
        [template for template in templates if re.fullmatch(template, custom_id)] for custom_id in written
    ]
    assert fitting == [[template] for template in templates]


@pytest.mark.parametrize(
    "custom_id",
    [
        "",
        "art",
        "art:pick:1",
        "art:pick:1:2:3",
        "art:delete:1:0",
        "art:pick:-1:0",
        "art:pick:x:0",
        "art:pick:1:100",
        f"art:pick:{10**18}:0",
        "art:pick:١:0",
        "ART:pick:1:0",
        "art:pick:1:0\n",
        "art:more:1:1",
        "art:form:p1:other",
        "art:form:j1:refine",
        "art:form:p:refine",
        "art:form:d1:refine",
        "art:form:m1:whole",
        "art:draft:1:jump",
        "art:draft::left",
        "art:place:1:1",
        "art:pieces:1:0",
        "art:erase:m1:ask",
        "art:erase:j1:no",
        "art:share:nobody:0",
        "art:queue:1:1",
        "art:queue::0",
        "art:help:Moon:0",
        "art:help::0",
        f"art:help:{'x' * 33}:0",
        " art:pick:1:0",
    ],
)
def test_anything_else_is_not_ours(custom_id: str) -> None:
    """Another bot's component, or one that was tampered with, is left alone."""
    assert [template for template in TEMPLATES if re.fullmatch(template, custom_id)] == []


def test_a_card_is_known_by_its_buttons() -> None:
    """Job 12's button names job 12, not job 1 nor 2; a history select names no job at all."""
    custom_id = button_id(Action.AGAIN, 12)

    assert names_job(custom_id, 12)
    assert not names_job(custom_id, 1)
    assert not names_job(custom_id, 2)
    assert not names_job(history_id(12), 12)


@given(number=ids)
def test_a_custom_id_tells_what_it_is_about(number: int) -> None:
    """The record that has to be of the same server, and none where it is about nothing or about one's own."""
    about = {
        Named.SCENE: [history_id(number), step_id(number, Way.UNDO), keep_id(number, on=True)],
        Named.JOB: [
            *(button_id(action, number) for action in Action),
            more_id(number),
            hold_id(number, Ruling.THROUGH),
            erase_id(Target(job_id=number), Step.ASK),
        ],
        Named.PICTURE: [
            *(show_id(number), grid_id(number), place_id(number), fill_id(number, (1, 2))),
            form_id("p", number, How.REFINE),
            erase_id(Target(picture_id=number), Step.YES),
        ],
        Named.DRAFT: [draft_id(number, Press.LEFT), form_id("d", number, How.SEAMS)],
    }
    others = [
        queue_id(number),
        which_id(number, 1),
        log_id(number, 1),
        form_id("m", number, How.SKETCH),
        pieces_id(),
    ]

    assert {named(each) for each in about[Named.SCENE]} == {(Named.SCENE, number)}
    assert {named(each) for each in about[Named.JOB]} == {(Named.JOB, number)}
    assert {named(each) for each in about[Named.PICTURE]} == {(Named.PICTURE, number)}
    assert {named(each) for each in about[Named.DRAFT]} == {(Named.DRAFT, number)}
    assert {named(each) for each in (*others, help_id("flat"), "", "art", "None")} == {None}


@pytest.mark.parametrize(
    "what", ["form:p{}:refine", "log:{}:1", "which:{}:1", "forget:{}:yes", "draft:{}:left"]
)
@pytest.mark.parametrize("number", [9 * 10**18, 10**20 - 1])
def test_no_id_is_larger_than_the_store_takes(what: str, number: int) -> None:
    """SQLite's numbers end at 2^63 - 1; a forged one beyond that is nobody's."""
    written = f"art:{what.format(number)}"

    assert not any(re.fullmatch(template, written) for template in (*TEMPLATES, FORGET_TEMPLATE))
    assert named(written) is None
