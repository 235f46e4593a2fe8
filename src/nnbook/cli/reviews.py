"""The commands that list and get what two reviews name, and that hold a repository against their criteria."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nnbook.cli.options import add_command, print_json, print_values
from nnbook.errors import NnbookError

if TYPE_CHECKING:
    import argparse

    from nnbook.cli.options import Commands
    from nnbook.reviews.datasets import DataSet

FILTERS: Final = {
    "task": "segmentation, classification or detection",
    "dimension": "2D or 3D",
    "modality": "such as fluorescence, confocal or histology",
    "organism": "a word of it, such as human",
    "stain": "a word of it, such as Hoechst",
    "access": "files, page, account or request",
    "licence": "a word of it, such as CC0",
}


def add_datasets(commands: Commands) -> None:
    """Add `nnbook datasets`."""
    command = add_command(
        commands,
        "datasets",
        _datasets,
        "List the data sets of nuclei that two reviews name; get one of them; check their links.",
        "--dimension 3D",
        "--organism human --csv",
        "get bbbc039 --out sets/bbbc039",
        "get dsb2018 --local stage1_train --out sets/dsb2018",
        "check",
    )
    for name, text in FILTERS.items():
        command.add_argument(f"--{name}", help=f"only those with this: {text}")
    command.add_argument("--csv", action="store_true", help="print all fields as a CSV table")
    actions = command.add_subparsers(dest="action", metavar="ACTION")
    get = add_command(actions, "get", _get, "Fetch a data set, and convert it to images/ and labels/.")
    get.add_argument("dataset", metavar="NAME", help="as 'nnbook datasets' lists it")
    get.add_argument("--out", type=Path, required=True, help="the folder to write")
    get.add_argument("--local", type=Path, help="a folder that has its files already, packed or not")
    check = add_command(actions, "check", _check, "Ask for every address, and say which are dead.")
    for action in (get, check):
        action.set_defaults(name=f"datasets {action.prog.rpartition(' ')[2]}")


def _datasets(call: argparse.Namespace) -> None:
    from nnbook.reviews.datasets import choose_datasets, datasets_csv, known_datasets

    chosen = choose_datasets(known_datasets(), **{name: getattr(call, name) for name in FILTERS})
    if call.json:
        print_json([asdict(one) for one in chosen])
    elif call.csv:
        sys.stdout.write(datasets_csv(chosen))
    else:
        _print_table(chosen)


def _print_table(datasets: tuple[DataSet, ...]) -> None:
    from nnbook.values.formatting import shown
    from nnbook.values.table import Table

    header = ("name", "tasks", "dim.", "modality", "organism", "images", "nuclei", "access", "licence")
    rows = tuple(
        (
            f"{one.name}{'*' if one.contradictions else ''}",
            ", ".join(one.tasks),
            ", ".join(one.dimensions),
            one.modality or "–",
            one.organism or "–",
            *(f"{'~' if name in one.approximate else ''}{shown(getattr(one, name))}" for name in ("images", "nuclei")),
            one.access,
            one.licence or "–",
        )
        for one in datasets
    )
    print(Table(header, rows, frozenset({5, 6}), f"{len(rows)} data sets; – is what the reviews don't say, ~ about"))
    if any(one.contradictions for one in datasets):
        print("* the reviews, or others, state something else: --json says what")


def _get(call: argparse.Namespace) -> None:
    from nnbook.datasets.acquisition import get_dataset
    from nnbook.reviews.datasets import find_dataset, known_datasets

    dataset = find_dataset(call.dataset, known_datasets())
    found = get_dataset(dataset, call.out, local=call.local)
    for file in found["files"]:
        if not file["known"]:
            print(
                f"nnbook: no SHA-256 is known for {file['file']}, so nobody checked that it is as published; "
                f"it is {file['sha256']} now",
                file=sys.stderr,
            )
    if not found["files"]:
        print(f"nnbook: {call.local} was converted as it is, without a check of its SHA-256", file=sys.stderr)
    print_values(call, {**found, "out": str(call.out)})


def _check(call: argparse.Namespace) -> None:
    from nnbook.datasets.links import check_links
    from nnbook.reviews.datasets import known_datasets

    links = check_links(known_datasets())
    if call.json:
        print_json([link._asdict() for link in links])
    else:
        for link in links:
            print(f"{link.state:8}{link.dataset:24}{link.address}{f'  ({link.detail})' if link.detail else ''}")
    if dead := [link for link in links if link.state == "dead"]:
        raise NnbookError(
            f"{len(dead)} of {len(links)} addresses are dead, of {', '.join(link.dataset for link in dead)}; mend them "
            "in src/nnbook/reviews/datasets.yml"
        )


def add_audit(commands: Commands) -> None:
    """Add `nnbook audit`."""
    command = add_command(
        commands,
        "audit",
        _audit,
        "Hold a repository against what two reviews want of a method that biologists can use.",
        ".",
        "stardist --badge badge.svg",
    )
    command.add_argument(
        "folder", type=Path, metavar="PATH", help="the top of a checkout; only its files are looked at"
    )
    command.add_argument("--badge", type=Path, metavar="FILE", help="write its points as an SVG image, too")


def _audit(call: argparse.Namespace) -> None:
    from nnbook.audit.scorecard import audit, draw_badge
    from nnbook.io.files import atomic_write

    card = audit(call.folder)
    if call.badge is not None:
        with atomic_write(call.badge) as written:
            written.write_text(draw_badge(card), encoding="utf-8")
    if call.json:
        print_json(card.as_json())
        return
    for criterion, verdict in card.judged:
        print(f"{verdict.verdict:8}{criterion.title}: {verdict.why}")
        for line in verdict.evidence:
            print(f"{'':10}{line.path}{f':{line.number}' if line.number else ''}: {line.text}")
        if verdict.lacking:
            print(f"{'':10}lacking: {verdict.lacking} ({criterion.reason}; {criterion.source})")
    print(f"{card.name}: {card.points:g} of {card.most} points")
