"""Compares the modules of the test kit with those that componentize-py has written to `types`."""

import ast
from pathlib import Path

BINDINGS = Path("stratalog_testing/bindings")


def tree(file: Path) -> ast.Module:
    """Returns a module without its texts, which are documentation."""
    parsed = ast.parse(file.read_text())
    for node in ast.walk(parsed):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    return parsed


def functions(file: Path) -> set[tuple[str, str, tuple[str, ...]]]:
    """Returns the public functions and methods of a module, with their parameters."""
    found = set()
    for node in ast.parse(file.read_text()).body:
        for inner in [node, *getattr(node, "body", [])]:
            if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                owner = "" if inner is node else getattr(node, "name", "")
                found.add((owner, inner.name, tuple(it.arg for it in inner.args.args)))
    return {it for it in found if not it[0].startswith("_")}


def test_types_are_those_of_componentize_py() -> None:
    for name in ("componentize_py_types.py", "wit_world/imports/types.py"):
        assert ast.dump(tree(BINDINGS / name)) == ast.dump(tree(Path("types") / name)), name


def test_interface_is_that_of_componentize_py() -> None:
    name = "wit_world/imports/append_log.py"
    assert functions(BINDINGS / name) == functions(Path("types") / name)
