"""The kinds of doodle, and the people who draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.emoji_art.doodles.chance import Dice, Range


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How one kind of doodle is drawn; lengths are shares of the picture's side, ranges are lowest and highest.

    share: how often. line: width of the pen; nothing when both ends are 0. stroke: width of a crayon's stroke, and gap
    how much of it stays empty. holes: the share of the fill that was never done. slip: how far the fill sits beside
    its lines. grounds: chances of a white ground, one flat colour, two bands.
    """

    share: float
    fills: bool = True
    line: Range = (0.0, 0.0)
    stroke: Range = (0.0, 0.0)
    gap: Range = (0.0, 0.0)
    holes: Range = (0.0, 0.0)
    slip: float = 0.0
    coloured_pen: float = 0.0
    grounds: tuple[float, float, float] = (0.3, 0.25, 0.45)


HABITS = {
    "blobs": Habit(share=0.3),
    "inked": Habit(share=0.2, line=(0.006, 0.02), slip=0.012, coloured_pen=0.2),
    "outlines": Habit(
        share=0.12, fills=False, line=(0.008, 0.022), coloured_pen=0.4, grounds=(0.7, 0.15, 0.15)
    ),
    "crayon": Habit(share=0.16, stroke=(0.025, 0.06), gap=(0.02, 0.3)),
    "scribble": Habit(
        share=0.1, line=(0.007, 0.016), stroke=(0.03, 0.06), gap=(0.25, 0.6), coloured_pen=0.6,
        grounds=(0.5, 0.25, 0.25),
    ),
    "patchy": Habit(
        share=0.12, line=(0.006, 0.016), holes=(0.1, 0.4), slip=0.01, coloured_pen=0.3,
        grounds=(0.45, 0.2, 0.35),
    ),
}  # fmt: skip
KINDS = tuple(HABITS)


@dataclass(frozen=True)
class Hands:
    """Who draws: one per picture. All (pictures,) but the pen's colour (pictures, 3).

    crude: 0 for somebody careful to 1 for somebody in a hurry. paint: how far colours are those of the paint program.
    The others are as in Habit.
    """

    habits: tuple[Habit, ...]
    crude: Tensor
    paint: Tensor
    vivid: Tensor
    pen: Tensor
    coloured_pen: Tensor
    slant: Tensor
    line: Tensor
    stroke: Tensor
    gap: Tensor
    holes: Tensor
    slip: Tensor

    def those(self, suit: Callable[[Habit], bool]) -> list[int]:
        """The rows with a habit that suits."""
        return [row for row, habit in enumerate(self.habits) if suit(habit)]

    def of(self, rows: list[int]) -> Hands:
        tensors = {name: value[rows] for name, value in vars(self).items() if name != "habits"}
        return Hands(habits=tuple(self.habits[row] for row in rows), **tensors)


def some_habits(count: int, dice: Dice) -> list[Habit]:
    """By their shares."""
    every = list(HABITS.values())
    weights = torch.tensor([habit.share for habit in every], device=dice.device)
    return [every[index] for index in dice.pick(weights.repeat(count, 1)).tolist()]


def some_hands(habits: Sequence[Habit], dice: Dice) -> Hands:
    """One person for each habit."""
    count = len(habits)

    def each(value: Callable[[Habit], float]) -> Tensor:
        return torch.tensor([value(habit) for habit in habits], device=dice.device)

    def within(value: Callable[[Habit], Range]) -> Tensor:
        low, high = each(lambda habit: value(habit)[0]), each(lambda habit: value(habit)[1])
        return low + (high - low) * dice.spread(count)

    return Hands(
        habits=tuple(habits),
        crude=dice.spread(count) ** 1.4,
        paint=dice.chance(count, 0.5) * dice.spread(count, within=(0.6, 1.0)),
        vivid=dice.spread(count, within=(1.0, 1.4)),
        pen=dice.spread(count, 1, within=(0.0, 0.2)) + dice.spread(count, 3, within=(0.0, 0.12)),
        coloured_pen=dice.spread(count) < each(lambda habit: habit.coloured_pen),
        slant=dice.spread(count, within=(0.0, math.pi)),
        line=within(lambda habit: habit.line),
        stroke=within(lambda habit: habit.stroke),
        gap=within(lambda habit: habit.gap),
        holes=within(lambda habit: habit.holes),
        slip=each(lambda habit: habit.slip),
    )
