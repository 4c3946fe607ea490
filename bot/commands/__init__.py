"""Door 1: slash commands, one file per thing people do. Each acknowledges, calls `doors` and shows the answer."""

from typing import Any

from discord import app_commands

from bot.commands.about import about
from bot.commands.edit import EditCommands
from bot.commands.export import export
from bot.commands.forget_me import forget_me
from bot.commands.harmonise import harmonise
from bot.commands.help import help_command
from bot.commands.history import history
from bot.commands.imagine import imagine
from bot.commands.keep import keep
from bot.commands.limits import LimitsCommands
from bot.commands.line import line
from bot.commands.line_admin import LineAdminCommands
from bot.commands.log import LogCommands
from bot.commands.menus import refine_this_picture, show_recipe_menu, use_as_sketch
from bot.commands.mod import ModCommands
from bot.commands.piece import piece
from bot.commands.pieces import pieces
from bot.commands.place import place
from bot.commands.privacy import privacy
from bot.commands.queue import queue
from bot.commands.repaint import repaint
from bot.commands.share import share
from bot.commands.sketch import sketch
from bot.commands.strip import strip
from bot.commands.style import StyleCommands
from bot.commands.timelapse import timelapse
from bot.commands.undo import redo, undo
from bot.commands.usage import usage
from bot.commands.words import WordsCommands


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    tree.add_command(sketch)
    tree.add_command(imagine)
    tree.add_command(strip)
    tree.add_command(repaint)
    tree.add_command(piece)
    tree.add_command(pieces)
    tree.add_command(place)
    tree.add_command(harmonise)
    tree.add_command(history)
    tree.add_command(undo)
    tree.add_command(redo)
    tree.add_command(timelapse)
    tree.add_command(export)
    tree.add_command(queue)
    tree.add_command(line)
    tree.add_command(usage)
    tree.add_command(share)
    tree.add_command(keep)
    tree.add_command(privacy)
    tree.add_command(forget_me)
    tree.add_command(use_as_sketch)
    tree.add_command(refine_this_picture)
    tree.add_command(show_recipe_menu)
    tree.add_command(help_command)
    tree.add_command(about)
    tree.add_command(EditCommands())
    tree.add_command(StyleCommands())
    tree.add_command(LimitsCommands())
    tree.add_command(ModCommands())
    tree.add_command(LineAdminCommands())
    tree.add_command(LogCommands())
    tree.add_command(WordsCommands())
