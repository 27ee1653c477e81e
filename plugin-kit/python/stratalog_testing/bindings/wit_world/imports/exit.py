"""Ends the plugin with an exit code, which `pytest.raises(SystemExit)` catches."""

from typing import NoReturn

from componentize_py_types import Ok, Result


def exit(status: Result[None, None]) -> NoReturn:
    """Ends with success or failure."""
    raise SystemExit(0 if isinstance(status, Ok) else 1)


def exit_with_code(status_code: int) -> NoReturn:
    """Ends with this exit code."""
    raise SystemExit(status_code)
