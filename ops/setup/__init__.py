"""Make a fresh machine ready, step by step; each step is skipped when it is done and healed when it was cut short.

Everything in this folder runs before anything is installed, so it imports the standard library alone.
The rest of the project may use `binaries.py`, which knows where the system servers are.
"""
