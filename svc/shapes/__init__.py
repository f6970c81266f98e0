"""Slack's JSON of what the edge holds: users, channels, workspaces, emoji, and the fields of lazy queries.

Owns: nothing. Below the tiers, so that an object is the same whoever shows it: the webapp makes it from a row, by way
of the same boot model, and a gateway from what an edge answered. Bounds: a user is 1 KB of JSON and takes 10 us to
make, a channel 800 bytes and 4 us. Pure.
"""

from svc.shapes.bots import bot, icons
from svc.shapes.channels import channel
from svc.shapes.teams import emoji, team
from svc.shapes.users import profile, user

__all__ = ["bot", "channel", "emoji", "icons", "profile", "team", "user"]
