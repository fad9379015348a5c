"""Every public name of the package is documented."""

import inspect
from collections.abc import Iterator

import pytest

import hopspan


def public_names() -> Iterator[tuple[str, object]]:
    for name in hopspan.__all__:
        value = getattr(hopspan, name)
        yield name, value
        if inspect.isclass(value):
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (callable(attribute) or isinstance(attribute, property)):
                    yield f"{name}.{member}", attribute


@pytest.mark.parametrize(("name", "value"), [pytest.param(*pair, id=pair[0]) for pair in public_names()])
def test_has_a_docstring(name: str, value: object) -> None:
    if callable(value) or isinstance(value, property):
        assert inspect.getdoc(value), name
        assert value.__doc__, f"{name} only inherits its docstring"


def test_names_are_sorted_and_exist() -> None:
    assert all(hasattr(hopspan, name) for name in hopspan.__all__)
    public = {name for name in vars(hopspan) if not name.startswith("_") and not inspect.ismodule(vars(hopspan)[name])}
    assert public <= set(hopspan.__all__)
