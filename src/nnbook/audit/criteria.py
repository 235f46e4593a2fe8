"""What the reviews want of a method, as far as a program can see it: each criterion judges a repository's files.

A program sees that a card names scores, not whether they are true. So a verdict says which file and line it is from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from nnbook.audit.repository import Line, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

YES: Final = "yes"
PARTLY: Final = "partly"
NO: Final = "no"
POINTS: Final = {YES: 1.0, PARTLY: 0.5, NO: 0.0}


class Verdict(NamedTuple):
    """What a repository has of a criterion.

    Attributes
    ----------
    verdict : str
        "yes", "partly" or "no".
    why : str
        What was found.
    lacking : str
        What is missing for a yes; empty where nothing is.
    evidence : tuple of Line
        Where it was found.
    """

    verdict: str
    why: str
    lacking: str = ""
    evidence: tuple[Line, ...] = ()


class Criterion(NamedTuple):
    """A thing that a usable method has.

    Attributes
    ----------
    name, title : str
        What programs and people call it.
    reason, source : str
        Why a biologist needs it, and which review says so.
    judge : callable
        Gives the verdict for a repository.
    """

    name: str
    title: str
    reason: str
    source: str
    judge: Callable[[Repository], Verdict]


LICENCE_FILE: Final = r"(licen[cs]e|copying|unlicense)([-.]\w+)*"
LICENCES: Final = {
    "MIT": r"\bMIT License\b|Permission is hereby granted, free of charge",
    "Apache-2.0": r"Apache License",
    "BSD": r"\bBSD\b|Redistribution and use in source and binary forms",
    "GPL": r"GNU (LESSER |AFFERO )?GENERAL PUBLIC LICENSE",
    "MPL-2.0": r"Mozilla Public License",
    "Creative Commons": r"Creative Commons|\bCC0\b",
    "Unlicense": r"released into the public domain",
    "CeCILL": r"CeCILL",
}

DOCUMENTS: Final = (
    r"(?!changelog|contributing|code_of_conduct|licen[cs]e|news|history|security)"
    r"(readme(\.\w+)?|(docs?|documentation|chapters|tutorials?|manual)/.*\.(md|rst|txt|html)|[^/]+\.(md|rst))"
)
LOCKS: Final = r"(.*/)?(poetry|uv|pdm|pixi|conda|conda-lock|pipfile)(-lock)?\.(lock|ya?ml)|(.*/)?(pipfile|renv)\.lock"
REQUIREMENTS: Final = r"(requirements[^/]*|(requirements|docker|env)/[^/]*)\.(txt|in)"
ENVIRONMENT: Final = r"(.*/)?(environment|env|conda)[^/]*\.ya?ml"
PROJECT: Final = r"pyproject\.toml|setup\.(py|cfg)|description|package\.json|pom\.xml|cmakelists\.txt"
CONTAINERS: Final = r"(.*/)?((docker|container)file[^/]*|[^/]+\.(dockerfile|def)|singularity[^/]*)"

WEIGHTS: Final = r".*\.(pth?|ckpt|onnx|safetensors|keras|tflite|weights|h5|hdf5|pb|joblib)"
WEIGHTS_FOLDER: Final = r"(.*/)?(models?|weights|checkpoints|pretrained[^/]*)/[^/.]+"
WEIGHTS_SAID: Final = r"(weights|checkpoint|(pre-?)?trained model|model zoo)"
WEIGHTS_LINK: Final = rf"{WEIGHTS_SAID}.*https?://|https?://.*{WEIGHTS_SAID}"
MODEL_BYTES: Final = 100_000
"""A file without an ending in a folder of models is a model from this size on."""

CARD_NAME: Final = r"(.*/)?(model[-_ ]?card|readme)[^/]*\.(md|rst|txt)"
SCORES: Final = r"(F1|AP|mAP|IoU|Dice|accuracy|precision|recall|scores?|jaccard|AJI)"
CARD: Final = {
    "what it was trained on": r"train(ed|ing)? (on|data|set|images)|data ?sets?\b",
    "how good it is": rf"\b{SCORES}\b[^a-z]*\d|\|[^|]*\b{SCORES}\b",
    "how it is used": r"^#+ .*\b(use|usage|how to)\b|\b(input|load|loads|diameter|threshold|normali[sz])",
    "limits": r"\b(limits?|limitations?|caveats?|fails?|biased?|can't|cannot|not (suited|meant|trained|made) \w+)\b",
}

IMAGES: Final = r"\.(tiff?|png|jpe?g|bmp|gif|czi|nd2|lsm|oib|oif|lif|npy|npz|h5|hdf5|zarr|mha|nii(\.gz)?|zip)"
EXAMPLE_FOLDER: Final = r"(examples?|samples?|demos?|(test|sample|example|demo)[-_]?(data|images)|data)"
EXAMPLES: Final = rf"(.*/)?{EXAMPLE_FOLDER}/.*{IMAGES}"
EXAMPLE: Final = r"\b(example|sample|demo|toy|tutorial) (data|images?|sets?|data ?sets?)\b"
EXAMPLES_SAID: Final = rf"{EXAMPLE}.*https?://|(get|fetch|wget|curl|download)\b.*{EXAMPLE}"

TRAINING: Final = r"(.*/)?[^/]*train[^/]*\.(py|ipynb|sh|r|m|ya?ml|json|toml|cfg|ini)|(.*/)?train(ing|er)?/[^/]*\.py"
CONFIGURATION: Final = r"(.*/)?(configs?|conf|hyperparameters?|params)(/.*|[^/]*)\.(ya?ml|json|toml|cfg|ini|py)"
APART: Final = r"(.*/)?(tests?|benchmarks?|\.github)/.*|(.*/)?test_[^/]*|tsconfig[^/]*"
"""What trains or shows something only to test it."""

HYPERPARAMETERS: Final = {
    "learning rate": r"learning[-_ ]?rate|\blr\b",
    "batch size": r"batch[-_ ]?size|\bbatch(es)?\b",
    "number of steps or epochs": r"\b(n_|num_|max_)?(epochs?|steps|iterations|max_iter)\b",
    "optimiser": r"\boptimi[sz]er\b|\b(Adam|AdamW|SGD|RMSprop|Adadelta|RAdam)\b",
    "loss": r"\bloss(es)?\b|criterion|cross[-_ ]?entropy|\bMSE\b|\bdice\b",
    "augmentation": r"augment|flip|rotat|elastic|transforms?\b|random[-_ ]?crop",
    "seed": r"\bseed\b|manual_seed|random_state",
    "size of images": r"(crop|patch|image|img|tile|input)[-_ ]?(size|px|shape)|(width|height|side|size)_px|\d px",
}

SCRIPTS: Final = (
    r"^\s*\[project\.(gui-)?scripts\]|^\s*\[tool\.poetry\.scripts\]|console_scripts|gui_scripts|^\s*\"bin\"\s*:"
)
ARGUMENTS: Final = r"argparse\.ArgumentParser|optparse\.|commandArgs|^\s*(import|from) (click|typer|docopt|fire|absl)\b"
GRAPHICAL: Final = (
    r"^\s*(import|from) (PyQt\d?|PySide\d?|qtpy|tkinter|wx|kivy|gradio|streamlit|magicgui|dash)\b"
    r"|ij\.plugin|\bscijava\b|\buigetfile\b"
)
PLUGINS: Final = r"(.*/)?(plugins\.config|napari\.ya?ml)"

TESTS: Final = (
    r"(.*/)?(tests?/.*\.(py|r|m|jl|c|cc|cpp|java|m?[jt]sx?)|test_[^/]+\.py|[^/]+_test\.(py|go|cc|cpp)"
    r"|[^/]+\.(test|spec)\.m?[jt]sx?|test[^/]*\.java)"
)
NO_TESTS: Final = r"(.*/)?(__init__|conftest)\.py"
CONTINUOUS: Final = (
    r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.travis\.yml|\.circleci/config\.yml|azure-pipelines\.yml"
    r"|jenkinsfile|appveyor\.yml|\.ci/[^/]+"
)
RUNS_TESTS: Final = (
    r"pytest|unittest|\b(tox|nox|ctest|mvn|gradle|testthat|nosetests)\b|make (test|check)|npm (run )?test|R CMD check"
    r"|cargo test"
)

AMOUNT: Final = r"\b\d+([.,]\d+)? ?(GB|MB|GiB|MiB|Mpx|megapixels?)\b"
IMAGE: Final = r"\b(images?|panoramas?|px|pixels?|stacks?|fields?|segment\w*|memory|RAM)\b"
SIZES: Final = rf"{IMAGE}.*{AMOUNT}|{AMOUNT}.*{IMAGE}|\b(maximum|max\.?|limited|largest) (image |file )?size"
UPLOADS: Final = (
    r"\bupload|\bleaves? (your|the|this|a) (\w+ )?(machine|computer|browser|page|laboratory|lab)\b"
    r"|\b(runs?|works?|stays?|processed) (locally|offline|on your|in the (browser|page))|nothing is (sent|uploaded)"
)

INSTALLS: Final = (
    r"\b(pip3?|uv|conda|mamba|poetry|npm|apt(-get)?|brew) (\w+ )?(install|create|add|sync)\b|docker (build|run|pull)"
)
USAGE: Final = (
    r"^(#+ .*|\*\*)\b(usage|use|using|quick ?start|getting started|tutorial|how to|running|predict\w*|inference"
    r"|segment\w*|your own)\b"
)


def licence(repository: Repository) -> Verdict:
    """Judge whether it says what others may do with it."""
    files = repository.matching(LICENCE_FILE)
    for file in files:
        for name, words in LICENCES.items():
            if (line := repository.first([file], words)) is not None:
                return Verdict(YES, f"{name}", "", (line,))
    if files:
        line = Line(files[0], 1, repository.text(files[0]).partition("\n")[0][:120])
        return Verdict(PARTLY, "a licence that is none of the well-known ones", "a well-known licence", (line,))
    said = repository.first(repository.matching(PROJECT), r"^\s*\"?licen[cs]e\"?\s*[:=]")
    if said is not None:
        return Verdict(PARTLY, "a licence is named", "its text, as a file LICENSE", (said,))
    return Verdict(NO, "no licence, so nobody may copy or change it", "a file LICENSE")


def install_recipe(repository: Repository) -> Verdict:
    """Judge whether what it needs can be installed in the versions that it was made with."""
    if locks := repository.matching(LOCKS):
        return Verdict(YES, "every package by its version", "", (Line(locks[0], 0, "a lock file"),))
    lists = repository.matching(REQUIREMENTS)
    for file in lists:
        needs = [line for line in repository.lines([file], r"^\s*[A-Za-z0-9]") if not line.text.startswith("-")]
        loose = [line for line in needs if not re.search(r"===?|@ |#sha256=", line.text)]
        if needs and not loose:
            return Verdict(YES, f"{len(needs)} packages, each by its version", "", (needs[0],))
    for file in repository.matching(ENVIRONMENT):
        needs = list(repository.lines([file], r"^\s*-\s+[A-Za-z0-9][^:]*$"))
        loose = [line for line in needs if "=" not in line.text]
        if needs and not loose:
            return Verdict(YES, f"{len(needs)} packages, each by its version", "", (needs[0],))
        lists.append(file)
    if lists:
        loose_line = repository.first(lists, r"^\s*(-\s+)?[A-Za-z0-9][^=:]*$")
        what = "versions of all packages, as a later one may not work"
        return Verdict(PARTLY, "what it needs, not all by version", what, (loose_line,) if loose_line else ())
    if projects := repository.matching(PROJECT):
        line = Line(projects[0], 0, "what it needs")
        return Verdict(PARTLY, "what it needs, not by version", "a lock file, or requirements with ==", (line,))
    return Verdict(NO, "nothing says what has to be installed", "requirements with ==, or a lock file")


def container(repository: Repository) -> Verdict:
    """Judge whether its environment comes as a container."""
    files = repository.matching(CONTAINERS)
    starts = list(repository.lines(files, r"^\s*FROM\s+\S|^\s*Bootstrap\s*:"))
    if not starts:
        lacking = "a Dockerfile, so that nobody has to set it up"
        return Verdict(NO, "no container", lacking)
    loose = [
        line
        for line in starts
        if not re.search(r"(?i)FROM\s+(--\S+\s+)*(\S+[:@](?!latest)\S+|scratch)|Bootstrap", line.text)
    ]
    stages = {match[1] for line in starts if (match := re.search(r"(?i)\bAS\s+(\S+)", line.text))}
    loose = [line for line in loose if line.text.split()[-1] not in stages and line.text.split()[1] not in stages]
    if loose:
        return Verdict(
            PARTLY, "a container on whatever is newest", "the version of the image it starts from", (loose[0],)
        )
    return Verdict(YES, "a container, on a named version", "", (starts[0],))


def documentation(repository: Repository) -> Verdict:
    """Judge whether it says how it is installed and how it is used, the least that the review asks for."""
    files = repository.matching(DOCUMENTS)
    found = {
        "how to install it": repository.first(files, INSTALLS),
        "how to use it": repository.first(files, USAGE),
    }
    evidence = tuple(line for line in found.values() if line is not None)
    lacking = [what for what, line in found.items() if line is None]
    if not files or len(lacking) == len(found):
        return Verdict(
            NO, "no documentation" if not files else "documents without installation or use", " and ".join(found)
        )
    if lacking:
        return Verdict(PARTLY, "it does not say all", lacking[0], evidence)
    return Verdict(YES, " and ".join(found), "", evidence)


def model(repository: Repository) -> Verdict:
    """Judge whether a trained model comes with it, and a card that says what it is."""
    files = repository.matching(WEIGHTS)
    files += [path for path in repository.matching(WEIGHTS_FOLDER) if repository.size(path) >= MODEL_BYTES]
    link = None if files else repository.first(repository.matching(DOCUMENTS), WEIGHTS_LINK)
    if not files and link is None:
        return Verdict(NO, "no trained model", "the weights, or a link to them, with a card")
    where = Line(files[0], 0, f"{repository.size(files[0]):,} bytes") if files else link
    assert where is not None  # noqa: S101 - one of them is there
    folder = where.path.rpartition("/")[0]
    cards = [path for path in repository.matching(CARD_NAME) if _is_card(path, folder)]
    best = max(cards, key=lambda card: len(_found(repository, [card], CARD)), default=None)
    said = {} if best is None else _found(repository, [best], CARD)
    lacking = [what for what in CARD if what not in said]
    if lacking:
        card = "a card that says " if best is None else f"in {best}, "
        return Verdict(PARTLY, "a trained model", f"{card}{', '.join(lacking)}", (where, *said.values()))
    return Verdict(YES, "a trained model with its card", "", (where, *said.values()))


def _is_card(path: str, folder: str) -> bool:
    """Return whether a document may be the card of a model in a folder: it is beside it, or is called one."""
    return path.rpartition("/")[0] == folder or "card" in path.rpartition("/")[2].casefold()


def example_data(repository: Repository) -> Verdict:
    """Judge whether there is something to try it on."""
    files = [path for path in repository.matching(EXAMPLES) if repository.size(path) > 0]
    if files:
        line = Line(files[0], 0, f"{repository.size(files[0]):,} bytes")
        return Verdict(YES, f"{len(files)} example files", "", (line,))
    if (said := repository.first(repository.matching(DOCUMENTS), EXAMPLES_SAID)) is not None:
        return Verdict(YES, "how to get example data", "", (said,))
    return Verdict(NO, "nothing to try it on", "an image with its result, or how to get one")


def training_recipe(repository: Repository) -> Verdict:
    """Judge whether it can be trained again: code, and every hyperparameter."""
    apart = set(repository.matching(APART))
    code = [path for path in repository.matching(TRAINING) if path not in apart]
    if not code:
        return Verdict(NO, "no training code", "the code, and every hyperparameter")
    settings = [path for path in repository.matching(CONFIGURATION) if path not in apart]
    cards = [path for path in repository.matching(CARD_NAME) if "model" in path.casefold()]
    found = _found(repository, [*code, *settings, *cards], HYPERPARAMETERS)
    lacking = [what for what in HYPERPARAMETERS if what not in found]
    evidence = (Line(code[0], 0, "training code"), *found.values())
    if lacking:
        return Verdict(PARTLY, "training code, not with every hyperparameter", ", ".join(lacking), evidence)
    return Verdict(YES, f"training code with {', '.join(HYPERPARAMETERS)}", "", evidence)


def interface(repository: Repository) -> Verdict:
    """Judge whether one can use it without programming."""
    command = repository.first(repository.matching(PROJECT), SCRIPTS)
    if command is not None:
        return Verdict(YES, "a command that is installed", "", (command,))
    apart = set(repository.matching(APART))
    own = [path for path in repository.matching(r".*\.(py|r|m|java)") if path not in apart]
    plugin = next((Line(path, 0, "a plugin") for path in repository.matching(PLUGINS)), None)
    graphical = plugin or repository.first(own, GRAPHICAL)
    if graphical is not None:
        return Verdict(YES, "a graphical interface", "", (graphical,))
    script = repository.first(own, ARGUMENTS)
    if script is not None:
        lacking = "a command that is installed, or a graphical interface"
        return Verdict(PARTLY, "a script with arguments", lacking, (script,))
    return Verdict(NO, "to use it one has to program", "a command, or a graphical interface")


def tests(repository: Repository) -> Verdict:
    """Judge whether it is tested, and by whom."""
    apart = set(repository.matching(NO_TESTS))
    files = [path for path in repository.matching(TESTS) if path not in apart]
    if not files:
        return Verdict(NO, "no tests", "tests, and a service that runs them on each change")
    first = Line(files[0], 0, "a test")
    run = repository.first(repository.matching(CONTINUOUS), RUNS_TESTS)
    if run is None:
        return Verdict(PARTLY, f"{len(files)} files of tests", "a service that runs them on each change", (first,))
    return Verdict(YES, f"{len(files)} files of tests, run on each change", "", (first, run))


def limits(repository: Repository) -> Verdict:
    """Judge whether it says how large images may be, and whether they leave the reader's computer."""
    files = repository.matching(DOCUMENTS)
    found = {
        "how large images may be, or what memory they take": repository.first(files, SIZES),
        "whether images are uploaded": repository.first(files, UPLOADS),
    }
    evidence = tuple(line for line in found.values() if line is not None)
    lacking = [what for what, line in found.items() if line is None]
    verdict = {0: YES, 1: PARTLY, 2: NO}[len(lacking)]
    why = "it says " + ", and ".join(what for what in found if what not in lacking) if evidence else "it says neither"
    return Verdict(verdict, why, ", and ".join(lacking), evidence)


