"""Webapp: the business logic. The Web API over HTTP for clients, an internal gRPC service for gateways and edges.

Owns: the truth. It alone talks to MySQL (three keyspaces, `store`) and memcached (`cache`); every change of a channel
is one write of the log with its events (`log`, `committer`), told to the owners through admin (`publisher`,
`outbox`). Forgets: everything between requests. What it committed and had not published when it died is in the
outbox, and any other webapp sends it on within 2 s. Bounds: requests at once, body size and time a request
(`api.asgi.HttpConfig`), connections to MySQL, writes that wait for their commit, events that wait to be published:
each has a limit, and says 429 or leaves the rest to the sweepers.

| where | what |
|---|---|
| http.py, api/ | the HTTP face: arguments, methods, answers |
| servicer.py | the gRPC face |
| domain/ | the rules, which both faces share |
| log.py, plan.py, committer.py | a write, its offsets, the transaction that makes it true |
| aftermath.py | what follows a commit, in order: caches forget, events go out, writers are told |
| effects.py, mentions.py, outbox.py | what follows from a write in other keyspaces, and what was not yet done of it |
| publisher.py, admin_link.py | the way of events to their owners |
| store/, cache/, migrate.py | MySQL, memcached, numbered schema changes |
| assembly.py, main.py | the parts joined; the process |
"""
