"""Which error codes a method may answer with: those of the rules that it is built upon, and those of every call.

Read from the source: from where a method is written, through what it imports and the services that it calls upon.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from svc.webapp.api.call import Method
from svc.webapp.domain.services import Services

__all__ = ["GENERAL", "codes_of"]

GENERAL = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_allowed_token_type",
        "missing_scope",
        "invalid_arguments",
        "invalid_arg_name",
        "invalid_form_data",
        "invalid_json",
        "json_not_object",
        "invalid_post_type",
        "missing_post_type",
        "ratelimited",
        "team_access_not_granted",
    }
)
"""Of every method. The rest of Slack's general codes mean trouble on our side: nothing sent may cause it."""

_ROOTS = ("svc.webapp.api.", "svc.webapp.domain.", "svc.webapp.files.")
_NOT_FOLLOWED = {"svc.webapp.domain.services", "svc.webapp.api.registry", "svc.webapp.api.dispatch"}
_SERVICES = {name: hint.__module__ for name, hint in typing.get_type_hints(Services).items()}
_WORD = "abcdefghijklmnopqrstuvwxyz0123456789_"


def codes_of(method: Method) -> frozenset[str]:
    """Return all codes that a call of a method may end with."""
    own = {code for arg in method.args for code in (arg.missing, arg.invalid)} | {method.oversize}
    seen: set[str] = set()
    waiting = [inspect.unwrap(method.handler).__module__]
    while waiting:
        module = waiting.pop()
        if module not in seen and module not in _NOT_FOLLOWED:
            seen.add(module)
            waiting += _leads_to(module)
    return GENERAL.union(own, *(_codes_in(module) for module in seen))


@cache
def _tree(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


@cache
def _leads_to(module: str) -> list[str]:
    """Return the modules of the rules that one imports, and those of the services that it names."""
    found: list[str] = []
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{each.name}" for each in node.names]
            found += [each for each in inner if importlib.util.find_spec(node.module) and _is_module(each)]
            found.append(node.module)
        elif isinstance(node, ast.Attribute) and node.attr in _SERVICES:
            found.append(_SERVICES[node.attr])
    return [each for each in found if each.startswith(_ROOTS)]


@cache
def _is_module(name: str) -> bool:
    if not name.startswith(_ROOTS):
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@cache
def _codes_in(module: str) -> frozenset[str]:
    return frozenset(_constants(_tree(module)))


def _constants(tree: ast.AST) -> Iterator[str]:
    """Yield what looks like a code where one may stand: given to a refusal, or a value of a table or a name."""
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                values = [*node.args, *(each.value for each in node.keywords)]
            case ast.Dict():
                values = list(node.values)
            case ast.Assign(value=value) | ast.Return(value=ast.expr() as value):
                values = [value]
            case ast.IfExp():
                values = [node.body, node.orelse]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                values = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
            case ast.Tuple():
                values = node.elts
            case _:
                continue
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and _is_code(value.value):
                yield value.value


def _is_code(word: str) -> bool:
    return 3 <= len(word) <= 48 and set(word) <= set(_WORD)
