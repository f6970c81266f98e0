"""The one line that changes in a bot that was written for Slack, for each client library. Pure."""

from __future__ import annotations

__all__ = ["lines_to_change"]


def lines_to_change(base_url: str, *, is_socket_mode: bool) -> list[dict[str, str]]:
    """Return client and line for Python, Node.js and Go; `base_url` without `/api/`."""
    api = f"{base_url.rstrip('/')}/api/"
    lines = [
        ("Python, slack_sdk", f'WebClient(token=…, base_url="{api}")'),
        ("Python, slack_bolt", f'App(client=WebClient(token=…, base_url="{api}"))'),
        ("Node.js, @slack/web-api", f'new WebClient(token, {{ slackApiUrl: "{api}" }})'),
        ("Node.js, @slack/bolt", f'new App({{ …, clientOptions: {{ slackApiUrl: "{api}" }} }})'),
        ("Go, slack-go", f'slack.New(token, slack.OptionAPIURL("{api}"))'),
    ]
    if is_socket_mode:
        lines.insert(
            1, ("Python, Socket Mode", f'SocketModeClient(app_token=…, web_client=WebClient(base_url="{api}"))')
        )
        lines.insert(
            4,
            (
                "Node.js, Socket Mode",
                f'new SocketModeClient({{ appToken, clientOptions: {{ slackApiUrl: "{api}" }} }})',
            ),
        )
    return [{"client": client, "line": line} for client, line in lines]
