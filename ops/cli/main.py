"""The front door of the `parley` command. Loads only the verb that is asked for, so that help is instant."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from ops.cli.output import CliError, fail

# Name, module, and the line that `parley --help` shows; the module's `command` has the full help.
VERBS = (
    ("up", "ops.cli.up", "Start a whole mesh on this machine; Ctrl-C stops it."),
    ("down", "ops.cli.down", "Stop the mesh that runs on this machine."),
    ("status", "ops.cli.status", "Show every instance: tier, id, zone, address, health."),
    ("doctor", "ops.cli.doctor", "Check this machine and the mesh, and say what to do."),
    ("failover", "ops.cli.failover", "Make the replica of the database the primary."),
    ("ring", "ops.cli.ring", "Show who owns which channels, and how even the shares are."),
    ("cache", "ops.cli.cache", "Show the cache's pools; replace, add and drain their nodes."),
    ("search", "ops.cli.search", "Show what search holds; build its index anew."),
    ("seed", "ops.cli.seed", "Make a workspace of N users and M channels."),
    ("token", "ops.cli.token", "Make a token for a user."),
    ("invite", "ops.cli.invite", "Make the link by which somebody joins."),
    ("password", "ops.cli.password", "Set a user's password for the browser client."),
    ("app", "ops.cli.app", "Make apps: bots with tokens, events, commands and webhooks."),
    ("post", "ops.cli.post", "Post a message."),
    ("tail", "ops.cli.tail", "Connect as a user and print events as they arrive."),
    ("bench", "ops.cli.bench", "Measure a part of the system."),
    ("sim", "ops.cli.sim", "Play a mesh in virtual time, and break it seed by seed."),
    ("chaos", "ops.cli.chaos", "Break a mesh on purpose, and judge whether anything is lost."),
)

HELP = """Run and operate Parley, self-hosted team messaging that speaks the Slack API.

\b
First steps:
  parley up                        start everything here, with a demo workspace
  parley status                    what runs, where, and how it is
  parley tail --token TOKEN        print a user's events as they arrive
  parley post --token TOKEN CHANNEL "hello"
  parley doctor                    when something does not work

\b
Every command explains itself with --help, and takes --json for programs.
`./parley bootstrap [--dev]` installs what is missing on this machine, and starts nothing.
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, from a fixed table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table, which is the order in which one needs them."""
        return [name for name, _, _ in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb. Raises CliError for one that this installation lacks."""
        module = next((module for name, module, _ in VERBS if name == cmd_name), None)
        if module is None:
            return None
        try:
            loaded = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise CliError(f"`parley {cmd_name}` is not part of this installation.") from error
        command: click.Command = loaded.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, _, line in VERBS])


def installed_version() -> str:
    """Return the version of this installation."""
    try:
        return version("parley")
    except PackageNotFoundError:
        return "0 (not installed)"


@click.command(cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(installed_version(), prog_name="parley")
def cli() -> None:
    """Hold the verbs; the help text is HELP."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed with a reason, 2 wrong usage, 130 interrupted."""
    # Some verbs load gRPC and start children; gRPC's fork handlers would start its threads in the child, between fork
    # and exec, and abort it there. Read when gRPC is imported, which is later than this.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    as_json = "--json" in sys.argv
    try:
        code = cli.main(prog_name="parley", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as shown:
        shown.show()
        code = 0
    except CliError as error:
        fail(error.message, error.hint, as_json=as_json)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 0  # the reader, such as `head`, has seen enough
    sys.exit(code if isinstance(code, int) else 0)
