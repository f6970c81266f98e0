"""Webapp: the business logic. The Web API over HTTP for clients, an internal gRPC service for gateways and edges.

Owns: the truth. It alone talks to MySQL (three keyspaces, `store`) and memcached (`cache`); every change of a channel
is one write of the log with its events (`commit`), told to the owners through admin. Forgets: everything between
requests. What it committed and had not published when it died is in the outbox, and any other webapp sends it on within
2 s. Bounds: requests at once, body size and time a request (`api.asgi.HttpConfig`), connections to MySQL, writes that
wait for their commit, events that wait to be published: each has a limit, and says 429 or leaves the rest to the
sweepers.

| where | what |
|---|---|
| http.py, api/ | the HTTP face: arguments, methods, answers |
| servicer.py | the gRPC face |
| web/ | the browser client: its files, signing in |
| domain/ | the rules, which both faces share |
| commit/ | a write, its place in the log, the transaction that makes it true, what follows from it |
| gathering/ | reads that many ask for at once, made once for all |
| boot_gate.py, edge_tier.py, presence_tier.py | how many may boot; the tiers that are asked for models and presence |
| loading.py, models.py | rows as edges hold them, part by part |
| gate.py, priority.py | who waits, and who is refused when there is too much to do |
| store/, cache/, migrate.py | MySQL, memcached, numbered schema changes |
| assembly.py, main.py | the parts joined; the process |
"""
