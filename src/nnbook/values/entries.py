"""YAML files that people edit: every mapping knows its line, so that what is wrong with it is found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from nnbook.errors import MissingFileError, NnbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Entry(dict[str, Any]):
    """A mapping of a YAML file.

    Attributes
    ----------
    line : int
        Where it begins, from 1.
    lines : dict of str to int
        Where each of its keys is.
    """

    def __init__(self, values: Mapping[str, Any], line: int, lines: Mapping[str, int]) -> None:
        super().__init__(values)
        self.line = line
        self.lines = dict(lines)


def _construct_entry(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Entry:
    lines: dict[str, int] = {}
    for name, _ in node.value:
        key = str(loader.construct_object(name, deep=True))
        if key in lines:
            raise yaml.constructor.ConstructorError(None, None, f"{key} is there twice; keep one", name.start_mark)
        lines[key] = name.start_mark.line + 1
    values = {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()}
    return Entry(values, node.start_mark.line + 1, lines)


class _Loader(yaml.SafeLoader):
    """Builds entries, and refuses a repeated key, which YAML accepts silently."""

    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        **yaml.SafeLoader.yaml_constructors,
        yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG: _construct_entry,
    }


def read_entries(path: Path) -> Entry:
    """Read a YAML file whose content is a mapping.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Entry
        Its mappings, at every depth, are of this class.

    Raises
    ------
    MissingFileError
        Where there is no such file.
    NnbookError
        Where it is no YAML, holds no mapping, or has a key twice in one: with the line.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise MissingFileError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise NnbookError(f"{path}: can't be read ({error.strerror}); name a file") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NnbookError(f"{path}{line}: is no YAML that can be read: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NnbookError(f"{path}: is no YAML that can be read: {error}") from error
    if not isinstance(content, Entry):
        raise NnbookError(f"{path}: holds no mapping; write 'key: value' lines")
    return content


def entry_problems(
    entry: Entry, checks: Mapping[str, Callable[[Any], str]], optional: set[str]
) -> list[tuple[int, str]]:
    """Say what is wrong with the keys and values of an entry.

    Parameters
    ----------
    entry : Entry
        A mapping.
    checks : mapping of str to callable
        For each key that it may have, what says what is wrong with a value; an empty text where nothing is.
    optional : set of str
        The keys that it need not have.

    Returns
    -------
    list of (int, str)
        Lines with what is wrong there, in their order.
    """
    known = ", ".join(checks)
    found = [
        (line, f"{key} is no field known here; use one of {known}")
        for key, line in entry.lines.items()
        if key not in checks
    ]
    found += [
        (entry.line, f"has no {key}; add it, or write '{key}: unknown'")
        for key in checks
        if key not in entry and key not in optional
    ]
    found += [
        (entry.lines[key], f"{key} {problem}")
        for key, check in checks.items()
        if key in entry and (problem := check(entry[key]))
    ]
    return sorted(found)
