"""Which functions, classes and constants of the package a piece of code depends on, each with the hash of its source.

Sources are read and never imported. What a name refers to is taken from the text: a function depends on whatever it
names, so the answer is a closure over names. Where the text does not decide, more is taken and never less: on a
module that is used as a value, or asked for a name that it does not define, code depends as a whole, and on the whole
package by `import_module` of a name that is not written out. A function under a decorator of this package brings its
module, because the decorator may keep it somewhere, unless that decorator uses nothing of its module; so do
statements that do something on import. A file with the name of a module, but for its ending, is that module's data
and comes with it. Types alone bring nothing. A package that hands out names lazily has a stub (`__init__.pyi`) that
says in which module each is defined: such a name is followed through the stub to its definition, and the stub itself
is no data.

Code that is put together as a string, and what another process runs, are not seen.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnbook.errors import NnbookError
from nnbook.io.files import atomic_write, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nnbook.io.paths import PathLike

PACKAGE = Path(__file__).parents[1]

BOOKKEEPING = (
    "nnbook.io.processes",
    "nnbook.io.progress",
    "nnbook.provenance.clusters",
    "nnbook.provenance.dependencies",
    "nnbook.provenance.stage",
    "nnbook.provenance.units",
)
"""Modules that decide what has to be made, and by whom, or show how far it is, and never what comes out: they are not
followed."""

IMPORTS_BY_NAME = {"import_module", "__import__"}
NOT_ON_IMPORT = {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}
LOOKS_UP_NAMES = {"globals", "eval", "exec"}
TYPES = {"annotation", "returns"}
LEAVES = (ast.Name, ast.Constant)
MARKS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop)
"""Nodes with nothing below them, and nodes that only say how others are meant."""

DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

CODE_CELL = re.compile(r"^(`{3,}|~{3,})\{code-cell\}[^\n]*\n(.*?)^\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
OPTIONS = re.compile(r"\A(?:---\n.*?\n---\n|(?::[\w-]+:[^\n]*\n)+)", re.DOTALL)
"""What begins a cell and is about it: options of MyST."""

OUTSIDE = "<outside>"
"""Begins a reference to a package of others."""

ON_IMPORT = "<import>"
"""Ends a reference to what importing a module does, and to nothing in it."""


_answers: dict[str, tuple[dict[str, str], set[str]]] = {}
_asked: set[str] = set()
"""What code depends on, by the sources of the package and the names in the code; and what this process needed of it."""


@dataclass
class _Module:
    """A module's statements, sorted by what they do, once it was read: of most modules nothing is asked."""

    name: str
    unread: Path | None = None
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    outside: dict[str, str] = field(default_factory=dict)
    body: list[ast.stmt] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    data: dict[str, str] = field(default_factory=dict)
    is_package: bool = False
    handed_out: dict[str, str] = field(default_factory=dict)
    """By name, where the stub says that it is defined. Importing the module alone doesn't run that."""

    followed: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """By name, its digest and what it refers to, once that was found out: most is needed often."""


def notebook_dependencies(text: str, package: PathLike = PACKAGE) -> dict[str, str]:
    """Find what a text notebook depends on.

    Parameters
    ----------
    text : str
        The notebook in MyST Markdown.
    package : str or Path, optional
        The package's folder.

    Returns
    -------
    dict of str to str
        By dotted name, such as `nnbook.measurement.imaged_area.area`, in order of names: the SHA-256 of the source.
        Comments, docstrings and the way in which code is laid out don't count. A module's own name is for what it does
        on import.

    Raises
    ------
    NnbookError
        Where a module of the package is no Python.
    """
    package = Path(package)
    return _follow(_references_of_code("\n".join(code_cells(text)), package), package)[0]


def function_dependencies(stage: Callable[..., Any] | str, package: PathLike = PACKAGE) -> dict[str, str]:
    """Find what a function of the package depends on, itself included, and the packages of others that it uses.

    Parameters
    ----------
    stage : callable or str
        A function that a module defines, or its dotted name.
    package : str or Path, optional
        The package's folder.

    Returns
    -------
    dict of str to str
        As `notebook_dependencies`, and by the name of a package, such as `numpy`: its installed version.
    """
    package = Path(package)
    name = stage if isinstance(stage, str) else f"{stage.__module__}.{stage.__qualname__}"
    digests, outside = _follow([name], package)
    return digests | {name: version for name in sorted(outside - {package.name}) if (version := _version(name))}


