"""The custom_ids of buttons and selects (Discord allows 100 characters)::

    art:<action>:<job>:<candidate>     candidate 0: the presser's own pick on that card, else candidate 1
    art:history:<scene>:<page>         the select under /history; its values are picture ids, or p<page>
    art:step:<scene>:<way>             Undo and Redo below the answer to one
    art:show:<picture>:0               posts that picture, so that it can be replied to
    art:help:<model>:0                 the select under /help; its values are numbers of pages
    art:queue:<job>:0                  a Cancel button under /queue
    art:more:<job>:0                   the select on a card
    art:form:<what>:<how>              a form, and the button that opens it again; what: p<picture>, m<offer> or
                                       d<draft>
    art:erase:<what>:<step>            Delete, and "for good"; what: j<job> (its card) or p<picture>
    art:share:<whom>:0                 the buttons under /share
    art:grid:<picture>:0               shows a picture under its grid, to name the part that is to be drawn anew
    art:which:<message>:<picture>      which picture the file of somebody's message is an edited copy of; 0: of none
    art:draft:<draft>:<press>          the buttons under a placing in progress
    art:place:<picture>:0              begins to place that picture onto another
    art:fill:<picture>:<left>.<top>    draws what an extended picture has beyond the old one, which lies there in it
    art:forget:<person>:<answer>       the buttons under /forget-me
    art:keep:<scene>:<on or off>       the button under /keep
    art:pieces:0:0                     the select under /pieces; its values are picture ids
    art:line:0:0                       Refresh under /line; whose line, the interaction says
    art:hold:<job>:<ruling>            a moderator's decision about a job that waits for one
    art:log:<person>:<page>            Newer and Older under /log show; person 0: everybody

Everything else is looked up when the button is pressed: in the store, or for /help in the list of models.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from bot.store.records import Named, Shares


class Action(StrEnum):
    PICK = "pick"
    AGAIN = "again"
    SUBTLE = "subtle"
    STRONG = "strong"
    CANCEL = "cancel"
    REFINE = "refine"
    WHOLE = "whole"
    HARMONISE = "harmonise"
    PLACE = "lay"  # art:place names a picture


class How(StrEnum):
    """What a form asks for: a first sketch's freedom, to go on from a picture somebody liked, or to draw a part of it
    anew; or to harmonise it: only the seams of what was placed, or all of it."""

    SKETCH = "sketch"
    REFINE = "refine"
    REPAINT = "repaint"
    SEAMS = "seams"
    WHOLE = "whole"

    @property
    def harmonises(self) -> bool:
        return self in (How.SEAMS, How.WHOLE)


class Step(StrEnum):
    """Deleting takes two presses."""

    ASK = "ask"
    YES = "yes"


class Press(StrEnum):
    """What the buttons under a placing in progress do: most move the selected piece."""

    LEFT = "left"
    UP = "up"
    DOWN = "down"
    RIGHT = "right"
    UNDO = "undo"
    SMALLER = "smaller"
    BIGGER = "bigger"
    TURN_LEFT = "ccw"
    TURN_RIGHT = "cw"
    FLIP = "flip"
    CUT_OUT = "cut"
    FRONT = "front"
    BACK = "back"
    NEXT = "next"
    REMOVE = "remove"
    PLACE = "place"
    DISCARD = "discard"


class Way(StrEnum):
    """Along the way that led to one's current picture."""

    UNDO = "undo"
    REDO = "redo"


class Answer(StrEnum):
    """To the question whether everything is to be forgotten."""

    ZIP = "zip"
    YES = "yes"
    NO = "no"


class Ruling(StrEnum):
    """About a job that waits for a moderator."""

    THROUGH = "through"
    REFUSE = "refuse"


class Target(NamedTuple):
    """What somebody wants to delete: a job's whole card, or one picture."""

    job_id: int = 0
    picture_id: int = 0


HISTORY = "history"
HELP = "help"
QUEUE = "queue"
MORE = "more"
FORM = "form"
ERASE = "erase"
SHARE = "share"
GRID = "grid"
WHICH = "which"
STEP = "step"
SHOW = "show"
DRAFT = "draft"
PLACE = "place"
PIECES = "pieces"
LINE = "line"
FILL = "fill"
FORGET = "forget"
KEEP = "keep"
LOG = "log"
HOLD = "hold"

_SNOWFLAKE = "[0-8]?[0-9]{1,18}"
"""An id of Discord's. The store holds numbers below 2^63; theirs reach that only in the year 2083."""

BUTTON_TEMPLATE = rf"art:(?P<action>{'|'.join(Action)}):(?P<job>[0-9]{{1,18}}):(?P<candidate>[0-9]{{1,2}})"
HISTORY_TEMPLATE = rf"art:{HISTORY}:(?P<scene>[0-9]{{1,18}}):(?P<page>[0-9]{{1,6}})"
HELP_TEMPLATE = rf"art:{HELP}:(?P<model>[a-z0-9._-]{{1,32}}):0"
QUEUE_TEMPLATE = rf"art:{QUEUE}:(?P<job>[0-9]{{1,18}}):0"
FILL_TEMPLATE = rf"art:{FILL}:(?P<picture>[0-9]{{1,18}}):(?P<left>[0-9]{{1,4}})\.(?P<top>[0-9]{{1,4}})"
MORE_TEMPLATE = rf"art:{MORE}:(?P<job>[0-9]{{1,18}}):0"
_SUITABLE = r"(?=p|m[0-9]+:(?:sketch|refine)$|d[0-9]+:(?:seams|whole)$)"
"""A file in a message can only be begun with, a Draft only be placed and harmonised."""

