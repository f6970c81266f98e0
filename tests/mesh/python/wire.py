"""What the scripts of this folder share: lines of JSON, as node/client.js speaks them.

In:  {"id": 1, "call": METHOD, "arguments": {...}}, {"id": 2, "send": TEXT, "channel": ID}
Out: {"is": "state", "state": NAME}, {"is": "event", "type": TYPE, "event": {...}},
     {"is": "answer", "id": 1, "answer": {...}} or {"is": "failure", "id": 1, "error": TEXT}
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

_turn = threading.Lock()


def tell(**line: Any) -> None:
    """Say one thing."""
    with _turn:
        # Not sys.stdout, where clients may print what they like: see `quiet`.
        os.write(1, json.dumps(line, default=str).encode() + b"\n")


def quiet() -> None:
    """Have whatever is printed go elsewhere: standard output is ours."""
    sys.stdout = sys.stderr


def heard(kind: str, event: Any) -> None:
    """Say what was heard; a hello means that it is connected, again perhaps."""
    tell(**{"is": "event", "type": kind, "event": event})
    if kind == "hello":
        tell(**{"is": "state", "state": "connected"})


def obey(call: Callable[[str, dict[str, Any]], Any], send: Callable[[str, str], Any]) -> None:
    """Do what is ordered in a thread of its own, until there is nobody who orders."""

    def listen() -> None:
        for line in sys.stdin:
            order = json.loads(line)
            try:
                if "call" in order:
                    answer = call(order["call"], order.get("arguments", {}))
                else:
                    answer = send(order["send"], order["channel"])
                tell(**{"is": "answer", "id": order["id"], "answer": answer})
            except Exception as error:
                tell(**{"is": "failure", "id": order["id"], "error": repr(error)})

    threading.Thread(target=listen, daemon=True).start()
