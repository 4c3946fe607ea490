"""Door 1: slash commands, one file per thing people do. Each acknowledges, calls `doors` and shows the answer."""

from typing import Any

from discord import app_commands

from bot.commands.about import about
from bot.commands.help import help_command
from bot.commands.history import history
from bot.commands.imagine import imagine
from bot.commands.limits import LimitsCommands
from bot.commands.menus import refine_this_picture, use_as_sketch
from bot.commands.queue import queue
from bot.commands.share import share
from bot.commands.sketch import sketch


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    tree.add_command(sketch)
    tree.add_command(imagine)
    tree.add_command(history)
    tree.add_command(queue)
    tree.add_command(share)
    tree.add_command(use_as_sketch)
    tree.add_command(refine_this_picture)
    tree.add_command(help_command)
    tree.add_command(about)
    tree.add_command(LimitsCommands())
