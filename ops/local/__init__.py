"""A whole mesh on one machine, as child processes: what `parley up` runs, and what tests start.

    async with Mesh(MeshSpec(var=folder, tiers=counts(channel=3)), progress=print) as mesh:
        await mesh.kill("channel-az1-1")

- `mesh.py`      the front door: start all, wait until Consul says that all pass, kill and add instances
- `spec.py`      what to start: counts, zones, ports, embedded or external servers
- `consul.py`, `mariadb.py`, `memcached.py`   one embedded server each
- `databases.py`  a MariaDB and its replica, kept in their roles; `replication.py` how they are started, `remembered.py`
                  which was the primary
- `tier.py`      one instance of a tier
- `process.py`   a child process: log, readiness, end; none outlives its parent
- `ports.py`     free ports, and who has a taken one
- `state.py`     `var/mesh.json`: what other commands read

Owns nothing but the folder that it is given. `kill -9` of the owner takes every child along (Linux).
"""
