"""The models of workspaces: what is held of one, small, searched by names, and changed by events. Pure.

Owns: one `Model` a workspace, with an index of its names. Forgets: what nobody asks for (`svc.edge.workspaces`).
Bounds: `ModelLimits`; the bytes of a model are estimated by itself, and tested against what the process takes.

| file | what |
|---|---|
| model.py | a workspace's model, and the changes that keep it right |
| builder.py | a load, put together in small pieces of work |
| objects.py, numbers.py, records.py | objects in few bytes; ids as numbers; sorted records in one run of memory |
| emoji.py | custom emoji |
| changes.py | which objects changed at which offset: what deltas are made of |
| folding.py, names.py, shelf.py | names as they are compared, found by their beginnings, ranked |
"""
