"""The one way in which a channel changes: a write, its place in the log, the transaction that makes it true, the news.

Owns: the offsets of every channel, and what was committed and not yet told. Forgets nothing that it answered: what it
had not told or carried out when it died is in the outbox and in the effects, for the sweepers of any webapp. Bounds:
writes that wait in a lane and for how long (`committer`), drafts and effects of a write (`log`), events that wait to be
published (`publisher`).

| where | what |
|---|---|
| log.py | what a write is, and what becomes of it |
| plan.py | the rules, pure: which offset, ts and rows each write gets |
| guarded.py, changes.py | what a batch has to know of what is there: for its guards, for what it alters |
| committer.py, pace.py | group commit; how long the next one would wait |
| aftermath.py | what follows a commit, in order: caches forget, events go out, writers are told |
| effects.py, emoji_step.py, mentions.py | what follows from a write in other keyspaces |
| publisher.py, admin_link.py | the way of events to their owners |
| sweeping.py | what others have left behind |
"""
