"""Files: where their bytes lie, how they come in, and how they are given out.

Owns: the bytes of files, by workspace and id, in one folder that all webapps of an installation share. What is said of
a file (its name, its owner, who sees it) is in the workspace keyspace; the rules are in `domain/files`. Forgets:
uploads that were not completed within PENDING_S, and those of a process that died, both by a sweep.

Bytes are kept by the file's id, not by their content: to delete a file is to remove one name, nobody learns from a
faster answer what others have, and no count of who shares what can be wrong. Two copies of one picture cost twice.

Nothing half-done is seen. An upload goes to a file of its own in `incoming`, which its writer holds a lock on; when all
bytes are there they are synced, and the file gets its final name, which only the first one can take. A process that
dies loses its lock, and any webapp's sweep removes what it left. A ticket says whose upload it is, of which file and
how many bytes; it is good for some minutes, and for one upload: the same bytes again are told that they are there,
others are refused.

Given out are bytes to whoever has a token and sees the file: parts of it (ranges) too, never with a type by which a
browser would run something, and with a policy that lets it run nothing.

Bounds: bytes of one file and of a workspace, uploads and downloads at once, time of an upload, free space that is left
to others (`config`). In memory are CHUNK_BYTES a transfer, which the gate counts. At a bound the answer says which.

| where | what |
|---|---|
| storage.py, disk.py, memory.py | keeping bytes: the contract, on a disk, in memory for tests |
| tickets.py, vault.py | the right to upload one file; storage, tickets and limits together |
| uploads.py, filling.py, multipart.py | `/upload/v1/…`: bytes as they are, or within a form |
| downloads.py, ranges.py | `/files-pri/…`, and which part of a file is wanted |
| answers.py | what the two have in common |
| kinds.py, names.py, pictures.py | what a file is, by its name and first bytes; names that are safe anywhere |
| sweeping.py | what was never completed, or was deleted |
"""
