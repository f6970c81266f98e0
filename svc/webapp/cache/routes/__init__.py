"""Route handles: small objects that each know one thing about where a key lives, composed into a tree by configuration.

A handle takes keys and asks its children; the leaves are nodes. What Mcrouter does as a proxy is done here inside the
webapp: one hop less, and the lease of a miss stays with whoever loads. Source: Likhtarov et al., "Introducing mcrouter"
(2014); Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013).

Owns: the tree in force, and those that were a moment ago. Forgets: nothing that matters; the configuration is in Consul
(`parley/cache/routes`), else in default.json. Bounds: 200 handles, 8 deep; 9 trees that get deletions; 64 tasks of
shadows. A get of one key by default.json costs 0.8 us more than its node does; a batch asks its nodes all at once.

| handle | gets | deletes |
|---|---|---|
| pool.py | from the node whose seat the key has | on every node that may hold it |
| failover.py | from the child; from the gutter while that cannot be asked | on both, always |
| warm_up.py | from the cold one; what it lacks from the warm one, carried over | on the warm one, then the cold one |
| miss_failover.py | from the first; what it lacks from the next | on all |
| all_sync.py | from the first | on all |
| shadow.py | from the child; a share of keys is copied beside it | on the child; nobody waits for the shadow |
| operations.py | from one child | on another |
| prefixes.py, null.py | from the child of the longest prefix; a miss | there; nowhere |

| file | what |
|---|---|
| route.py | the contract of all of them |
| config.py, fields.py, spec.py | configuration: as JSON, what each field may be, as values |
| reach.py | where values may be, how they are carried, where deletions go: what keeps a configuration honest |
| build.py, asking.py | from values to handles; asking several at once |
| reload.py | the tree in force, and how another takes its place |
| explain.py | the way of one key, for people |

The rules for whoever adds a handle:

1. A deletion goes wherever a get may find the key, in the order in which values are carried from one place to another.
   `reach` says so of each handle; random trees, and random changes of them, are played against the truth
   (tests/svc/webapp/cache/routes).
2. Fill through the lease of the place that is filled, taken before the value was read. Nothing else may store.
3. Raise nothing for what a node does; a place that cannot be asked is a None, and None alone makes others stand in.
4. A handle is as old as its tree: whoever is in the middle of a request ends it on the tree that it began on.
"""
