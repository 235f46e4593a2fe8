"""Building the site strictly: whatever MyST accepts with a warning, and a reader would miss, fails the build."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nnbook.book.check import recorded_of_published
from nnbook.book.pages import problems_of_pages
from nnbook.book.parts import parts_of, site_parts
from nnbook.book.publication import check_address, complete_site, options_of, read_settings
from nnbook.book.reference import REFERENCE, write_reference
from nnbook.cells.store import read_cells
from nnbook.errors import InvalidValueError, NnbookError
from nnbook.io.edition import DATA, FULL_SIZE, LIVE, PUBLISHED, read_edition, read_layers
from nnbook.io.files import atomic_write, link_or_copy, locked, write_json
from nnbook.provenance.notebooks import execute_notebooks, newest, stale_notebooks
from nnbook.values.computed import cited_as_json
from nnbook.viewers.tables import steps

if TYPE_CHECKING:
    from nnbook.io.edition import Edition
    from nnbook.io.paths import PathLike

BUILD_SECONDS = 600
SAY_SECONDS = 30
LOOK_SECONDS = 0.3
"""How often the preview looks for edits of notebooks and of the package."""

BOOK_VARIABLE = "NNBOOK_BOOK"
"""The environment variable that names the book's folder to the plugins, which may be in another."""

OPENING = "opening"
"""The folder, in the site, of the panoramas that open the book."""

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PROBLEM = re.compile(r"⚠|⛔|❌")
CELLS_BYTES = 500_000_000
"""A larger store of cells isn't copied into the site: many hosts of sites take 1 GB, of which this leaves half."""

RESOLVED = re.compile(
    r"""Cannot find asset for 'esm' "/(build/)?[\w.-]+-[0-9a-f]{32}\.mjs"|"""
    r"""No target for internal reference "#[\w-]+&panorama="""
)
"""What MyST's preview says of pages beside the edited one, which it takes through its last steps again: their views and
their links into views are resolved already, and are looked for as if they were not."""

MISSING_ASSET = re.compile(r"Static file not found|Could not fetch optional asset")


def show_edition(folder: Path, project: Path, *, cells: str | None = None, archive_of: str | None = None) -> Edition:
    """Make an edition the one that the book shows.

    `build/book` becomes a link to its folder. `edition.yml` in it lists the files that go with the site, and carries a
    notice to every page where notebooks are out of date. `layers.json` says which layers figures can show, `steps.json`
    where the steps of the text lead, `published.json` holds the cited values, `recorded.json` what the book's record
    has of values computed from published data, for a build without these data, and `api.md` is the page of the
    package's public names. A static stand-in that the
    edition's notebooks did not draw is replaced by a notice.

    Parameters
    ----------
    folder : Path
        The edition's folder, as `nnbook.pipeline.editions` made it.
    project : Path
        The book's folder, which holds `myst.yml`.
    cells : str, optional
        Address of a folder on the web that has all of the edition's `cells/`. The site then holds only this
        address of the cells.
    archive_of : str, optional
        Address of the book's current version: every page then says that this is an archived one.

    Returns
    -------
    Edition

    Raises
    ------
    NnbookError
        Where there is no such edition, or an address is none; also where `myst.yml` has a wrong address or repository.
    """
    edition = read_edition(folder)
    # Before anything is changed.
    settings = read_settings(project, archived=archive_of is not None)
    if archive_of is not None:
        check_address(archive_of, "archive_of, the current version's address,", parameter="archive_of")
    shown = "cells"
    if cells is not None:
        shown = "hosted/cells"
        write_json(folder / shown / "cells.json", hosted_cells(edition.cells, cells))
    notice = stale_notice(project, folder)
    options = ({"notice": notice} if notice else {}) | ({"data_host": cells} if cells else {})
    nested = _gather_nested(edition)
    live = [f"figures/{LIVE}"] if (edition.figures / LIVE).is_dir() else []
    files = [f"build/book/{name}" for name in ("layers.json", "pyramids", shown, "mosaic", *live, *nested)]
    layers = [
        {
            "name": layer.name,
            "label": layer.label or None,
            "folder": "" if layer.folder == folder else f"{layer.folder.name}/",
            "has": [data for data in DATA if layer.has(data)],
        }
        for layer in read_layers(folder=folder)
    ]
    write_json(folder / "layers.json", {"version": 1, "layers": layers})
    write_json(folder / "steps.json", {"layer": edition.name, "places": steps(edition)})
    write_json(folder / "published.json", cited_as_json())
    write_json(folder / "recorded.json", recorded_of_published(project))
    write_reference(folder / REFERENCE)
    with atomic_write(project / "build" / "book") as written:
        written.symlink_to(os.path.relpath(folder, project / "build"), target_is_directory=True)
    for kept in sorted((project / "figures").glob("*.png")):
        if not (edition.figures / kept.name).exists():
            from nnbook.figures.style import no_figure

            no_figure(edition.figures / kept.name)
    options |= options_of(edition, project, settings, cells=cells, archive_of=archive_of)
    # JSON is YAML, too.
    write_json(folder / "edition.yml", {"version": 1, "project": {"static_files": files}, "site": {"options": options}})
    return edition