def _found(repository: Repository, files: Sequence[str], patterns: dict[str, str]) -> dict[str, Line]:
    """Return the first line of files in which each pattern is found."""
    lines = {what: repository.first(files, pattern) for what, pattern in patterns.items()}
    return {what: line for what, line in lines.items() if line is not None}


SHARED: Final = "review, How are DL methods developed and shared in biology"
CRITERIA: Final = (
    Criterion("licence", "Licence", "without one nobody may copy, change or share it", "this book", licence),
    Criterion(
        "install",
        "Install recipe with pins",
        "libraries change, and versions do not fit each other",
        SHARED,
        install_recipe,
    ),
    Criterion("container", "Container", "it saves setting up what a method runs in", SHARED, container),
    Criterion(
        "documentation", "Documentation", "at least how it is installed, and how it predicts", SHARED, documentation
    ),
    Criterion("model", "Model with card", "without trained weights one has to train first", SHARED, model),
    Criterion(
        "examples",
        "Example data",
        "a first try needs an image that it works on",
        "short paper, section 2",
        example_data,
    ),
    Criterion(
        "training",
        "Training recipe",
        "to fit it to other images, or to repeat it, one has to train it",
        SHARED,
        training_recipe,
    ),
    Criterion(
        "interface", "Interface", "who doesn't program needs a command or a graphical interface", SHARED, interface
    ),
    Criterion("tests", "Tests", "what is not tested stops working unnoticed", "this book", tests),
    Criterion(
        "limits",
        "Size limits and upload",
        "online tools take small images only, and put them on a server unknown to the user",
        "short paper, section 2",
        limits,
    ),
)
"""The criteria, in the order of a card."""
