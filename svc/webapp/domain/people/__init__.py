"""Who is there: accounts and their tokens, what people say of themselves, groups of them, and whether to disturb one.

Owns: nothing. Forgets everything between calls; a revoked token is forgotten by all caches before anybody is told.
Bounds: fields of a profile (`profile`), preferences of a person (`prefs`), members of a group (`usergroups`).

| where | what |
|---|---|
| caller.py, sessions.py | who is asking, and how that is known |
| accounts.py, bots.py | users, bots' users and their tokens |
| people.py, profile.py | profiles, pictures, who is here no longer |
| preferences.py, prefs.py, dnd.py, dnd_rules.py, presence.py | what one chose, when not to disturb one, who is active |
| usergroups.py | groups with a handle |
"""
