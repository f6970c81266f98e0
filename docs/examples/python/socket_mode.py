"""A bot that answers over Socket Mode, with slack_sdk."""

import os
from threading import Event

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

web = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
client = SocketModeClient(app_token=os.environ["SLACK_APP_TOKEN"], web_client=web)


def answer(client: SocketModeClient, request: SocketModeRequest) -> None:
    """Answer every `ping` with `pong`."""
    client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
    event = request.payload.get("event", {})
    if event.get("type") == "message" and event.get("text") == "ping":
        web.chat_postMessage(channel=event["channel"], text="pong")


client.socket_mode_request_listeners.append(answer)
client.connect()
Event().wait()
