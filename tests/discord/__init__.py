"""Discord as the tests see it: its limits, its description of its API, and a fake of it that outlives a bot.

openapi   request bodies against Discord's OpenAPI description
limits    what that description does not say: sizes, counts, nonces
watch     both of them, listening to a simcord environment
world     people, channels, messages and the events they cause
server    that world behind HTTP and a gateway, for bots in a process of their own that may be killed
launch    starts such a bot with its addresses pointed at the server
"""
