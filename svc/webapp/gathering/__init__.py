"""Reads that many requests make at the same time, made once for all who ask meanwhile.

Owns: the asks that wait, and the reads under way for them. Forgets: everything with those who asked; nothing is kept of
what was read, so nobody gets what was read by a read that had begun before he asked.
Bounds: asks and keys that wait, keys a read, reads of a kind under way at once (`AskRules`).

| file | what |
|---|---|
| asks.py | pure: who shares which read |
| crowd.py | pure: when those who come back wait for one another |
| gatherer.py | moves them: a read is made by one of those who share it |
| reads.py | the reads that every session begins with |
"""