def code_cells(text: str) -> list[str]:
    """Return the source of each code cell of a text notebook, in order.

    As jupytext reads it, without its import, which takes longer than all that `nnbook status` does.
    """
    return [OPTIONS.sub("", cell[2]).strip() for cell in CODE_CELL.finditer(text)]


def recall(path: Path) -> None:
    """Take over what was found out of the same sources before, from a file that `remember` wrote.

    Parameters
    ----------
    path : Path
        The file. One that is missing, damaged or of other sources gives nothing: all is found out again.
    """
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        kept = json.loads(path.read_bytes()).items()
        _answers.update({key: (dict(found), set(outside)) for key, (found, outside) in kept})


def remember(path: Path) -> None:
    """Keep what code was found to depend on, for `recall`; where the folder can't be written, nothing is kept."""
    kept = {key: [_answers[key][0], sorted(_answers[key][1])] for key in sorted(_asked)}
    text = json.dumps(kept, separators=(",", ":"))
    with contextlib.suppress(OSError):
        if not path.is_file() or path.stat().st_size != len(text):
            with atomic_write(path) as written:
                written.write_text(text, encoding="utf-8")


def _follow(references: Iterable[str], package: Path) -> tuple[dict[str, str], set[str]]:
    """Follow references to their end: what of the package code depends on, with hashes, and what of others, by name."""
    references = sorted(set(references))
    sources = (sys.version, str(package), *_states(str(package)), *references)
    key = hashlib.sha256(repr(sources).encode()).hexdigest()
    _asked.add(key)
    if key not in _answers:
        _answers[key] = _followed_to_the_end(references, package)
    found, outside = _answers[key]
    return dict(found), set(outside)


def _followed_to_the_end(references: list[str], package: Path) -> tuple[dict[str, str], set[str]]:
    modules = _modules(package)
    found: dict[str, str] = {}
    outside: set[str] = set()
    entered: set[str] = set()
    seen: set[str] = set()
    todo = list(references)
    while todo:
        reference = todo.pop()
        if reference in seen:
            continue
        seen.add(reference)
        if reference.startswith(OUTSIDE):
            outside.add(reference.removeprefix(OUTSIDE))
            continue
        module, names = _units(reference, modules)
        if module is None or module.name.startswith(BOOKKEEPING):
            continue
        todo += [name for name in names if "." in name]  # imported there from another module
        units = {name for name in names if "." not in name}
        if module.name not in entered:
            entered.add(module.name)
            units |= module.registered
            todo += [f"{imported}.{ON_IMPORT}" for imported in module.imported]
            if module.body:
                found[module.name], further = _followed(module, ON_IMPORT, module.body, package)
                todo += further
        if units:
            found |= module.data
        for name in units:
            key = f"{module.name}.{name}"
            if key not in found:
                found[key], further = _followed(module, name, module.definitions[name], package)
                todo += further
    return dict(sorted(found.items())), outside


def _followed(module: _Module, name: str, statements: Iterable[ast.stmt], package: Path) -> tuple[str, list[str]]:
    """Return the digest of what a name stands for, and the dotted names in it."""
    if name not in module.followed:
        module.followed[name] = _digest(statements), list(dict.fromkeys(_references(statements, module, package)))
    return module.followed[name]


@functools.cache
def _version(name: str) -> str | None:
    """Return the installed version of the package that a name is imported from; None for Python's own."""
    if name in sys.stdlib_module_names:
        return None
    versions: dict[str, str] = {}
    for one in _distributions().get(name, []):
        versions.setdefault(one.metadata["Name"], one.version)
    return ", ".join(versions[one] for one in sorted(versions)) or None


@functools.cache
def _distributions() -> dict[str, list[metadata.Distribution]]:
    """Return the installed distributions by the names that are imported from them.

    As `importlib.metadata.packages_distributions` has them, which makes a path of each of some 30,000 files, and takes
    half a second.
    """
    found: dict[str, list[metadata.Distribution]] = {}
    for one in metadata.distributions():
        for name in (one.read_text("top_level.txt") or "").split() or _imported_from(one):
            found.setdefault(name, []).append(one)
    return found


def _imported_from(distribution: metadata.Distribution) -> set[str]:
    """Return the names that a distribution without a list of them is imported by, from the list of its files."""
    record = distribution.read_text("RECORD")
    if record is None:
        files = [str(file) for file in distribution.files or ()]
    else:
        files = [line.partition(",")[0] for line in record.splitlines()]
    return {file.removesuffix(".py").partition("/")[0] for file in files if file.endswith(".py")}


