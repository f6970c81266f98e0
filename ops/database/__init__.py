"""A MariaDB and its replica: which one is the primary, whether the other has everything, and how they change places.

    parley failover            the replica becomes the primary
    parley status              who is what, and whether a loss of the primary would lose anything

- `positions.py`  what a server has: GTIDs, and what one has that another lacks; pure
- `topology.py`   where the primary is: the value that Consul's KV holds for each keyspace; pure
- `status.py`     how a server is, as values; `alarms.py` what is wrong with that; pure
- `risks.py`      what a failover could lose; pure
- `watch.py`      the last look at a primary, kept in Consul for the time when it can no longer be asked; pure
- `node.py`       asks a server; `roles.py` makes it a primary or a replica; `copy.py` gives an empty one the data
- `lookout.py`    looks at them again and again
- `directory.py`  topology and watch in Consul's KV
- `failover.py`   the change of places, from the checks to the write that proves it

The truth about who is the primary is the key `parley/mysql/<keyspace>`. Servers start read-only and are opened by
whoever runs them once that key names them; a failover changes it by compare-and-set and then opens the new primary.
"""
