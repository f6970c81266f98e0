"""The tree is tidy, and each check of tidiness is able to say that it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import tidy
from tests.tidy import Source

ROOT = Path(__file__).parent.parent
Check = Callable[[Source], Iterator[str]]

UNDONE = "TO" + "DO"
LONG_FUNCTION = "def long():\n" + "    x = 1\n" * tidy.FUNCTION_LINES_MAX
OWNED_TASK = "async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(g())\n"

BAD: list[tuple[Check, str, str]] = [
    (tidy.imports_point_one_way, "svc/kit/ids.py", "from discovery import ring"),
    (tidy.imports_point_one_way, "discovery/ring.py", "import svc.channel.table"),
    (tidy.imports_point_one_way, "svc/feed/feed.py", "def f():\n    from svc import gateway"),
    (tidy.imports_point_one_way, "svc/channel/table.py", "from svc.gateway.hub import Hub"),
    (tidy.imports_point_one_way, "svc/channel/table.py", "from ..gateway import hub"),
    (tidy.imports_point_one_way, "svc/webapp/main.py", "import ops.cli"),
    (tidy.imports_point_one_way, "ops/cli/bench.py", "from bench import ring"),
    (tidy.imports_point_one_way, "svc/webapp/main.py", "import parley_client"),
    (tidy.imports_point_one_way, "client/parley_client/client.py", "from svc.kit.backoff import Backoff"),
    (tidy.pure_modules_are_pure, "svc/presence/roster.py", "import asyncio"),
    (tidy.pure_modules_are_pure, "svc/channel/new.py", '"""Pure: rules."""\nimport grpc.aio'),
    (tidy.pure_modules_are_pure, "svc/channel/new.py", '"""Rules of it. Pure."""\nfrom aiohttp import web'),
    (tidy.files_are_short, "svc/kit/ids.py", "x = 1\n" * (tidy.FILE_LINES_MAX + 1)),
    (tidy.functions_fit_a_screen, "tests/test_x.py", LONG_FUNCTION),
    (tidy.functions_fit_a_screen, "svc/kit/ids.py", "class C:\n    async " + LONG_FUNCTION.replace("\n", "\n    ")),
    (tidy.names_name_a_mechanism, "svc/kit/utils.py", ""),
    (tidy.names_name_a_mechanism, "svc/common/ids.py", ""),
    (tidy.names_name_a_mechanism, "svc/webapp/db_utils.py", ""),
    (tidy.names_name_a_mechanism, "svc/kit/ids.py", "class IdManager: ..."),
    (tidy.tasks_have_an_owner, "svc/kit/rpc.py", "asyncio.create_task(f())"),
    (tidy.tasks_have_an_owner, "svc/edge/main.py", "asyncio.get_running_loop().create_task(f())"),
    (tidy.tasks_have_an_owner, "svc/edge/main.py", "from asyncio import create_task\ncreate_task(f())"),
    (tidy.tasks_have_an_owner, "ops/cli/up.py", "asyncio.ensure_future(f())"),
    (tidy.failures_are_not_swallowed, "svc/kit/rpc.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (tidy.failures_are_not_swallowed, "svc/kit/rpc.py", "try:\n    f()\nexcept (OSError, BaseException):\n    ..."),
    (tidy.failures_are_not_swallowed, "svc/kit/rpc.py", "try:\n    f()\nexcept:\n    log()"),
    (tidy.failures_are_not_swallowed, "tests/test_x.py", "with contextlib.suppress(Exception):\n    f()"),
    (tidy.the_environment_is_read_at_the_top, "svc/edge/models/model.py", "SIZE = os.environ['SIZE']"),
    (tidy.the_environment_is_read_at_the_top, "discovery/ring.py", "def f():\n    return os.getenv('SIZE')"),
    (tidy.the_environment_is_read_at_the_top, "ops/cli/up.py", "def f():\n    global mesh\n    mesh = 1"),
    (tidy.modules_say_what_they_are, "svc/edge/__init__.py", ""),
    (tidy.modules_say_what_they_are, "tests/test_x.py", "import os"),
    (tidy.nothing_is_left_undone, "Makefile", f"# {UNDONE}: later"),
    (tidy.nothing_tells_where_it_was_written, "README.md", "see /wo" + "rk/main/README.md"),
    (tidy.nothing_tells_where_it_was_written, "svc/kit/ids.py", "open('/tm" + "p/x')"),
    (tidy.nothing_tells_where_it_was_written, "requirements.txt", "--index-url https://pypi.or" + "g/simple"),
    (tidy.nothing_tells_where_it_was_written, "package-lock.json", '"https://registry.npmjs.or' + 'g/ws"'),
    (tidy.nothing_tells_where_it_was_written, "CHANGELOG.md", "fixes issue " + "#12"),
]

GOOD: list[tuple[Check, str, str]] = [
    (tidy.imports_point_one_way, "svc/channel/table.py", "from svc.channel import fanout\nfrom discovery import ring"),
    (tidy.imports_point_one_way, "tests/test_x.py", "from svc.gateway import hub\nfrom svc.edge import boot"),
    (tidy.imports_point_one_way, "svc/channel/table.py", "from . import fanout\nimport svc.kit.clock, grpc"),
    (tidy.pure_modules_are_pure, "svc/channel/servicer.py", '"""A shell around what is pure."""\nimport asyncio'),
    (tidy.files_are_short, "svc/kit/ids.py", "x = 1\n" * tidy.FILE_LINES_MAX),
    (tidy.functions_fit_a_screen, "svc/kit/ids.py", LONG_FUNCTION.removesuffix("    x = 1\n")),
    (tidy.names_name_a_mechanism, "svc/webapp/commons.py", "class Managed: ..."),
    (tidy.tasks_have_an_owner, "svc/kit/rpc.py", OWNED_TASK),
    (tidy.tasks_have_an_owner, "svc/kit/lifecycle.py", "loop.create_task(f())"),
    (tidy.failures_are_not_swallowed, "svc/kit/rpc.py", "try:\n    f()\nexcept Exception:\n    log.exception('f')"),
    (tidy.failures_are_not_swallowed, "svc/kit/rpc.py", "try:\n    f()\nexcept TimeoutError:\n    pass"),
    (tidy.the_environment_is_read_at_the_top, "svc/webapp/migrate.py", "def main():\n    load(os.environ)"),
    (tidy.the_environment_is_read_at_the_top, "ops/cli/up.py", "x = os.environ"),
    (tidy.nothing_tells_where_it_was_written, "README.md", "in var/tmp/ and work/, see https://slack.dev"),
]


@cache
def sources() -> tuple[Source, ...]:
    """Everything that git tracks and a person wrote."""
    return tuple(tidy.tracked(ROOT))


@pytest.mark.parametrize("check", tidy.CHECKS, ids=lambda check: check.__name__)
def test_the_tree_passes(check: Check) -> None:
    """Each complaint names a file and a line."""
    complaints = [f"{source.path}:{complaint}" for source in sources() for complaint in check(source)]
    assert not complaints, "\n" + "\n".join(complaints)


def test_every_package_has_a_front_page() -> None:
    """Folders of shipped Python are packages with a docstring."""
    assert not list(tidy.packages_have_a_front_page(sources()))


def test_pages_tell_what_is_there() -> None:
    """A setting that was renamed, or a file that was moved, takes its mention in the docs along."""
    assert not list(tidy.pages_tell_what_is_there(sources()))
    code = Source("svc/kit/ids.py", 'setting("PARLEY_A")')
    good = Source(
        "docs/a.md", "`PARLEY_A`, all `PARLEY_B…`, [ids](../svc/kit/ids.py#L1), [kit](../svc/kit), [web](https://a.b)"
    )
    bad = Source("docs/b.md", "`PARLEY_B` and [ids](svc/kit/ids.py)")
    assert len(list(tidy.pages_tell_what_is_there([code, good, bad]))) == 2


def test_pages_show_files_as_they_are() -> None:
    """What a reader copies from a page is what the tests run."""
    assert not list(tidy.pages_show_files_as_they_are(sources()))
    example = Source("docs/examples/a.py", "x = 1\n")
    page = "A:\n\n[a](examples/a.py)\n\n```python\nx = 1\n```\n\n```sh\nls\n```\n"
    assert not list(tidy.pages_show_files_as_they_are([example, Source("docs/a.md", page)]))
    assert len(list(tidy.pages_show_files_as_they_are([example, Source("docs/a.md", page.replace("1", "2"))]))) == 1
    assert len(list(tidy.pages_show_files_as_they_are([example]))) == 1


@pytest.mark.parametrize(("check", "path", "text"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_a_check_sees_what_is_wrong(check: Check, path: str, text: str) -> None:
    """A check that cannot fail checks nothing."""
    assert list(check(Source(path, text)))


@pytest.mark.parametrize(("check", "path", "text"), GOOD, ids=lambda value: getattr(value, "__name__", None))
def test_a_check_leaves_alone_what_is_right(check: Check, path: str, text: str) -> None:
    """Nor is a check of use that complains of what is fine."""
    assert not list(check(Source(path, text)))


def test_a_folder_without_a_front_page_is_seen() -> None:
    """The check over all files is able to fail as well."""
    lonely = [Source("svc/new/main.py", ""), Source("svc/__init__.py", "")]
    assert list(tidy.packages_have_a_front_page(lonely)) == ["svc/new: no __init__.py"]


def test_every_check_has_a_bad_sample_and_enough_files() -> None:
    """No check is added without showing that it can fail, and no run passes on an empty tree."""
    assert {check for check, _, _ in BAD} == set(tidy.CHECKS)
    assert len(sources()) > 100
    assert {source.path for source in sources()} >= tidy.PURE
    assert not any(source.path.startswith(tidy.GENERATED) for source in sources())
