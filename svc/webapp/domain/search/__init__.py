"""Search on a caller's behalf: what was typed is read, names are looked up, the index is asked, and what it says is
checked against the rows before anything is shown. `searching.py` has the rules, `parsing.py`, `dates.py` and
`highlights.py` are pure.
"""
