"""Two servers that share a bot, and direct messages beside them; each full of things, with words of its own in them.

`A` and `B` are not told apart by anything but their words: what is said on the wrong side of the border is seen by
them, and so are pictures by their colours, which no other side has.
"""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import discord
import numpy as np
from PIL import Image
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import ChannelHandle

from tests.journeys.world import World, buttons_of, held_engine, png

Rows = dict[str, list[dict[str, Any]]]

_PLACES = ("guild_id", "channel_id", "thread_id", "log_channel_id")
_PEOPLE = ("person_id", "author_id", "owner_id", "actor_id")
_PICTURES = ("picture_id", "parent_id", "upload_id", "base_id", "result_id")
_OWN_ID = {"scene": "scene_id", "job": "job_id", "picture": "picture_id", "draft": "draft_id"}
"""What the `id` of a table is called elsewhere."""

_PICTURES_BEGIN = (b"\x89PNG", b"RIFF", b"GIF8")

_LEFT_OUT = ("sqlite_sequence", "migration")


class Side:
    """One server with a person in direct messages. `secret` is in what only they see, `name` in what others may guess.

    `you`, `other` and `friend` are members, `mod` manages it, `alone` has the bot's direct messages only.
    """

    def __init__(self, here: World, secret: str, name: str, colours: tuple[str, str]) -> None:
        self.here, self.secret, self.name, self.colours = here, secret, name, colours
        self.guild = here.env.create_guild(f"{secret} hall")
        self.channel = self.guild.create_text_channel(f"{secret}-art")
        self.log_channel = self.guild.create_text_channel(f"{secret}-log")
        manages = discord.Permissions(manage_guild=True, manage_messages=True)
        self.role = self.guild.create_role(f"{secret} managers", permissions=manages)
        self.you, self.other, self.friend = (self._member(each) for each in ("you", "other", "friend"))
        self.mod = self._member("mod", self.role)
        self.alone = here.env.create_user(f"{secret}-alone")

    @property
    def words(self) -> tuple[str, str]:
        return self.secret, self.name

    @property
    def members(self) -> tuple[MemberActor, ...]:
        return self.you, self.other, self.friend, self.mod

    @property
    def thread(self) -> ChannelHandle:
        """Of the Scene in which most happens."""
        return self.channel.threads[0]

    @property
    def cards(self) -> list[discord.Message]:
        return self.here.cards(self.thread)

    async def moderate(self) -> None:
        """Every kind of thing that only moderators write."""
        use, reason = self.mod.slash, f"{self.secret} reason"
        await use(self.channel, "log channel", channel=self.log_channel)
        await use(self.channel, "limits set", rule="steps", value="41")
        await use(self.channel, "limits set", rule="waiting-per-person", value="9", channel=self.channel)
        await use(
            self.channel, "style add", name=f"{self.name}-ink", template=f"{{prompt}}, {self.secret} ink"
        )
        await use(self.channel, "words block", word=f"{self.name}forbidden")
        await use(self.channel, "words hold", word=f"{self.name}doubtful")
        await use(self.channel, "mod warn", person=self.friend, reason=reason)
        await use(self.channel, "mod block", person=self.friend, reason=reason)

    async def draw(self) -> None:
        """A Scene with several people's pictures, pieces, a placing that is over and one in progress; others beside."""
        first, second = self.colours
        sketch = (f"{self.secret}.png", png((96, 64), first))
        await self.you.slash(
            self.channel, "sketch", image=sketch, prompt=f"{self.secret} harbour", candidates=2, strength=0.3
        )
        await self.other.send(self.thread, f"{self.secret} rounder", reply_to=self.cards[-1])
        piece = (f"{self.name}boat.png", png((40, 40), second, "RGBA"))
        await self.you.slash(self.thread, "piece", file=piece)
        await self.you.slash(self.thread, "place", piece=f"{self.name}boat")
        await self.press("Place")
        await self.you.slash(self.thread, "undo")
        await self.you.slash(self.thread, "place", piece=f"{self.name}boat")
        await self.you.slash(self.thread, "keep", on=True)
        await self.other.slash(self.channel, "imagine", prompt=f"{self.secret} alone", candidates=1)
        await self.other.slash(self.channel, "share", who="mine")
        await self.alone.slash("imagine", prompt=f"{self.secret} in private", candidates=1)

    async def ask(self) -> None:
        """Jobs that run, wait and are held, with an engine that is held; and a form that is open about a file."""
        await self.you.slash(self.thread, "imagine", prompt=f"{self.secret} running", candidates=4)
        await self.you.slash(self.thread, "imagine", prompt=f"{self.secret} waiting", candidates=4)
        doubtful = f"{self.secret} and {self.name}doubtful"
        await self.other.slash(self.thread, "imagine", prompt=doubtful, candidates=1)
        await self.alone.slash("imagine", prompt=f"{self.secret} waits in private", candidates=1)
        drawn = next(card for card in self.cards if card.attachments)
        made = next(file for file in drawn.attachments if file.filename.startswith("moonsketch-"))
        sent = await self.you.send(self.thread, "look", attachments=[("made.png", await made.read())])
        shown = await self.you.context_menu(self.thread, "Show recipe", sent)
        self.offer = shown._interaction.id

    async def press(self, label: str) -> None:
        """On the newest message that has such a button."""
        message = next(each for each in reversed(self.cards) if label in buttons_of(each))
        await self.you.click(message, custom_id=buttons_of(message)[label])

    def _member(self, name: str, *roles: Any) -> MemberActor:
        return self.guild.add_member(self.here.env.create_user(f"{self.secret}-{name}"), roles=list(roles))


