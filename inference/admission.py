"""Which requests the worker holds: all of them at once, until one may have killed it.

After a crash the requests that were in the batch are suspects. They run again one at a time with nobody beside them,
so that a request that kills the worker takes nobody with it. Only a death alone counts against a request.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from inference.errors import EngineError, RequestKillsWorker, as_named
from inference.messages import Submit
from inference.runner import SampleFailed
from inference.types import (
    Blob,
    ImageRequest,
    PictureRef,
    Progress,
    Restarted,
    SampleBlocked,
    SampleDone,
    Strictness,
)

DEATHS_ALLOWED = 2


@dataclass(eq=False)
class Order:
    """One request on its way. `events` is what its reader gets: in the end None, or the error it ends with.

    unfinished: samples without a result. held: the worker has it. taken: the worker has confirmed that.
    failure: why a sample of it has none.
    """

    key: int
    request: ImageRequest
    blobs: Mapping[PictureRef, Blob]
    unfinished: set[int]
    strictness: Strictness = Strictness.OFF
    events: asyncio.Queue[Progress | SampleDone | SampleBlocked | Restarted | EngineError | None] = field(
        default_factory=asyncio.Queue
    )
    held: bool = False
    taken: bool = False
    suspect: bool = False
    deaths_alone: int = 0
    failure: EngineError | None = None

    def submission(self) -> Submit:
        """What the worker is told: only the samples that have no result yet."""
        samples = tuple(sorted(self.unfinished))
        return Submit(
            key=self.key,
            request=self.request,
            samples=samples,
            blobs=dict(self.blobs),
            strictness=self.strictness,
        )

    def tell(self, event: Progress | SampleDone | SampleBlocked | SampleFailed) -> None:
        """Pass on what happened to one of its samples."""
        if event.sample not in self.unfinished:
            return
        if not isinstance(event, Progress):
            self.unfinished.discard(event.sample)
        if isinstance(event, SampleFailed):
            self.failure = as_named(event.kind, event.sentence)
        else:
            self.events.put_nowait(event)

    @property
    def done(self) -> bool:
        return not self.unfinished


class Admission:
    """Keeper of every order that is not done. See the module."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}
        self._keys = itertools.count(1)

    def enter(
        self,
        request: ImageRequest,
        blobs: Mapping[PictureRef, Blob],
        strictness: Strictness = Strictness.OFF,
    ) -> Order:
        order = Order(next(self._keys), request, blobs, set(range(len(request.seeds))), strictness)
        self._orders[order.key] = order
        return order

    def leave(self, order: Order) -> bool:
        """Forget the order; true if it was still here."""
        return self._orders.pop(order.key, None) is not None

    def end(self, order: Order, error: EngineError | None = None) -> None:
        """Forget the order and tell its reader."""
        if self.leave(order):
            order.events.put_nowait(error or order.failure)

    def end_all(self, error: EngineError) -> None:
        for order in tuple(self._orders.values()):
            self.end(order, error)

    def find(self, key: int) -> Order | None:
        """The order of that key, unless nobody waits for it any more."""
        return self._orders.get(key)

    def taken(self, keys: Collection[int]) -> None:
        """The worker has confirmed that it has these."""
        for key in keys:
            if key in self._orders:
                self._orders[key].taken = True

    @property
    def held(self) -> list[Order]:
        """The orders that the worker has."""
        return [order for order in self._orders.values() if order.held]

    def due(self) -> list[Order]:
        """The orders to hand to the worker now; the caller marks them as held."""
        suspects = [order for order in self._orders.values() if order.suspect]
        if not suspects:
            return [order for order in self._orders.values() if not order.held]
        if self.held:
            return []
        # The innocent among them first: they are done before the guilty one kills the worker again.
        return [min(suspects, key=lambda order: (order.deaths_alone, order.key))]

    def worker_died(self, blamed: Collection[int]) -> None:
        """Find the suspects among the held orders, tell every reader, and give up on a killer.

        blamed: the requests that the worker named last. If it named none, those that it never confirmed are suspects,
        because taking them up may have killed it.
        """
        held = self.held
        for order in held:
            if order.key in blamed or (not blamed and not order.taken):
                order.suspect = True
                order.deaths_alone += len(held) == 1 and set(blamed) <= {order.key}
            order.held = order.taken = False
        for order in held:
            if order.deaths_alone >= DEATHS_ALLOWED:
                self.end(
                    order,
                    RequestKillsWorker(
                        "This request has stopped the drawing process twice, so I gave it up."
                    ),
                )
            else:
                order.events.put_nowait(Restarted(alone=order.suspect))
