"""The values of `--dataset`, `--model` and `--optimizer`, and where each is defined; checked without torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from search_spaces import ADAMW_PEAK_LR, SGD_PEAK_LR
from search_spaces.errors import InputError, unknown, words_of
from search_spaces.export import MUON
from study.workloads.named import abbreviated
from study.workloads.user_code import is_imported

TORCHVISION_DATASETS = {
    "fashion-mnist": "FashionMNIST",
    "mnist": "MNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
"""Class names in torchvision.datasets, by our names."""
DATASETS = {
    "mnist1d": "study.workloads.builtin_datasets:mnist1d",
    "digits": "study.workloads.builtin_datasets:digits",
    **dict.fromkeys(TORCHVISION_DATASETS, "study.workloads.builtin_datasets:images"),
    "pydoc": "study.workloads.text:pydoc",
}
"""The function (name, data_root, split_seed) -> Data of each built-in dataset."""
TABLES = (".csv", ".tsv", ".txt")
"""Suffixes of files that are tables, in any case; .gz may follow."""
TEXT = ".txt"
"""Suffix of a text, or with `--target` of a table."""
ARRAYS = ".npz"
OTHER_TABLES = {
    ".parquet": "parquet",
    ".feather": "feather",
    ".xlsx": "excel",
    ".xls": "excel",
    ".json": "json",
    ".jsonl": "json",
}
"""What pandas reads and this project does not, with the name of its function."""
TASKS = ("classification", "regression")
"""Of tables and arrays."""
LANGUAGE = "language"
"""The task of text."""

MODELS = {
    "mlp": "study.workloads.builtin_models:mlp",
    "cnn": "study.workloads.builtin_models:cnn",
    "transformer": "study.workloads.builtin_models:Transformer",
    "resnet18": "study.workloads.builtin_models:resnet18",
    "gpt": "study.workloads.gpt:tiny",
    "gpt:tiny": "study.workloads.gpt:tiny",
    "gpt:small": "study.workloads.gpt:small",
}
"""The function (input_shape, classes) -> nn.Module of each built-in model."""
LANGUAGE_MODELS = ("gpt", "gpt:tiny", "gpt:small")
"""Those of MODELS for text."""
LIBRARIES = {
    "torchvision": "study.workloads.models:torchvision_model",
    "timm": "study.workloads.models:timm_model",
}
"""The function (name, input_shape, classes) -> nn.Module of each model library, given as LIBRARY:NAME."""


class OptimizerChoice(NamedTuple):
    """A built-in optimizer.

    made_by: the class, with its module. arguments: fixed arguments. weight_decay: default. peak_lr: search range.
    """

    made_by: str
    arguments: dict[str, Any]
    weight_decay: float
    peak_lr: tuple[float, float]


# Lion's rates are 3 to 10 times as small as AdamW's, and its weight decay is as many times as large (Chen et al. 2023,
# Symbolic Discovery of Optimization Algorithms, section 5).
LION_PEAK_LR = (1e-6, 3e-2)
OPTIMIZERS = {
    "sgd": OptimizerChoice("torch.optim.SGD", {"momentum": 0.9}, 5e-4, SGD_PEAK_LR),
    "adamw": OptimizerChoice("torch.optim.AdamW", {}, 1e-2, ADAMW_PEAK_LR),
    "muon": OptimizerChoice(MUON, {}, 0.1, ADAMW_PEAK_LR),  # its updates are as large as AdamW's
    "lion": OptimizerChoice("lion_pytorch.Lion", {}, 0.1, LION_PEAK_LR),
}
LANGUAGE_OPTIMIZERS = {
    "adamw": OptimizerChoice("torch.optim.AdamW", {"betas": (0.9, 0.95)}, 0.1, ADAMW_PEAK_LR),
    "lion": OptimizerChoice("lion_pytorch.Lion", {"betas": (0.95, 0.98)}, 1.0, LION_PEAK_LR),
}
"""The same for text, if they differ: adamw as usual since GPT-3 (Brown et al. 2020), lion with the betas that its paper
suggests for stable training. Only matrices decay."""
YOURS = "package.module:function"


def check_dataset(name: str) -> None:
    """Raise InputError if a name is neither a built-in dataset, a file, a folder nor a function."""
    try:
        path = Path(name).expanduser()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a home that does not exist
        raise InputError(f"--dataset {abbreviated(name)} is not the name of a file ({words_of(error)})") from error
    file = is_table(path) or path.suffix.lower() == ARRAYS
    if reader := OTHER_TABLES.get(path.suffix.lower()) if is_file else None:
        raise InputError(
            f"--dataset {name} is not a CSV file: convert it with pandas.read_{reader}(...).to_csv(..., index=False)"
        )
    if not (name in DATASETS or file or is_folder or is_imported(name)):
        raise unknown("dataset", name, [*DATASETS, "FILE.csv", "FILE.npz", "FILE.txt", "FOLDER of images", YOURS])
    if file and not is_file and not is_folder:
        raise InputError(f"--dataset {name}: no such file in {path.absolute().parent}")


def is_table(path: Path) -> bool:
    """Whether the file's name is that of a table.

    >>> is_table(Path("A.CSV")), is_table(Path("a.csv.gz")), is_table(Path("a.gz"))
    (True, True, False)
    """
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(TABLES)


def check_model(name: str | Callable[..., Any]) -> None:
    """Raise InputError if a name is neither a built-in model, a library's nor a function."""
    if not isinstance(name, str) or name in MODELS:
        return
    library, colon, own = name.partition(":")
    if not colon:
        typed = {model: f"torchvision:{model}" for model in torchvision_models()} | {model: model for model in MODELS}
        nearest = [typed[model] for model in get_close_matches(name, typed, n=1)]
        raise unknown("model", name, [*MODELS, *(f"{library}:NAME" for library in LIBRARIES), YOURS], nearest=nearest)
    if library == "torchvision" and own not in torchvision_models():
        raise unknown("torchvision model", own, torchvision_models())


def torchvision_models() -> list[str]:
    """The names of torchvision's classifiers, read from its source, because importing it takes seconds."""
    found = find_spec("torchvision")
    files = sorted((Path(found.origin).parent / "models").glob("*.py")) if found and found.origin else []
    registered = re.compile(r"^@register_model\(\)\n(?:[@ )].*\n)*def (\w+)", re.MULTILINE)
    return sorted(name for file in files for name in registered.findall(file.read_text()))


def check_optimizer(name: str | Callable[..., Any]) -> None:
    """Raise InputError if a name is neither a built-in optimizer nor a function."""
    if isinstance(name, str) and name not in OPTIMIZERS and not is_imported(name):
        raise unknown("optimizer", name, [*OPTIMIZERS, YOURS])
    if name == "lion" and find_spec("lion_pytorch") is None:
        raise InputError("--optimizer lion needs lion-pytorch: pip install lion-pytorch")


def short(name: str) -> str:
    """The value of a flag, shortened for the name of a study or a file.

    >>> short("data/My table.csv"), short("torchvision:resnet50"), short("fashion-mnist")
    ('My-table', 'torchvision-resnet50', 'fashion-mnist')
    """
    own = name if ":" in name else Path(name).name.removesuffix(Path(name).suffix)
    return re.sub(r"[^\w.-]+", "-", own).strip("-.") or "data"