FORM_TEMPLATE = rf"art:{FORM}:{_SUITABLE}(?P<kind>[pmd])(?P<id>{_SNOWFLAKE}):(?P<how>{'|'.join(How)})"
ERASE_TEMPLATE = rf"art:{ERASE}:(?P<kind>[jp])(?P<id>[0-9]{{1,18}}):(?P<step>{'|'.join(Step)})"
SHARE_TEMPLATE = rf"art:{SHARE}:(?P<whom>{'|'.join(Shares)}):0"
GRID_TEMPLATE = rf"art:{GRID}:(?P<picture>[0-9]{{1,18}}):0"
WHICH_TEMPLATE = rf"art:{WHICH}:(?P<message>{_SNOWFLAKE}):(?P<picture>[0-9]{{1,18}})"
DRAFT_TEMPLATE = rf"art:{DRAFT}:(?P<draft>[0-9]{{1,18}}):(?P<press>{'|'.join(Press)})"
PLACE_TEMPLATE = rf"art:{PLACE}:(?P<picture>[0-9]{{1,18}}):0"
PIECES_TEMPLATE = rf"art:{PIECES}:0:0"
LINE_TEMPLATE = rf"art:{LINE}:0:0"
STEP_TEMPLATE = rf"art:{STEP}:(?P<scene>[0-9]{{1,18}}):(?P<way>{'|'.join(Way)})"
SHOW_TEMPLATE = rf"art:{SHOW}:(?P<picture>[0-9]{{1,18}}):0"
FORGET_TEMPLATE = rf"art:{FORGET}:(?P<person>{_SNOWFLAKE}):(?P<answer>{'|'.join(Answer)})"
KEEP_TEMPLATE = rf"art:{KEEP}:(?P<scene>[0-9]{{1,18}}):(?P<how>on|off)"
HOLD_TEMPLATE = rf"art:{HOLD}:(?P<job>[0-9]{{1,18}}):(?P<ruling>{'|'.join(Ruling)})"
LOG_TEMPLATE = rf"art:{LOG}:(?P<person>{_SNOWFLAKE}):(?P<page>[0-9]{{1,6}})"


def button_id(action: Action, job_id: int, candidate: int = 0) -> str:
    return f"art:{action}:{job_id}:{candidate}"


def history_id(scene_id: int, page: int = 0) -> str:
    return f"art:{HISTORY}:{scene_id}:{page}"


def step_id(scene_id: int, way: Way) -> str:
    return f"art:{STEP}:{scene_id}:{way}"


def show_id(picture_id: int) -> str:
    return f"art:{SHOW}:{picture_id}:0"


def help_id(model: str) -> str:
    return f"art:{HELP}:{model}:0"


def queue_id(job_id: int) -> str:
    return f"art:{QUEUE}:{job_id}:0"


def more_id(job_id: int) -> str:
    return f"art:{MORE}:{job_id}:0"


def form_id(kind: str, number: int, how: How) -> str:
    return f"art:{FORM}:{kind}{number}:{how}"


def erase_id(target: Target, step: Step) -> str:
    what = f"p{target.picture_id}" if target.picture_id else f"j{target.job_id}"
    return f"art:{ERASE}:{what}:{step}"


def share_id(whom: Shares) -> str:
    return f"art:{SHARE}:{whom}:0"


def draft_id(draft: int, press: Press) -> str:
    return f"art:{DRAFT}:{draft}:{press}"


def place_id(picture_id: int) -> str:
    return f"art:{PLACE}:{picture_id}:0"


def pieces_id() -> str:
    return f"art:{PIECES}:0:0"


def line_id() -> str:
    return f"art:{LINE}:0:0"


def fill_id(picture_id: int, corner: tuple[int, int]) -> str:
    return f"art:{FILL}:{picture_id}:{corner[0]}.{corner[1]}"


def grid_id(picture_id: int) -> str:
    return f"art:{GRID}:{picture_id}:0"


def which_id(message_id: int, picture_id: int) -> str:
    return f"art:{WHICH}:{message_id}:{picture_id}"


def log_id(person_id: int | None, page: int) -> str:
    return f"art:{LOG}:{person_id or 0}:{page}"


def forget_id(person_id: int, answer: Answer) -> str:
    return f"art:{FORGET}:{person_id}:{answer}"


def hold_id(job_id: int, ruling: Ruling) -> str:
    return f"art:{HOLD}:{job_id}:{ruling}"


def keep_id(scene_id: int, *, on: bool) -> str:
    return f"art:{KEEP}:{scene_id}:{'on' if on else 'off'}"


_ABOUT = {
    **dict.fromkeys((HISTORY, STEP, KEEP), Named.SCENE),
    **dict.fromkeys((*Action, MORE, HOLD), Named.JOB),
    **dict.fromkeys((SHOW, GRID, PLACE, FILL), Named.PICTURE),
    DRAFT: Named.DRAFT,
}
_LETTERS = {"p": Named.PICTURE, "j": Named.JOB, "d": Named.DRAFT}
"""Before the id, where an action is about several kinds of records."""


def named(custom_id: str) -> tuple[Named, int] | None:
    """The record that a custom_id of ours is about. None where it is about none, or asks for the presser's own.

    Whatever is named here is only acted upon in the server that it is of. A job under /queue is not: that lists one's
    own of all servers. `art:which` names two things; the picture is looked for when it is known who asks.
    """
    match = re.fullmatch(rf"art:([a-z]+):([a-z]?)({_SNOWFLAKE}):.*", custom_id)
    what = match and (_LETTERS.get(match[2]) if match[2] else _ABOUT.get(match[1]))
    return (what, int(match[3])) if match and what else None


def names_job(custom_id: str, job_id: int) -> bool:
    """Does a component with this custom_id belong to that job's card?"""
    match = re.fullmatch(BUTTON_TEMPLATE, custom_id)
    return match is not None and int(match["job"]) == job_id
