"""The simulation: a whole mesh in one thread and in virtual time, broken on purpose by a seed, and replayable.

Everything above the machine is real: the group commit, the outbox and its sweepers, the router, the channel servers,
the feed, the hub, sessions, the client's positions. What is below is a twin: time and processes (`world`), streams and
calls between processes (`wires`), MySQL (`database`), Consul (`consul`). A twin delays, breaks, repeats and forgets as
the real thing may, and never as it may not: bytes of one stream keep their order, what was committed stays.

Owns nothing outside of itself: no file, no socket, no thread. A run is a function of its seed.
Bounds: a run ends after a few virtual seconds of load, or as a failure when the mesh does not come to rest.

| file | what |
|---|---|
| world.py | time, processes, kills, pauses |
| wires.py, calls.py, sockets.py | streams; calls; WebSockets |
| database.py, statements.py | MySQL's twin: transactions that wait, fail, and fail to tell |
| consul.py | who is registered, who learns it when, and who hears nothing |
| mesh.py, tiers.py, gateways.py, face.py | the composition roots of the simulated processes |
| clients.py | people with sockets: they post, join, leave, lose their line, come back |
| faults.py, scenario.py | what happens in a run: all drawn from the seed |
| judge.py, audit.py | what must be true: said once, checked while it happens and at the end |
| run.py, worker.py, many.py | one seed, many seeds, many processes |
"""
