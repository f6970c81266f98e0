"""Fan-out: one encoded frame to many sockets, and all frames that are pending for a socket in one write.

Owns what waits to be written in this turn of the loop, and nothing longer than that. In C where a compiler was when
Parley was set up (_fanout.c: a loop of send(2) with the GIL released), in Python elsewhere (lines.py); both keep the
same contract, in tests/svc/gateway/fanout.
"""
