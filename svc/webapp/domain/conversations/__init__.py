"""Where things are said: how conversations are made, found, joined, changed and left, and what their members put there.

Owns: nothing; `directory` says what a caller sees of them, before any other rule. Forgets everything between calls.
Bounds: names (`names`), people invited at once (`conversations`), annotations and links (`reactions`, `pins`,
`bookmarks`, `saved`).

| where | what |
|---|---|
| directory.py, permissions.py, names.py | who sees a conversation, who may change it, what it may be called |
| conversations.py, changes.py, direct.py | made, joined, left; renamed, described, archived; direct messages |
| announcements.py | what is told of all that |
| marks.py | up to where somebody has read |
| reactions.py, pins.py, bookmarks.py, saved.py | what is put on messages and on conversations |
"""
