"""Which images a folder holds: its parts, its classes and their files, and what is not read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from search_spaces.errors import InputError, require
from study.workloads.named import name_list

PARTS = {
    **dict.fromkeys(("train", "training", "train_set", "training_set", "seg_train"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validation_set", "dev", "seg_val"), "validation"),
    **dict.fromkeys(("test", "testing", "test_set", "seg_test"), "test"),
}
"""Names of subfolders that hold one part of the data, in any case."""
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Of the files that are read, in any case: those of torchvision's ImageFolder."""


@dataclass
class ImageFiles:
    """What a folder holds.

    classes: their names, sorted. samples: (path, number of the class) of each image, by part, in the order of
    torchvision's ImageFolder. roots: the folder of each part. notes: what is worth knowing, for people.
    """

    classes: list[str]
    samples: dict[str, list[tuple[str, int]]]
    roots: dict[str, Path]
    notes: list[str] = field(default_factory=list)


def find_images(folder: Path) -> ImageFiles:
    """The images of a folder with one subfolder per class, or of its train, val and test folders with such subfolders.

    Hidden files and folders are no images or classes, nor are folders without images. A link to a folder above itself
    is not followed. Raises InputError if it is not clear what is a class, or an image is in two of them.
    """
    top = unwrapped(folder)
    roots = {part: unwrapped(root) for part, root in part_folders(top).items()}
    notes = [f"its images are in {path_below(top, folder)}"] if top != folder else []
    if "train" in roots:
        others = [child.name for child in subfolders(top) if child.name.lower() not in PARTS]
        refuse_class(roots, others)
        notes += [f"parts: {', '.join(f'{path_below(root, top)} for {part}' for part, root in roots.items())}"]
        notes += [f"folders that are not read: {name_list(others)}"] if others else []
    else:
        roots = {"train": top}
    skipped = Counter[str]()
    found = {
        part: {child.name: list(images_below(child, skipped)) for child in class_folders(root)}
        for part, root in roots.items()
    }
    classes = sorted(name for name, images in found["train"].items() if images)
    for part, by_class in found.items():
        extra = sorted(name for name, images in by_class.items() if images and name not in classes)
        require(not extra, f"{roots[part]}: the classes must be among those of {roots['train']}", name_list(extra))
    for part, by_class in found.items():
        present = [name for name in classes if by_class.get(name)]
        require(len(present) > 1, f"{roots[part]} must contain images of at least two classes", present)
    empty = sorted(name for name, images in found["train"].items() if not images)
    notes += [f"folders without images, which are not classes: {name_list(empty)}"] if empty else []
    endings = [f"{count} {ending or 'without an ending'}" for ending, count in skipped.most_common()]
    notes += [f"files that are not read: {name_list(endings)}"] if endings else []
    numbers = {name: number for number, name in enumerate(classes)}
    samples = {
        part: [(path, numbers[name]) for name in classes for path in by_class.get(name, [])]
        for part, by_class in found.items()
    }
    return ImageFiles(classes, each_once(samples), roots, notes)


def part_folders(folder: Path) -> dict[str, Path]:
    """The subfolders that hold parts of the data."""
    found: dict[str, Path] = {}
    for child in subfolders(folder):
        part = PARTS.get(child.name.lower())
        if part is not None:
            require(part not in found, f"{folder} must have one folder for {part}", f"{found.get(part)} and {child}")
            found[part] = child
    order = [part for part in ("train", "validation", "test") if part in found]
    return {part: found[part] for part in order} if "train" in found else {}


def refuse_class(roots: dict[str, Path], others: list[str]) -> None:
    """Raise InputError if a part is rather a class, such as trains beside buses. others: folders that are no parts."""
    for part, root in roots.items():
        if others and not subfolders(root) and has_images(root):
            raise InputError(
                f"{root} was taken for the {part} part of the data because of its name, but it has images and no "
                f"subfolders: if it is a class like {name_list(others)}, rename it"
            )


def class_folders(root: Path) -> list[Path]:
    """The folders of the classes; raises InputError if they look like parts of the data."""
    children = subfolders(root)
    require(len(children) >= 1, f"{root} must contain one subfolder of images per class", "a folder without subfolders")
    inner = [{one.name for one in subfolders(child)} for child in children]
    same = sorted(set.intersection(*inner))
    if len(children) > 1 and same and not any(map(has_images, children)):
        raise InputError(
            f"{root}: each of {name_list(child.name for child in children)} holds the folders {name_list(same)} and no "
            "images: if these are the classes, name the folders above them train, val and test"
        )
    return children


def unwrapped(folder: Path) -> Path:
    """The folder itself, or the only one in it, as archives have it, if the classes are further below."""
    children = subfolders(folder)
    if len(children) != 1 or any(map(has_images, (folder, *children))):
        return folder
    inner = unwrapped(children[0])
    return inner if len(subfolders(inner)) > 1 else folder


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones, and without links to the folder itself or one above."""
    real = os.path.realpath(folder)
    found = (child for child in folder.iterdir() if child.is_dir() and not hidden(child.name))
    return sorted(child for child in found if not is_above(str(child), real))


def has_images(folder: Path) -> bool:
    """Whether images lie in the folder itself."""
    return any(is_image(child.name) for child in folder.iterdir())


def hidden(name: str) -> bool:
    """Whether programs put such a file or folder there: .ipynb_checkpoints, __MACOSX."""
    return name.startswith((".", "__"))


def is_image(name: str) -> bool:
    """Whether a file is read."""
    return not hidden(name) and name.lower().endswith(ENDINGS)


def images_below(folder: Path, skipped: Counter[str]) -> Iterator[str]:
    """The paths of the images in a folder and below. skipped: counts the endings of other files."""
    every = []
    for root, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        folders[:] = [one for one in folders if not hidden(one) and not is_above(os.path.join(root, one), real)]
        every.append((root, names))
    for root, names in sorted(every):
        for name in sorted(name for name in names if not hidden(name)):
            if is_image(name):
                yield os.path.join(root, name)
            else:
                skipped[os.path.splitext(name)[1].lower()] += 1


def is_above(path: str, real: str) -> bool:
    """Whether a link leads to this real path, or to a folder that contains it."""
    return os.path.islink(path) and f"{real}{os.sep}".startswith(f"{os.path.realpath(path)}{os.sep}")


def each_once(samples: dict[str, list[tuple[str, int]]]) -> dict[str, list[tuple[str, int]]]:
    """The samples, without files that a link repeats; raises InputError if a file is in two parts or classes."""
    seen: dict[str, tuple[str, str, int]] = {}
    kept: dict[str, list[tuple[str, int]]] = {part: [] for part in samples}
    for part, images in samples.items():
        for path, number in images:
            first, *where = seen.setdefault(os.path.realpath(path), (path, part, number))
            if where != [part, number]:
                raise InputError(f"{path} is the same file as {first}: an image must be in one class and one part")
            if path == first:
                kept[part].append((path, number))
    return kept


def path_below(path: Path, folder: Path) -> str:
    """A path as it is seen from a folder."""
    return str(path.relative_to(folder))
