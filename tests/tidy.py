"""The style of this repository as functions: each takes a file (or the list of all) and returns what is wrong with it.

What a formatter, a linter and a type checker cannot know: which layer may import which, what pure means here, how long
is too long, and what must never be in the tree. `test_tidy` runs them over everything that git tracks.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import TypeVar

FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 60
GENERATED = "proto/gen/"

LAYERS = (
    ("parley", 0),
    ("svc.kit", 1),
    ("discovery", 2),
    ("svc.feed", 3),
    ("svc.shapes", 3),
    ("svc", 4),
    ("parley_client", 5),
    ("ops", 6),
    ("bench", 7),
)
"""Who may import whom: only downwards. Within one number there is no import from one `svc.<tier>` to another."""

GUESTS = {"parley_client": "parley"}
"""What is used without the rest of the tree, and so imports nothing of it but this."""

PURE = frozenset(
    {
        "discovery/balancer.py",
        "discovery/fence.py",
        "discovery/lanes.py",
        "discovery/ring.py",
        "discovery/view.py",
        "svc/channel/channel.py",
        "svc/edge/models/model.py",
        "svc/feed/plan.py",
        "svc/feed/positions.py",
        "svc/gateway/session.py",
        "svc/kit/backoff.py",
        "svc/presence/roster.py",
        "svc/presence/watchers.py",
    }
)
"""Modules that hold rules of the system; beside them, every module whose docstring says "Pure:" or ends "Pure."."""
IMPURE = frozenset({"grpc", "asyncio", "aiohttp", "uvloop", "picows", "aiomysql"})

TRADES = frozenset({"PackageManager"})
"""What the world calls a manager: apt is one."""
VAGUE = re.compile(r"(^|_)(utils?|common|helpers?|misc)($|_)")
MARKERS = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")
LEAKS = re.compile(
    r"(?<![\w.])/(?:work|tmp)/"
    r"|(?:pypi|pythonhosted|npmjs|yarnpkg|debian|ubuntu|docker|ghcr|mariadb|hashicorp)[.](?:org|com|io)\b"
    r"|\bissues? #?\d+\b",
    re.IGNORECASE,
)
"""What names a machine, a registry or a tracker: true for one reader only, and stale tomorrow."""
SETTINGS = re.compile(r"\bPARLEY_[A-Z0-9_]*[A-Z0-9]\b(?![_…<{*])")
"""Whole names: not beginnings of them that stand for several."""
SHOWN_FILES = re.compile(r"^\[[^\]]+\]\((?P<path>[^)]+)\)\n\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
"""A link on a line of its own, and a block of code after it: the block shows the file."""
PAGE_LINKS = re.compile(r"\]\(([^)#\s]+)[^)]*\)")

Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True)
class Source:
    """One tracked text file; `path` is relative, with forward slashes."""

    path: str
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it is Python written by us."""
        return self.path.endswith(".py") and not self.path.startswith(GENERATED)

    @property
    def is_shipped(self) -> bool:
        """Whether it is Python that runs in production, or the command line."""
        return self.is_python and self.path.split("/")[0] in ("svc", "discovery", "client", "ops")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """Dotted name: svc/kit/ids.py is svc.kit.ids, a front page is its package."""
        return self.path.removesuffix(".py").removesuffix("/__init__").removeprefix("client/").replace("/", ".")

    def nodes(self, kind: type[Node]) -> Iterator[Node]:
        """Yield the nodes of one kind."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kind))


def tracked(root: Path) -> list[Source]:
    """Return every text file that git tracks, generated ones left out."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout.decode()
    sources = []
    for path in filter(None, listing.split("\0")):
        file = root / path
        if path.startswith(GENERATED) or not file.is_file():
            continue
        content = file.read_bytes()
        if b"\0" not in content[:8000]:
            sources.append(Source(path, content.decode(errors="replace")))
    return sources


