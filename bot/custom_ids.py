"""The custom_ids of buttons and selects (Discord allows 100 characters)::

    art:<action>:<job>:<candidate>     candidate 0: the presser's own pick on that card, else candidate 1
    art:history:<scene>:0              the select under /history; its values are picture ids
    art:help:<model>:0                 the select under /help; its values are numbers of pages
    art:queue:<job>:0                  a Cancel button under /queue

Everything else is looked up when the button is pressed: in the store, or for /help in the list of models.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Action(StrEnum):
    PICK = "pick"
    AGAIN = "again"
    SUBTLE = "subtle"
    STRONG = "strong"
    CANCEL = "cancel"


HISTORY = "history"
HELP = "help"
QUEUE = "queue"

BUTTON_TEMPLATE = rf"art:(?P<action>{'|'.join(Action)}):(?P<job>[0-9]{{1,18}}):(?P<candidate>[0-9]{{1,2}})"
HISTORY_TEMPLATE = rf"art:{HISTORY}:(?P<scene>[0-9]{{1,18}}):0"
HELP_TEMPLATE = rf"art:{HELP}:(?P<model>[a-z0-9._-]{{1,32}}):0"
QUEUE_TEMPLATE = rf"art:{QUEUE}:(?P<job>[0-9]{{1,18}}):0"


def button_id(action: Action, job_id: int, candidate: int = 0) -> str:
    return f"art:{action}:{job_id}:{candidate}"


def history_id(scene_id: int) -> str:
    return f"art:{HISTORY}:{scene_id}:0"


def help_id(model: str) -> str:
    return f"art:{HELP}:{model}:0"


def queue_id(job_id: int) -> str:
    return f"art:{QUEUE}:{job_id}:0"


def names_job(custom_id: str, job_id: int) -> bool:
    """Does a component with this custom_id belong to that job's card?"""
    match = re.fullmatch(BUTTON_TEMPLATE, custom_id)
    return match is not None and int(match["job"]) == job_id