def _units(reference: str, modules: dict[str, _Module]) -> tuple[_Module | None, list[str]]:
    """Find in which module a dotted name is, and what it refers to there: names, dotted where they are imported."""
    parts = reference.split(".")
    for end in range(len(parts), 0, -1):
        if module := modules.get(".".join(parts[:end])):
            _read(module, modules)
            break
    else:
        return None, []
    rest = parts[end:]
    if rest and rest[-1] == ON_IMPORT:
        return module, []
    if rest and rest[0] in module.definitions:
        return module, [rest[0]]
    for known in (module.imports, module.handed_out):
        if rest and rest[0] in known:
            return module, [".".join([known[rest[0]], *rest[1:]])]
    return module, [*module.definitions, *module.handed_out.values()]


def _references_of_code(code: str, package: Path) -> list[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        try:
            tree = ast.parse(TransformerManager().transform_cell(code))  # magics and calls of the shell become Python
        except SyntaxError:
            return list(_modules(package))
    notebook = _Module("__notebook__")
    _sort_statements(tree.body, notebook, package)
    statements = [*notebook.body, *(one for several in notebook.definitions.values() for one in several)]
    modules = _modules(package)
    imported = [f"{name}.{ON_IMPORT}" if name in modules else name for name in notebook.imports.values()]
    return [*_references(statements, notebook, package), *imported]


def _references(statements: Iterable[ast.stmt], module: _Module, package: Path) -> list[str]:
    """Find the dotted names of the package in statements of a module, rather too many than too few."""
    nodes = [node for statement in statements for node in _walk(statement)]
    aliases, outside = dict(module.imports), dict(module.outside)
    found = [base for name, base in aliases.items() if name.startswith("*")]
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            local = dict(_imports(node, module, package))
            aliases |= local
            outside |= dict(_outside(node))
            found += [f"{name}.{ON_IMPORT}" if isinstance(node, ast.Import) else name for name in local.values()]
    for node, names in _chains(nodes):
        if node.id in aliases:
            found.append(".".join([aliases[node.id], *names]))
        if node.id in outside:
            found.append(OUTSIDE + outside[node.id])
        if node.id in module.definitions:
            found.append(f"{module.name}.{node.id}")
    for node in nodes:
        if isinstance(node, ast.Call):
            found += _looked_up(node, module, package)
    return found


def _chains(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.Name, list[str]]]:
    """List each name with the attributes that are asked of it."""
    inner: set[int] = set()
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Name)) and id(node) not in inner:
            names: list[str] = []
            part: ast.expr = node
            while isinstance(part, ast.Attribute):
                names.insert(0, part.attr)
                part = part.value
                inner.add(id(part))
            if isinstance(part, ast.Name):
                yield part, names


def _looked_up(call: ast.Call, module: _Module, package: Path) -> list[str]:
    """List what a call that takes names as strings may refer to."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in IMPORTS_BY_NAME:
        named = call.args[0] if call.args else None
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            return [named.value] if named.value.split(".")[0] == package.name else []
        return list(_modules(package))
    return [module.name] if name in LOOKS_UP_NAMES else []


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree like `ast.walk`, without types: they are not needed to run."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, LEAVES):
            continue
        below: list[ast.AST] = []
        for name in node._fields:
            if name in TYPES:
                continue
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                if not isinstance(value, MARKS):
                    below.append(value)
            elif isinstance(value, list):
                below += [child for child in value if isinstance(child, ast.AST)]
        todo += reversed(below)


def _imports(node: ast.Import | ast.ImportFrom, module: _Module, package: Path) -> Iterator[tuple[str, str]]:
    """List the names that an import binds, each with what it refers to, as far as that is of the package."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == package.name:
                yield (alias.asname, alias.name) if alias.asname else (package.name, package.name)
        return
    base = node.module or ""
    if node.level:
        parts = module.name.split(".")
        base = ".".join([*parts[: len(parts) - node.level + module.is_package], *([base] if base else [])])
    if base.split(".")[0] == package.name:
        for alias in node.names:
            # Under a star, anything may come from there: no name is looked up, all of it counts.
            yield (f"*{base}", base) if alias.name == "*" else (alias.asname or alias.name, f"{base}.{alias.name}")


