"""What an edge knows of conversations: how far they have come, and who is in them.

Both are read from the webapp when somebody first asks, and told by the conversation's events from then on; both are
answered from only while the edge would have heard of a change (`svc.edge.freshness`).

Owns: activity of at most `conversations_max` conversations, members of as many as `members_max` leaves room for.
Forgets: the idlest for want of room, and whatever events can never be had of; it is read again when it is asked for.

| file | what |
|---|---|
| table.py, rosters.py | pure: heads and newest messages by conversation; sorted ids of members |
| asking.py | one read of the webapp at a time, shared by all who ask meanwhile |
| activity.py, members.py | the shells: read, follow, answer |
"""
