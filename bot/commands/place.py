"""/place: pieces onto the current picture. What comes of it is shown first, and free of charge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot import texts
from bot.asker import Asker
from bot.scene.placement import Placement

if TYPE_CHECKING:
    from bot.client import ArtBot

_FRONT, _BACK = "front", "back"


@app_commands.command(description="Lay a piece over your current picture; buttons then move it")
@app_commands.describe(
    piece="The name of a piece, or any picture of this Scene as #3; without it the one being placed",
    at="Where: a cell like B2, words like top left, or percents like 30%,40%",
    size="How wide it is, in percent of the picture's width",
    turn="How far it is turned clockwise, in degrees",
    flip="Mirror it",
    opacity="In percent: 100 hides what is below, 50 lets it shine through",
    feather="How softly its edge fades, in percent of its shorter side",
    order="Over the other pieces (front) or under them (back)",
)
@app_commands.choices(order=[app_commands.Choice(name=each, value=each) for each in (_FRONT, _BACK)])
async def place(
    interaction: discord.Interaction[ArtBot],
    piece: app_commands.Range[str, 1, 100] | None = None,
    at: app_commands.Range[str, 1, 100] | None = None,
    size: app_commands.Range[float, 1, 400] | None = None,
    turn: app_commands.Range[float, -360, 360] | None = None,
    flip: bool | None = None,
    opacity: app_commands.Range[float, 5, 100] | None = None,
    feather: app_commands.Range[float, 0, 50] | None = None,
    order: str | None = None,
) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    wanted = Placement(
        at=at,
        width=_share(size),
        turn=turn,
        flip=flip,
        opacity=_share(opacity),
        feather=_share(feather),
        to_front=None if order is None else order == _FRONT,
    )
    sentence = await interaction.client.placing.place(Asker.of(interaction), piece, wanted)
    await interaction.edit_original_response(content=sentence)


@place.autocomplete("piece")
async def complete_piece(
    interaction: discord.Interaction[ArtBot], current: str
) -> list[app_commands.Choice[str]]:
    """The newest first. Of two pieces of one name the value tells which is meant."""
    asker = Asker.of(interaction)
    here = await interaction.client.store.scene_of_thread(asker.place.id)
    choices = []
    for owned in await interaction.client.pieces.offered(asker, current.strip()):
        picture = owned.picture
        is_here = here is not None and picture.scene_id == here.id
        where = texts.piece_whereabouts(picture.number, owned.scene_title, is_here=is_here)
        name = texts.name_of(picture)
        choices.append(
            app_commands.Choice(name=texts.piece_choice(name, where), value=f"{name} (p{picture.id})")
        )
    return choices


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