def stale_notice(project: Path, folder: Path) -> str:
    """Return what of an edition is out of date, which goes to standard error as well; empty where nothing is."""
    stale = stale_notebooks(project / "notebooks", folder)
    if not stale:
        return ""
    print(f"nnbook: notebooks are out of date: {', '.join(stale)}; 'nnbook status' says why", file=sys.stderr)
    return f"Out of date on these pages, call nnbook run: {', '.join(stale)}."


def full_note(project: Path, folder: Path) -> str:
    """Return an edition's note, with what of it is out of date."""
    return f"{read_edition(folder).note} {stale_notice(project, folder)}".strip()


def lacking_table(edition: Edition) -> str:
    """Return what a book about NucleusNet says where it lacks the published table; empty where it lacks nothing."""
    if not edition.simulated or (edition.folder / PUBLISHED / "results.csv").is_file():
        return ""
    return (
        "this book lacks the published table of NucleusNet, and shows simulated panoramas alone; call make book with a "
        "network, or with LOCAL=FOLDER, which has its results.csv"
    )


def _gather_nested(edition: Edition) -> list[str]:
    """Link what viewers read of nested editions into `site/`; return the names of its folders below the edition's.

    MyST copies whole folders, and those of editions have images and masks as well. The panoramas that open the book are
    the one of published size, where there is one.
    """
    full_size = edition.folder / FULL_SIZE
    views = {f"{PUBLISHED}/{name}": edition.folder / PUBLISHED / name for name in ("pyramids", "cells", "mosaic")}
    if edition.simulated:
        views[f"{OPENING}/pyramids"] = (full_size if full_size.is_dir() else edition.folder) / "pyramids"
    shutil.rmtree(edition.folder / "site", ignore_errors=True)
    for name, folder in views.items():
        if folder.is_dir():
            shutil.copytree(folder, edition.folder / "site" / name, copy_function=link_or_copy)
    return [f"site/{folder.name}" for folder in sorted((edition.folder / "site").glob("*"))]


def check_cells_fit(folder: Path) -> None:
    """Raise NnbookError where an edition's store of cells is too large to go with a site."""
    size = sum(path.stat().st_size for path in (folder / "cells").rglob("*") if path.is_file())
    if size > CELLS_BYTES:
        raise NnbookError(
            f"{folder / 'cells'}: has {size / 1e9:,.1f} GB, too much for a site; copy this folder to a host that "
            "answers range requests and other origins (Access-Control-Allow-Origin), and name its address there: "
            f"nnbook site {folder} --cells https://HOST/cells/"
        )


