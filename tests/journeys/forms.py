"""Forms as people meet them: what stands in the fields when one opens, and sending it."""

from __future__ import annotations

from typing import Any

from simcord.actors import MemberActor
from simcord.results import InteractionResult


def fields(shown: InteractionResult) -> dict[str, str]:
    """custom_id → what stands in it, of every text field of the form that was opened."""
    return {field["custom_id"]: field.get("value") or "" for field in _controls(shown) if field["type"] == 4}


def labels(shown: InteractionResult) -> list[str]:
    assert shown.modal is not None
    return [label["label"] for label in shown.modal["components"]]


async def send(who: MemberActor, shown: InteractionResult, **changed: Any) -> InteractionResult:
    """Change some fields and send the form; the others stay as they were."""
    return await who.submit_modal(shown, fields(shown) | changed)


def _controls(shown: InteractionResult) -> list[dict[str, Any]]:
    assert shown.modal is not None
    return [label["component"] for label in shown.modal["components"]]
