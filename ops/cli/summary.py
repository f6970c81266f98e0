"""What `parley up` says once everything runs: who is where, and the first two things to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.cli.instances import describe, print_instances
from ops.cli.output import print_table, say
from ops.setup.binaries import ROOT

if TYPE_CHECKING:
    from ops.demo_tokens import DemoInfo
    from ops.local.mesh import Mesh


async def summary(mesh: Mesh, demo: DemoInfo | None) -> dict[str, Any]:
    """Return everything worth knowing about a mesh that has just come up."""
    facts: dict[str, Any] = {
        "ok": True,
        "instances": [describe(listed) for listed in await mesh.instances()],
        "web_url": mesh.web_url,
        "consul_ui_url": f"http://{mesh.consul_addr}/ui/",
        "ws_urls": mesh.ws_urls,
        "var": str(mesh.spec.var),
        "logs": str(mesh.spec.var / "log"),
        "demo": None,
    }
    if demo is not None:
        users = [{"name": name, "user_id": user, "token": token} for name, user, token in demo.users]
        facts["demo"] = {"workspace": demo.workspace, "channel_id": demo.channel_id, "users": users}
    return facts


def print_summary(facts: dict[str, Any], took_s: float) -> None:
    """Print the summary for a person."""
    print()
    print_instances(facts["instances"])
    print()
    if facts["web_url"]:
        print(f"Browser    {facts['web_url']}/")
        print(f"Web API    {facts['web_url']}/api/")
    for name, url in facts["ws_urls"].items():
        print(f"WebSocket  {url}  ({name})")
    print(f"Consul UI  {facts['consul_ui_url']}")
    print(f"Logs       {facts['logs']}")
    if facts["demo"] is not None:
        _print_demo(facts["demo"], facts)
    print(flush=True)
    say(f"Parley is up after {took_s:.1f} s. Ctrl-C stops everything.")


def _print_demo(demo: dict[str, Any], facts: dict[str, Any]) -> None:
    users = demo["users"]
    print()
    print(f"Demo workspace {demo['workspace']}, channel {demo['channel_id']}:")
    print_table(("USER", "ID", "TOKEN"), [(user["name"], user["user_id"], user["token"]) for user in users])
    people = [user["name"] for user in users if not user["token"].startswith("xoxb-")]
    writer, reader = users[0], users[1 % len(users)]
    where = "" if facts["var"] == str(ROOT / "var") else f" --var {facts['var']}"
    print()
    if facts["web_url"]:
        print(f"Open {facts['web_url']}/ and be {' or '.join(people)}: no password is needed.")
    print(f"Watch what {reader['name']} receives (in a second terminal):")
    print(f"  ./parley tail --token {reader['token']}{where}")
    print(f"Post a message as {writer['name']} (in a third):")
    print(f"  curl -s {facts['web_url']}/api/chat.postMessage -H 'Authorization: Bearer {writer['token']}' \\")
    print(f"       -d channel={demo['channel_id']} -d text='hello, world'")
