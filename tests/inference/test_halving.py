"""Work that does not fit is done in halves: the arithmetic of it, without torch."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from inference.halving import in_parts


class Memory:
    """Holds so many items at once; an item over 100 never fits. Notes the size of each part that was tried."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def doubled(self, items: Sequence[int], most: int) -> list[int] | None:
        assert len(items) <= most
        self.tried.append(len(items))
        if len(items) > self.room or max(items) > 100:
            return None
        return [2 * item for item in items]


def test_what_fits_is_computed_at_once() -> None:
    """No part is smaller than it has to be."""
    memory = Memory(room=8)

    assert in_parts(range(8), 8, memory.doubled) == ([0, 2, 4, 6, 8, 10, 12, 14], 8)
    assert memory.tried == [8]


def test_parts_are_halved_until_they_fit_and_stay_so() -> None:
    """What has been found too large is not tried again."""
    memory = Memory(room=3)

    results, most = in_parts(range(16), 16, memory.doubled)

    assert results == list(range(0, 32, 2))
    assert most == 2
    assert memory.tried == [16, 8, 4, *[2] * 8]


def test_an_item_that_never_fits_is_left_out_alone() -> None:
    """The others have their results."""
    results, most = in_parts([1, 2, 999, 4], 4, Memory(room=4).doubled)

    assert results == [2, 4, None, 8]
    assert most == 1


def test_parts_that_are_filled_up_take_the_room_of_full_ones() -> None:
    """Three items take the memory of sixteen, of eight, of four: it is the filling that is halved."""
    tried: list[int] = []

    def doubled(items: Sequence[int], most: int) -> list[int] | None:
        tried.append(most)
        return [2 * item for item in items] if most <= 4 else None

    assert in_parts([1, 2, 3], 16, doubled, filled=True) == ([2, 4, 6], 4)
    assert tried == [16, 8, 4]


def test_nothing_to_do_is_done() -> None:
    """An empty batch asks for no memory."""
    memory = Memory(room=0)

    assert in_parts([], 4, memory.doubled) == ([], 4)
    assert memory.tried == []


@given(st.lists(st.integers(0, 120), max_size=40), st.integers(1, 20), st.integers(1, 20))
def test_whoever_fits_alone_has_a_result(items: list[int], most: int, room: int) -> None:
    """Whatever the room, exactly those are left out that do not fit alone, and all keep their places."""
    results, came_down_to = in_parts(items, most, Memory(room).doubled)

    assert results == [2 * item if item <= 100 else None for item in items]
    assert 1 <= came_down_to <= most
