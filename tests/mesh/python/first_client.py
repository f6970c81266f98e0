"""Slack's first client for Python (slackclient 1), unmodified, as bots of its time use it: see wire.py.

It knows one address only, https://slack.com: what it would send there goes to PARLEY_API. It is written for TLS, over
which a read of nothing is no error. With PARLEY_TOKEN.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.mesh.python.wire import heard, obey, quiet

SLACK = "https://slack.com/api/"
CONFUSED_S = 0.05
"""Between two reads: it does not wait for data."""


def redirect() -> None:
    """Send calls to Parley."""
    post = requests.post

    def elsewhere(url: str, **options: Any) -> requests.Response:
        return post(url.replace(SLACK, os.environ["PARLEY_API"]), **options)

    requests.post = elsewhere  # type: ignore[assignment]


def connect(client: Any) -> None:
    """Connect as its guide says; a refused connection is tried again."""
    failure = importlib.import_module("slackclient.server").SlackConnectionError
    while True:
        try:
            if client.rtm_connect(auto_reconnect=True):
                return
        except failure:
            logging.exception("not connected")
        time.sleep(0.5)


def main() -> None:
    """Read until the process is killed."""
    quiet()
    logging.basicConfig(level=os.environ.get("PARLEY_LOG", "CRITICAL"))
    # It waits 1 to 4 times so many seconds as it has reconnected before, squared: with this seed few.
    random.seed(SEED)
    redirect()
    failure = importlib.import_module("slackclient.server").SlackConnectionError
    client = importlib.import_module("slackclient").SlackClient(os.environ["PARLEY_TOKEN"])
    connect(client)
    obey(
        lambda method, arguments: json.loads(json.dumps(client.api_call(method, **arguments))),
        lambda text, channel: client.rtm_send_message(channel, text),
    )
    while True:
        try:
            for event in client.rtm_read():
                heard(event.get("type", ""), event)
        except (failure, OSError):
            logging.exception("reading failed")
            connect(client)
        time.sleep(CONFUSED_S)


SEED = next(
    seed for seed in range(1000) if all(number == 1 for number in map(random.Random(seed).randint, [1] * 3, [4] * 3))
)

if __name__ == "__main__":
    main()
