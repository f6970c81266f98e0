"""What is said: how a message is posted, answered, changed, removed and read, and for whom it counts as meant.

Owns: nothing; a message's rows change by writes of the log alone. Forgets everything between calls. Bounds: those of
texts (`text`), blocks (`blocks`), attachments and metadata (`posts`), and of what one page of history holds.

| where | what |
|---|---|
| posts.py, text.py, blocks.py, naming.py, links.py, when.py | what may be said, pure but for names that are looked up |
| messages.py, authorship.py, mentions.py | posting: who speaks, who is meant |
| edits.py, notes.py | changes and removals; notes that one person sees and nobody keeps |
| scheduled.py, reminders.py | what is said later |
| reading.py | history, threads, single messages, as they are shown |
"""
