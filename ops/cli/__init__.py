"""The `parley` command: one module a verb, each with a click command named `command`.

`main.py` has the table of verbs and loads only the one that is asked for; `output.py` is how they all speak;
`target.py` is how they find the mesh.
"""