def _outside(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """List the names that an import binds, each with the first part of what is imported, whoever it is of."""
    if isinstance(node, ast.Import):
        yield from (((alias.asname or alias.name).split(".")[0], alias.name.split(".")[0]) for alias in node.names)
    elif not node.level and node.module:
        yield from ((alias.asname or alias.name, node.module.split(".")[0]) for alias in node.names)


def _sort_statements(statements: Iterable[ast.stmt], module: _Module, package: Path) -> None:
    for statement in statements:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) in NOT_ON_IMPORT and not statement.orelse:
            continue
        for node in _walk(statement) if not isinstance(statement, DEFINES) else ():
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                module.imports |= dict(_imports(node, module, package))
                module.imported |= set(_imported(node, module, package))
                module.outside |= dict(_outside(node))
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        names = _bound(statement)
        for name in names:
            module.definitions.setdefault(name, []).append(statement)
        if not names:
            module.body.append(statement)


def _is_kept(statements: Iterable[ast.stmt], module: _Module, modules: dict[str, _Module]) -> bool:
    """Return whether a decorator of the package may keep what it decorates where others find it."""
    for decorator in (one for statement in statements for one in getattr(statement, "decorator_list", [])):
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        root = next((node for node in ast.walk(called) if isinstance(node, ast.Name)), None)
        if root is None or root.id not in module.definitions.keys() | module.imports.keys():
            continue
        if not isinstance(called, ast.Name):
            return True
        home, names = _units(module.imports.get(root.id, f"{module.name}.{root.id}"), modules)
        if home is None or len(names) != 1 or "." in names[0]:
            return True
        states = {name for name, several in home.definitions.items() if not isinstance(several[0], DEFINES)}
        for defined in home.definitions[names[0]]:
            used = {node.id for node in _walk(defined) if isinstance(node, ast.Name)}
            if not isinstance(defined, ast.FunctionDef) or used & states or used & set(home.imports):
                return True
    return False


def _imported(node: ast.Import | ast.ImportFrom, module: _Module, package: Path) -> list[str]:
    """List the modules that an import runs, as far as they are of the package."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.split(".")[0] == package.name]
    return [name for _, name in _imports(node, module, package)]


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement defines; none where it does something else, or more."""
    if isinstance(statement, DEFINES):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    elif hasattr(ast, "TypeAlias") and isinstance(statement, ast.TypeAlias):
        targets = [statement.name]
    flat = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return (
        [one.id for one in flat if isinstance(one, ast.Name)] if all(isinstance(one, ast.Name) for one in flat) else []
    )


def _digest(statements: Iterable[ast.stmt]) -> str:
    return hashlib.sha256("\n".join(map(ast.unparse, statements)).encode()).hexdigest()


def _without_text(parent: ast.AST) -> None:
    """Take docstrings out of what is below a node. Only statements hold statements: expressions are left out."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        below = getattr(parent, name, None)
        if not isinstance(below, list):
            continue
        kept = [one for one in below if not _is_text(one)]
        for one in kept:
            _without_text(one)
        setattr(parent, name, kept or ([ast.Pass()] if name == "body" else []))


def _is_text(statement: ast.AST) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _tree(path: Path) -> ast.Module:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise NnbookError(f"{path}: is no Python ({error}); mend it") from error
    _without_text(tree)
    return tree


def _modules(package: Path) -> dict[str, _Module]:
    return _modules_of(package, tuple(_states(str(package))))


def _states(folder: str) -> Iterator[tuple[str, int, int]]:
    """Give each file below a folder with its time of change, in ns, and size, in bytes."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _states(entry.path)
            elif "." in entry.name and entry.is_file():
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=4)
def _modules_of(package: Path, states: tuple[tuple[str, int, int], ...]) -> dict[str, _Module]:
    modules: dict[str, _Module] = {}
    for path in sorted(Path(file) for file, _, _ in states if file.endswith(".py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules[name] = _Module(name, path, is_package=parts[-1] == "__init__")
    return modules


def _read(module: _Module, modules: dict[str, _Module]) -> None:
    """Read a module's statements, and the files beside it, when something is asked of it first."""
    path, module.unread = module.unread, None
    if path is None:
        return
    package = path.parents[module.name.count(".") - (not module.is_package)]
    for beside in sorted(path.parent.glob(f"{path.stem}.*")):
        if beside.suffix == ".pyi":
            for statement in _tree(beside).body:
                if isinstance(statement, ast.ImportFrom):
                    module.handed_out |= dict(_imports(statement, module, package))
        elif beside != path:
            module.data[beside.relative_to(package.parent).as_posix()] = sha256(beside)
    _sort_statements(_tree(path).body, module, package)
    module.registered |= {name for name, made in module.definitions.items() if _is_kept(made, module, modules)}
