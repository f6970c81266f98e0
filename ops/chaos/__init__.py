"""Proof by breaking: a real mesh under load, seeded faults, and a judge that believes only what it sees from outside.

    parley chaos run kill-any --seed 7

- `record.py`     what a run leaves: posts, arrivals, what is stored; pure values
- `judge.py`      the verdict on it, with `owed.py` (what each reader must have), `index.py` and `recovery.py`; pure
- `faults.py`     what can be done to a mesh; `scenarios.py` the seeded schedules of it; pure
- `inject.py`     does it; `partition.py` and `border.py` cut the network, `peers.py` knows who connects
- `stage.py`      people and conversations; `load.py` posts over HTTP, `plain.py` over sockets
- `readers.py`    all readers: `plain.py`, `resuming.py`, `sdk.py` are the three kinds, `streams.py` their notes
- `evidence.py`   reads log and history once all is over
- `run.py`        one run from an empty folder to its report; `report.py` the figures

Owns a mesh of its own on free ports and a temporary folder, and leaves neither behind.
"""
