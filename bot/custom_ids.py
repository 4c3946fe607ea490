"""The custom_ids of buttons and selects (Discord allows 100 characters)::

    art:<action>:<job>:<candidate>     candidate 0: the presser's own pick on that card, else candidate 1
    art:history:<scene>:0              the select under /history; its values are picture ids
    art:help:<model>:0                 the select under /help; its values are numbers of pages
    art:queue:<job>:0                  a Cancel button under /queue
    art:more:<job>:0                   the select on a card
    art:form:<what>:<how>              a form, and the button that opens it again; what: p<picture> or m<offer>
    art:erase:<what>:<step>            Delete, and "for good"; what: j<job> (its card) or p<picture>
    art:share:<whom>:0                 the buttons under /share

Everything else is looked up when the button is pressed: in the store, or for /help in the list of models.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from bot.store.records import Shares


class Action(StrEnum):
    PICK = "pick"
    AGAIN = "again"
    SUBTLE = "subtle"
    STRONG = "strong"
    CANCEL = "cancel"
    REFINE = "refine"


class How(StrEnum):
    """What a form asks for: a first sketch's freedom, or to go on from a picture somebody liked."""

    SKETCH = "sketch"
    REFINE = "refine"


class Step(StrEnum):
    """Deleting takes two presses."""

    ASK = "ask"
    YES = "yes"


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

BUTTON_TEMPLATE = rf"art:(?P<action>{'|'.join(Action)}):(?P<job>[0-9]{{1,18}}):(?P<candidate>[0-9]{{1,2}})"
HISTORY_TEMPLATE = rf"art:{HISTORY}:(?P<scene>[0-9]{{1,18}}):0"
HELP_TEMPLATE = rf"art:{HELP}:(?P<model>[a-z0-9._-]{{1,32}}):0"
QUEUE_TEMPLATE = rf"art:{QUEUE}:(?P<job>[0-9]{{1,18}}):0"
MORE_TEMPLATE = rf"art:{MORE}:(?P<job>[0-9]{{1,18}}):0"
FORM_TEMPLATE = rf"art:{FORM}:(?P<kind>[pm])(?P<id>[0-9]{{1,20}}):(?P<how>{'|'.join(How)})"
ERASE_TEMPLATE = rf"art:{ERASE}:(?P<kind>[jp])(?P<id>[0-9]{{1,18}}):(?P<step>{'|'.join(Step)})"
SHARE_TEMPLATE = rf"art:{SHARE}:(?P<whom>{'|'.join(Shares)}):0"


def button_id(action: Action, job_id: int, candidate: int = 0) -> str:
    return f"art:{action}:{job_id}:{candidate}"


def history_id(scene_id: int) -> str:
    return f"art:{HISTORY}:{scene_id}:0"


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


def names_job(custom_id: str, job_id: int) -> bool:
    """Does a component with this custom_id belong to that job's card?"""
    match = re.fullmatch(BUTTON_TEMPLATE, custom_id)
    return match is not None and int(match["job"]) == job_id
