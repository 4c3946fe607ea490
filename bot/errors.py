"""Sentences fit to show, split by what the person can do about it.

::

    Refusal                  nothing happened, nothing was charged; str() is the sentence people read
    ├── BadOption            an option or flag is wrong: correct it and send again
    ├── BadPicture           the attached file cannot be used: attach another
    ├── LimitReached         a rule of this server says no for now
    ├── NotAllowed           this person may not do this (or the bot may not, in this channel)
    └── Gone                 what a button or reply points to is no longer there

    DeliveryFailed           the job is done or stopped, but Discord will not take its message
    ├── PlaceGone            the channel or thread was deleted or is closed to the bot: do not try again
    ├── DeliveryRefused      Discord will never take this message as it is: show another
    └── DeliveryDelayed      Discord is unwell: try again later
"""

from __future__ import annotations


class Refusal(Exception):
    """Base of every 'no' that a person reads as a sentence."""


class BadOption(Refusal):
    pass


class BadPicture(Refusal):
    pass


class LimitReached(Refusal):
    pass


class NotAllowed(Refusal):
    pass


class Gone(Refusal):
    pass


class DeliveryFailed(Exception):
    """A message could not be posted or edited."""


class PlaceGone(DeliveryFailed):
    pass


class DeliveryRefused(DeliveryFailed):
    pass


class DeliveryDelayed(DeliveryFailed):
    pass
