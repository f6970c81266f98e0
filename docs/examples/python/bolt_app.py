"""A bot that answers messages and a command, and sends a file, with slack_bolt over Socket Mode."""

import os
from typing import Any

from slack_bolt import Ack, App, Say
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

app = App(client=WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))


@app.message("ping")
def answer(say: Say) -> None:
    """Answer every `ping` with `pong`."""
    say("pong")


@app.message("report")
def report(message: dict[str, Any], client: WebClient) -> None:
    """Answer `report` with a file."""
    client.files_upload_v2(channel=message["channel"], filename="report.txt", content="All is well.\n")


@app.command("/echo")
def echo(ack: Ack, command: dict[str, Any]) -> None:
    """Say `/echo …` back to everybody."""
    ack({"response_type": "in_channel", "text": command["text"]})


SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()
