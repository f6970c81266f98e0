"""Operating Parley: setting a machine up, running a mesh on it, and the `parley` command.

- `bootstrap.py`, `setup/`  make a fresh machine ready; standard library only, run by the system's Python.
- `local/`                  Consul, MariaDB, memcached and the tiers as child processes; for `parley up` and tests.
- `cli/`                    the verbs of the `parley` command, one module each.
- `dev/`                    what developers run: code generation and its drift check.

Nothing here is needed by a tier at run time: imports point from `ops` to `svc` and `discovery`, never back.
"""