def hosted_cells(store: Path, address: str) -> dict[str, Any]:
    """Return what `cells.json` of a store says, with the addresses that its files have on the web.

    Parameters
    ----------
    store : Path
        The folder of `nnbook.cells.writer.write_cells`.
    address : str
        Address of its copy on the web, such as `https://HOST/cells/`.

    Raises
    ------
    NnbookError
        Where the address is none of the web, or there is no store.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise InvalidValueError(f"{address}: is no address of a folder; give one such as https://HOST/cells/")
    about = read_cells(store).about
    base = address.rstrip("/")
    told = {**about, **{name: f"{base}/{about[name]}" for name in ("images", "thumbnails", "table")}}
    if "overview" in about:
        told["overview"] = {**about["overview"], "table": f"{base}/{about['overview']['table']}"}
    if "draw" in about:
        told["draw"] = {**about["draw"], "thumbnails": f"{base}/{about['draw']['thumbnails']}"}
    return told


def build_site(project: PathLike) -> Path:
    """Build the book into `_build/html`.

    Parameters
    ----------
    project : str or Path
        The book's folder, with the edition to show linked as `build/book`.

    Returns
    -------
    Path
        `_build/html`.

    Raises
    ------
    NnbookError
        With MyST's own lines where it reports an error or a warning: an unresolved reference or citation, an unknown
        directive or role, a missing asset, a widget whose JSON is broken. The site that was there is then removed.
    """
    project = Path(project)
    parts_of(project)
    output, failed = run_myst(project, "--html")
    html = project / "_build" / "html"
    problems = problems_in(output)
    built = not failed and (html / "index.html").is_file()
    if built and not problems:
        problems = problems_of_pages(html)
    if problems or not built:
        shutil.rmtree(html, ignore_errors=True)
        raise NnbookError("the site can't be built:\n" + ("\n".join(problems) or output.strip()))
    _drop_second_copies(project, html)
    complete_site(project, html)
    return html


def run_myst(project: Path, kind: str, *, book: Path | None = None) -> tuple[str, bool]:
    """Let MyST build one kind of output strictly, such as `--html`; return its messages and whether it failed.

    `book` is the folder whose build the pages are of, where it is not the project.
    """
    process = subprocess.Popen(
        [_myst(), "build", kind, "--strict"],
        cwd=project,
        env=_environment(book or project),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # so that the theme's server ends with it
    )
    try:
        output = _patiently(process, project)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return output, process.returncode != 0


def _patiently(process: subprocess.Popen[str], project: Path) -> str:
    """Return what MyST writes until it ends, and say now and then that it still works."""
    for waited in range(SAY_SECONDS, BUILD_SECONDS + 1, SAY_SECONDS):
        try:
            return process.communicate(timeout=SAY_SECONDS)[0]
        except subprocess.TimeoutExpired:
            print(f"nnbook: MyST still builds {project}, for {waited} s of at most {BUILD_SECONDS} s", file=sys.stderr)
    raise NnbookError(
        f"{project}: MyST hadn't built the book after {BUILD_SECONDS} s; 'myst build --html' says where it is"
    )


def serve_site(project: PathLike, folder: PathLike) -> None:
    """Serve a live preview until interrupted: an edit of a chapter or of a notebook's prose shows within seconds.

    After an edit of a notebook's code, or of a function of the package, those notebooks that depend on it are executed
    again, and no others. A failure is reported, and the preview goes on. It answers only under this machine's own name,
    and to its own pages: what is not published can't be read by another site that is open in the same browser.

    Parameters
    ----------
    project : str or Path
        The book's folder.
    folder : str or Path
        The folder of the edition that it shows.
    """
    project, folder = Path(project), Path(folder)
    parts_of(project)
    # A shell that starts this in the background has interrupts ignored, and `kill` would leave MyST's servers behind.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    # Node loads it before MyST, and before the theme's server, which inherits this environment.
    guard = f"--import={(site_parts()['plugins'] / 'own-host.mjs').resolve().as_uri()}"
    options = f"{os.environ.get('NODE_OPTIONS', '')} {guard}".strip()
    environment = _environment(project) | {"NODE_OPTIONS": options}
    if sys.stdout.isatty():
        environment["FORCE_COLOR"] = "1"  # it writes into a pipe
    process = subprocess.Popen(
        [_myst(), "start"],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    printing = Thread(target=_pass_on, args=[process.stdout], daemon=True)
    printing.start()
    notebooks = project / "notebooks"
    seen = newest(notebooks)
    try:
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if (now := newest(notebooks)) != seen:
                seen = now
                _execute_stale(notebooks, folder)
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        printing.join(1)


def _pass_on(output: IO[str]) -> None:
    """Print what MyST's preview says, but for errors about what is resolved already."""
    with output:
        for line in output:
            if not RESOLVED.search(ANSI.sub("", line)):
                print(line, end="", flush=True)


def _execute_stale(notebooks: Path, folder: Path) -> None:
    try:
        with locked(folder):
            execute_notebooks(notebooks, folder)
    except NnbookError as error:
        print(f"nnbook: {error}", file=sys.stderr)


def problems_in(output: str) -> list[str]:
    """Find the lines of MyST's output that report an error or a warning, each once."""
    lines = [ANSI.sub("", line).rstrip() for line in output.splitlines()]
    return list(dict.fromkeys(line.strip() for line in lines if PROBLEM.search(line) or MISSING_ASSET.search(line)))


def _drop_second_copies(project: Path, html: Path) -> None:
    """Remove the copy of each static folder that MyST puts at the root: modules read the one beside them."""
    for folder in (project / "build" / "book" / name for name in ("pyramids", "cells", "mosaic", PUBLISHED, OPENING)):
        if (html / "build" / folder.name).is_dir():
            shutil.rmtree(html / folder.name, ignore_errors=True)


def _environment(book: Path) -> dict[str, str]:
    """Return the environment in which MyST finds Node, and the plugins the book whose pages they are for."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, BOOK_VARIABLE: str(book.resolve())}


def _myst() -> str:
    beside = Path(sys.executable).parent / "myst"
    found = str(beside) if beside.is_file() else shutil.which("myst")
    if found is None:
        raise NnbookError("myst: no such command; install it with: pip install 'nnbook[book]'")
    return found
