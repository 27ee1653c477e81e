"""Converts values between the component and the classes that componentize-py generates."""

from __future__ import annotations

import dataclasses
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from wasmtime.component import Record, Variant


def lifted(type_: Any, value: Any) -> Any:
    """Returns a value of the component as one of a generated type."""
    if value is None:
        return None
    if get_origin(type_) is Union:
        return _case(get_args(type_), value)
    if get_origin(type_) is list:
        return [lifted(get_args(type_)[0], item) for item in value]
    if isinstance(type_, type) and issubclass(type_, Enum):
        return type_[value.replace("-", "_").upper()]
    if isinstance(type_, type) and dataclasses.is_dataclass(type_):
        return type_(*(lifted(of, getattr(value, name)) for name, of in _fields(type_)))
    return value


def lowered(value: Any) -> Any:
    """Returns a value of a generated type as the component takes it."""
    if not dataclasses.is_dataclass(value):
        return value
    _, is_case, case = type(value).__name__.partition("_")
    if is_case:
        return Variant(_kebab(case), lowered(getattr(value, "value", None)))
    made = Record()
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        items = [lowered(item) for item in given] if isinstance(given, list) else lowered(given)
        setattr(made, field.name.replace("_", "-"), items)
    return made


def _case(types: tuple[Any, ...], value: Any) -> Any:
    if len(types) == 2 and types[1] is type(None):
        return lifted(types[0], value)
    for type_ in types:
        if _kebab(type_.__name__.partition("_")[2]) == value.tag:
            payload = [lifted(of, value.payload) for _, of in _fields(type_)]
            return type_(*payload)
    raise TypeError(f"the component returned the case {value.tag}, which no type has")


@cache
def _fields(type_: type[Any]) -> list[tuple[str, Any]]:
    hints = get_type_hints(type_)
    names = [field.name for field in dataclasses.fields(type_)]
    return [(name.replace("_", "-"), hints[name]) for name in names]


def _kebab(name: str) -> str:
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")