async def two_sides(here: World) -> tuple[Side, Side]:
    """A and B, and whatever of them runs or waits stays so."""
    a = Side(here, "quokkarine", "wombatine", ("#c81e96", "#2ac8e6"))
    b = Side(here, "numbatonic", "bilbyesque", ("#1e7832", "#e6c832"))
    for side in (a, b):
        await side.moderate()
        await side.draw()
    here._make_engine = held_engine
    await here.restart()
    for side in (a, b):
        await side.ask()
    return a, b


# What is stored


class Ids(NamedTuple):
    """Of the records of one side; names are those of their columns elsewhere."""

    scene_id: frozenset[int]
    job_id: frozenset[int]
    picture_id: frozenset[int]
    draft_id: frozenset[int]
    nonce: frozenset[str]
    people: frozenset[int]
    places: frozenset[int]
    messages: frozenset[int]

    @property
    def snowflakes(self) -> frozenset[str]:
        """Ids that Discord gave: mentions and links are made of them."""
        return frozenset(map(str, self.people | self.places | self.messages))


def rows_in(folder: Path) -> Rows:
    """Everything that the database holds, by table; read beside the bot."""
    with closing(sqlite3.connect(folder / "moonsketch.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')]
            for table in sorted(tables)
            if table not in _LEFT_OUT
        }


def ids_of(side: Side, rows: Rows) -> Ids:
    places = {side.guild.id, side.alone.dm_channel.id}
    places |= {channel.id for channel in (side.channel, side.log_channel, *side.channel.threads)}
    scenes = {row["id"] for row in rows["scene"] if row["channel_id"] in places}
    of_scenes = {
        table: frozenset(row["id"] for row in rows[table] if row["scene_id"] in scenes)
        for table in ("job", "picture", "draft")
    }
    return Ids(
        scene_id=frozenset(scenes),
        job_id=of_scenes["job"],
        picture_id=of_scenes["picture"],
        draft_id=of_scenes["draft"],
        nonce=frozenset(row["nonce"] for row in rows["post"] if row["channel_id"] in places),
        people=frozenset([*(member.id for member in side.members), side.alone.id]),
        places=frozenset(places),
        messages=frozenset(id for place in places for id in side.here.env.backend.messages.get(place, ())),
    )


def belonging_to(ids: Ids, rows: Rows) -> Rows:
    """The rows of one side, and those of tables that are nobody's: whatever names a record, a person or a place of it.

    What a server notes of a person of another one is its own.
    """
    return {table: [row for row in of_table if _is_of(ids, table, row)] for table, of_table in rows.items()}


def _is_of(ids: Ids, table: str, row: dict[str, Any]) -> bool:
    if row.get("guild_id"):
        return row["guild_id"] in ids.places
    named = [
        *((row[name], ids.places) for name in _PLACES if name in row),
        *((row[name], ids.people) for name in _PEOPLE if name in row),
        *((row[name], ids.picture_id) for name in _PICTURES if name in row),
        *((row[name], getattr(ids, name)) for name in (*Ids._fields[:5],) if name in row),
    ]
    if table in _OWN_ID:
        named.append((row["id"], getattr(ids, _OWN_ID[table])))
    return not named or any(value in of for value, of in named)


# What Discord shows


def messages_of(side: Side) -> dict[int, dict[str, Any]]:
    """Every message of that side as it stands in Discord, also in its people's direct messages."""
    backend = side.here.env.backend
    people = (*(member.id for member in side.members), side.alone.id)
    direct = [backend.dm_channels[person] for person in people if person in backend.dm_channels]
    channels = [
        side.channel.id,
        side.log_channel.id,
        *(thread.id for thread in side.channel.threads),
        *direct,
    ]
    return {
        message.id: dict(serializers.message_payload(backend, message))
        for channel in channels
        for message in backend.messages.get(channel, {}).values()
    }


def words_in(data: bytes) -> str:
    """All that can be read in a file: in it, in what a picture says of itself, and in the files of a zip."""
    found = [data.decode("latin-1")]
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            found += [f"{name} {words_in(packed.read(name))}" for name in packed.namelist()]
    elif data.startswith(_PICTURES_BEGIN):
        with Image.open(io.BytesIO(data)) as image:
            found.append(str(image.info))
    return " ".join(found)


def frames_of(data: bytes) -> Iterator[np.ndarray[Any, Any]]:
    with Image.open(io.BytesIO(data)) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            yield np.asarray(image.convert("RGB").resize((48, 48), Image.Resampling.NEAREST)).astype(int)


def shows_colour(data: bytes, colours: np.ndarray[Any, Any], near: int = 6) -> bool:
    """Is more than a twentieth of a picture of one of these colours (rows of red, green, blue)?"""
    if not data.startswith(_PICTURES_BEGIN):
        return False
    for pixels in frames_of(data):
        apart = np.abs(pixels.reshape(-1, 1, 3) - colours.reshape(1, -1, 3)).max(axis=2)
        if ((apart <= near).mean(axis=0) > 0.05).any():
            return True
    return False


def colours_of(folder: Path, rows: Rows) -> np.ndarray[Any, Any]:
    """What most of each picture is painted with."""
    found = set()
    for row in rows["picture"]:
        pixels = next(frames_of((folder / "pictures" / row["file"][:2] / row["file"]).read_bytes()))
        values, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
        found.add(tuple(int(value) for value in values[counts.argmax()]))
    return np.array(sorted(found))
