"""What can go wrong in the engine, split by whose fault it is and whether one may go on.

::

    EngineError                 str() is a sentence fit to show; details go to the log
    ├── BadRequest              the request cannot be drawn by anybody: say so, do not try again
    │   └── UnknownModel        no model of that name is configured
    ├── RequestFailed           this request failed, the engine goes on: do not try again by itself
    │   ├── RequestKillsWorker  the worker died twice while it ran this request alone
    │   ├── Unsafe              the picture to start from is not safe enough for the place it is for
    │   └── CheckFailed         the safety check itself failed, so the result was not let out
    └── EngineUnavailable       nobody's request is at fault: keep it and wait
        ├── ModelUnavailable    the model or the safety checker cannot be loaded (missing folder, damaged weights)
        └── EngineClosed        the engine was closed while the request ran
"""

from __future__ import annotations


class EngineError(Exception):
    """Base of everything the engine raises on purpose."""


class BadRequest(EngineError, ValueError):
    """The request itself is wrong. (A ValueError, so that decoding an invalid record fails as such.)"""


class UnknownModel(BadRequest):
    """The request names a model that is not configured."""


class RequestFailed(EngineError):
    """The engine could not draw this request; other requests are unharmed."""


class RequestKillsWorker(RequestFailed):
    """The worker died twice while this request was the only one it ran."""


class Unsafe(RequestFailed):
    """The safety check found the picture to start from unsafe, and the request came with Strictness.BLOCK.

    category: what was found, in a word.
    """

    def __init__(self, sentence: str, category: str) -> None:
        super().__init__(sentence)
        self.category = category


class CheckFailed(RequestFailed):
    """The safety check gave no verdict. A picture that was not checked is not let out; other requests are unharmed."""


class EngineUnavailable(EngineError):
    """The engine cannot draw now; the request is as good as before."""


class ModelUnavailable(EngineUnavailable):
    """The model's folder is missing, damaged or of a family that is not supported; or the safety checker's is."""


class EngineClosed(EngineUnavailable):
    """The engine was closed while the request ran."""


def as_named(kind: str, sentence: str, category: str = "") -> EngineError:
    """What a worker said of a request, as the error whose class it named."""
    if kind == Unsafe.__name__:
        return Unsafe(sentence, category)
    kinds = {kind.__name__: kind for kind in (BadRequest, ModelUnavailable, CheckFailed)}
    return kinds.get(kind, RequestFailed)(sentence)
