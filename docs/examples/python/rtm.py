"""A bot that answers over RTM, with slack_sdk."""

import os
from typing import Any

from slack_sdk.rtm_v2 import RTMClient

rtm = RTMClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])


@rtm.on("message")
def answer(client: RTMClient, event: dict[str, Any]) -> None:
    """Answer every `ping` with `pong`."""
    if event.get("text") == "ping":
        client.web_client.chat_postMessage(channel=event["channel"], text="pong")


rtm.start()