def layer(module: str) -> tuple[str, int] | None:
    """Return the unit that a module belongs to, such as svc.channel, and its layer; None for what is not ours."""
    for name, number in LAYERS:
        if module == name or module.startswith(name + "."):
            return (".".join(module.split(".")[:2]) if name == "svc" else name), number
    return None


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute module) of every import, wherever it stands."""
    package = source.module if source.path.endswith("__init__.py") else source.module.rpartition(".")[0]
    for plain in source.nodes(ast.Import):
        yield from ((plain.lineno, alias.name) for alias in plain.names)
    for node in source.nodes(ast.ImportFrom):
        base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, (base, node.module)))
        yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def imports_point_one_way(source: Source) -> Iterator[str]:
    """parley <- svc.kit <- discovery <- svc.feed, svc.shapes <- svc.<tier> <- ops; tiers meet in the contracts alone.

    Beside it parley <- parley_client <- ops: no tier knows the client.
    """
    here = layer(source.module) if source.is_python else None
    if here is None:
        return
    for line, module in imported(source):
        there = layer(module)
        if there is None or there[0] == here[0]:
            continue
        if GUESTS.get(here[0], there[0]) != there[0]:
            yield f"{line}: {here[0]} imports {module}, which its users do not have"
        elif there[1] > here[1]:
            yield f"{line}: {here[0]} imports {module}, which is above it"
        elif there[1] == here[1]:
            yield f"{line}: {here[0]} imports its sibling {there[0]}"


def pure_modules_are_pure(source: Source) -> Iterator[str]:
    """The rules of the system can be read, and tested, without meeting a socket or a loop."""
    if not source.is_python or source.path.startswith("tests/"):
        return
    docstring = (ast.get_docstring(source.tree) or "").split("\n\n")[0]
    if source.path in PURE or re.search(r"\bPure[:.]", docstring):
        for line, module in imported(source):
            if module.split(".")[0] in IMPURE:
                yield f"{line}: a pure module imports {module}"


def files_are_short(source: Source) -> Iterator[str]:
    """A file longer than this is two files."""
    lines = source.text.count("\n")
    if source.is_python and lines > FILE_LINES_MAX:
        yield f"1: {lines} lines; {FILE_LINES_MAX} are allowed"


def functions_fit_a_screen(source: Source) -> Iterator[str]:
    """A function that does not fit on a screen is read by nobody."""
    if source.is_python:
        functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = list(source.nodes(ast.FunctionDef))
        functions.extend(source.nodes(ast.AsyncFunctionDef))
        for node in functions:
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.lineno}: {node.name} has {lines} lines; {FUNCTION_LINES_MAX} are allowed"


def names_name_a_mechanism(source: Source) -> Iterator[str]:
    """No drawer for everything, and no class that manages."""
    if not source.is_python:
        return
    for part in PurePosixPath(source.path.removesuffix(".py")).parts:
        if VAGUE.search(part):
            yield f"1: {part!r} is a drawer; name what it does"
    for node in source.nodes(ast.ClassDef):
        if node.name.endswith(("Manager", "Helper", "Utils", "Base")) and node.name not in TRADES:
            yield f"{node.lineno}: class {node.name}; name the mechanism"


def tasks_have_an_owner(source: Source) -> Iterator[str]:
    """A task belongs to a TaskGroup of the block that started it, to `background` or to `Tasks`."""
    if not source.is_shipped or source.path == "svc/kit/lifecycle.py":
        return
    groups = {
        item.optional_vars.id
        for node in source.nodes(ast.AsyncWith)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name) and ast.unparse(item.context_expr).endswith("TaskGroup()")
    }
    for node in source.nodes(ast.Call):
        receiver, _, name = ast.unparse(node.func).rpartition(".")
        if name == "ensure_future" or (name == "create_task" and receiver not in groups):
            yield f"{node.lineno}: {receiver or 'bare'} {name}: nobody owns this task"


def failures_are_not_swallowed(source: Source) -> Iterator[str]:
    """A failure of any kind is logged, translated or raised, never dropped."""
    if not source.is_python:
        return
    for node in source.nodes(ast.ExceptHandler):
        catches = "" if node.type is None else ast.unparse(node.type)
        is_broad = node.type is None or re.search(r"\b(Base)?Exception\b", catches) is not None
        is_silent = all(isinstance(each, ast.Pass | ast.Continue) or _is_ellipsis(each) for each in node.body)
        if node.type is None or (is_broad and is_silent):
            yield f"{node.lineno}: except {catches}: swallows whatever happens"
    for call in source.nodes(ast.Call):
        called = f"{ast.unparse(call.func)} {' '.join(map(ast.unparse, call.args))}"
        if re.match(r"(contextlib\.)?suppress .*\b(Base)?Exception\b", called):
            yield f"{call.lineno}: suppress swallows whatever happens"


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def the_environment_is_read_at_the_top(source: Source) -> Iterator[str]:
    """Configuration is read once by the composition root; no other module looks around, or keeps globals."""
    if not source.is_shipped:
        return
    for kept in source.nodes(ast.Global):
        yield f"{kept.lineno}: a global; pass it instead"
    is_root = source.path.startswith("ops/") or source.path in ("svc/kit/config.py", "svc/kit/lifecycle.py")
    if is_root or source.path.endswith("/main.py"):
        return
    mains = [node for node in source.nodes(ast.FunctionDef) if node.name == "main"]
    allowed = {id(child) for main in mains for child in ast.walk(main)}
    for node in source.nodes(ast.Attribute):
        if id(node) not in allowed and ast.unparse(node) in ("os.environ", "os.getenv"):
            yield f"{node.lineno}: reads the environment"


def modules_say_what_they_are(source: Source) -> Iterator[str]:
    """Every module, front pages first of all, begins with what it is for."""
    if source.is_python and not (ast.get_docstring(source.tree) or "").strip():
        yield "1: no docstring"


def nothing_is_left_undone(source: Source) -> Iterator[str]:
    """What is not done is in the tracker, not in the code."""
    yield from _lines_with(MARKERS, source, "is left undone")


def nothing_tells_where_it_was_written(source: Source) -> Iterator[str]:
    """No path of one machine, no registry's host name, no ticket's number."""
    yield from _lines_with(LEAKS, source, "belongs to one machine or service")


def _lines_with(pattern: re.Pattern[str], source: Source, complaint: str) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        for found in pattern.finditer(line):
            yield f"{number}: {found.group()!r} {complaint}"


def packages_have_a_front_page(sources: Sequence[Source]) -> Iterator[str]:
    """Every folder of shipped Python has an __init__.py; its docstring is checked with all the others."""
    shipped = {source.path for source in sources if source.is_shipped}
    for folder in sorted({path.rpartition("/")[0] for path in shipped}):
        for package in _with_parents(folder):
            # `client` holds a package, and is none.
            if package != "client" and f"{package}/__init__.py" not in shipped:
                yield f"{package}: no __init__.py"


def pages_tell_what_is_there(sources: Sequence[Source]) -> Iterator[str]:
    """The settings that pages name are read by something, and the files that they link to are there."""
    read = {name for source in sources if source.is_python for name in SETTINGS.findall(source.text)}
    there = {path for source in sources for path in _with_parents(source.path)}
    for page in sources:
        if not page.path.endswith(".md"):
            continue
        for name in sorted(set(SETTINGS.findall(page.text)) - read):
            yield f"{page.path}: nothing reads {name}"
        for link in PAGE_LINKS.findall(page.text):
            if "://" not in link and normpath(f"{PurePosixPath(page.path).parent}/{link}") not in there:
                yield f"{page.path}: {link} is not there"


def pages_show_files_as_they_are(sources: Sequence[Source]) -> Iterator[str]:
    """A page that shows a file shows all of it, to the letter; and every example is shown by some page."""
    texts = {source.path: source.text for source in sources}
    unshown = {path for path in texts if path.startswith("docs/examples/")}
    for page in sources:
        if not page.path.endswith(".md"):
            continue
        for shown in SHOWN_FILES.finditer(page.text):
            path = normpath(f"{PurePosixPath(page.path).parent}/{shown['path']}")
            unshown.discard(path)
            if texts.get(path) != shown["text"]:
                yield f"{page.path}: what it shows is not {path}"
    yield from (f"{path}: no page shows it" for path in sorted(unshown))


def _with_parents(folder: str) -> Iterable[str]:
    parts = folder.split("/")
    return ("/".join(parts[: end + 1]) for end in range(len(parts)))


CHECKS = (
    imports_point_one_way,
    pure_modules_are_pure,
    files_are_short,
    functions_fit_a_screen,
    names_name_a_mechanism,
    tasks_have_an_owner,
    failures_are_not_swallowed,
    the_environment_is_read_at_the_top,
    modules_say_what_they_are,
    nothing_is_left_undone,
    nothing_tells_where_it_was_written,
)
