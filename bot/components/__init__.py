"""Door 3: what people press. Buttons carry their own memory, so that they work after a restart.

The custom_id grammar (Discord allows 100 characters)::

    art:<action>:<job>:<candidate>     candidate 0: the presser's own pick on that card, else candidate 1
    art:history:<scene>:0              the select under /history; its values are picture ids

Everything else is looked up in the store when the button is pressed.
"""
