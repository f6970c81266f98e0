"""The one line that changes in a bot that was written for Slack, for each client library. Pure."""

from __future__ import annotations

__all__ = ["lines_to_change"]


def lines_to_change(base_url: str, *, is_socket_mode: bool) -> list[dict[str, str]]:
    """Return client and line for Python, Node.js and Go; `base_url` without `/api/`.

    An app without Socket Mode is told how to listen over RTM, which needs the bot's token alone.
    """
    api = f"{base_url.rstrip('/')}/api/"
    if is_socket_mode:
        python = ("Python, Socket Mode", f'SocketModeClient(app_token=…, web_client=WebClient(base_url="{api}"))')
        node = (
            "Node.js, Socket Mode",
            f'new SocketModeClient({{ appToken, clientOptions: {{ slackApiUrl: "{api}" }} }})',
        )
    else:
        python = ("Python, RTM", f'RTMClient(token=…, base_url="{api}")')
        node = ("Node.js, RTM", f'new RTMClient(token, {{ slackApiUrl: "{api}" }})')
    lines = [
        ("Python, slack_sdk", f'WebClient(token=…, base_url="{api}")'),
        python,
        ("Python, slack_bolt", f'App(client=WebClient(token=…, base_url="{api}"))'),
        ("Node.js, @slack/web-api", f'new WebClient(token, {{ slackApiUrl: "{api}" }})'),
        node,
        ("Node.js, @slack/bolt", f'new App({{ …, clientOptions: {{ slackApiUrl: "{api}" }} }})'),
        ("Go, slack-go", f'slack.New(token, slack.OptionAPIURL("{api}"))'),
    ]
    return [{"client": client, "line": line} for client, line in lines]
