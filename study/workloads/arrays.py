"""The user's arrays as tensors: what they may be, and which type a model is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from search_spaces.errors import InputError, words_of

LOST = 1e-3
"""Numbers are not converted to float32 if they would change by more than this fraction of their deviation."""


def raw_tensor(what: str, values: Any) -> Tensor:
    """The values as a tensor on the CPU, of a type that torch computes with; no number is changed.

    Raises InputError for what has no numbers: text, objects, rows of unequal length, meta, sparse or quantised tensors.
    """
    if isinstance(values, Tensor):
        require_dense(what, values)
        return values.detach().cpu()
    array = array_of(what, values)
    if array.dtype.kind not in "biufc":
        raise InputError(f"{what} must be numeric, but an array of {array.dtype} was given")
    return torch.as_tensor(array)


def require_dense(what: str, tensor: Tensor) -> None:
    """Raise InputError for a tensor that is sparse or quantised, or of the meta device, which holds no numbers."""
    for kind, has, how in (
        ("meta", tensor.is_meta, "make it on the CPU"),
        ("quantised", tensor.is_quantized, "use .dequantize()"),
        (str(tensor.layout), tensor.layout != torch.strided, "use .to_dense()"),
    ):
        if has:
            raise InputError(f"{what} must be a dense tensor, but a {kind} tensor was given: {how}")


def array_of(what: str, values: Any) -> Any:
    """The values as a numpy array of a type that torch has too, if they are numbers; also of pandas and tensors."""
    if isinstance(values, Tensor):
        tensor = raw_tensor(what, values)
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    try:
        array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must have rows of equal shape ({words_of(error)})") from error
    if array.dtype.kind == "O":
        array = without_objects(array)
    if array.dtype.kind == "u" and array.itemsize > 1:
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise InputError(f"{what} must be at most {np.iinfo(np.int64).max}, but {array.max()} was given")
        return array.astype(np.int64)
    if array.dtype.kind in "fc" and array.dtype.itemsize > (8 if array.dtype.kind == "f" else 16):
        return array.astype(np.float64 if array.dtype.kind == "f" else np.complex128)
    native = array.dtype.newbyteorder("=")
    return array.astype(native) if array.dtype != native or not array.flags.writeable else array


def without_objects(array: Any) -> Any:
    """An array of Python objects as text or as numbers, if all of its objects are that."""
    kinds = {type(one) for one in array.flat}
    if kinds <= {str, np.str_}:
        return array.astype(np.str_)
    whole = kinds <= {bool, int}
    try:
        return array.astype(np.int64 if whole else np.float64) if kinds <= {bool, int, float} else array
    except OverflowError:
        return array


def usual_form(x: Tensor) -> Tensor:
    """What most models take: floats as float32, bytes as floats from 0 to 1, other whole numbers (ids) as int64.

    float64 stays if float32 could not hold the differences between its numbers.
    """
    if x.dtype == torch.uint8:
        return x.float() / 255
    if x.is_complex():
        return x.to(torch.complex64)
    if not x.is_floating_point():
        return x.long()
    return x if x.dtype == torch.float64 and loses_differences(x) else x.float()


def other_form(x: Tensor) -> Tensor:
    """What other models take: float64 as it is, bytes as ids, whole numbers as floats. float32 has no other form."""
    if x.dtype in (torch.float64, torch.complex128):
        return x.float() if x.dtype == torch.float64 and loses_differences(x) else x
    if x.dtype == torch.uint8:
        return x.long()
    return x if x.is_floating_point() or x.is_complex() else x.double()


def loses_differences(x: Tensor) -> bool:
    """Whether float32 cannot hold the differences between the rows."""
    if len(x) < 2:
        return False
    change, deviation = (x - x.float().double()).abs().amax(0), x.std(0, correction=0)
    varies = deviation > 1e-12 * x.abs().amax(0)
    return bool((varies & (change > LOST * deviation)).any())


def channels_first(x: Tensor) -> Tensor | None:
    """Images whose colours come last, (rows, height, width, 1, 3 or 4), with colours first; None if x is not that."""
    last = x.ndim == 4 and x.shape[3] in (1, 3, 4) and x.shape[1] > 4 and x.shape[2] > 4
    return x.permute(0, 3, 1, 2).contiguous() if last else None


def target_of(what: str, y: Any, task: str | None) -> tuple[Any, str]:
    """(the targets as a numpy array, how they were changed): one column is flattened, one-hot classes are decoded.

    task: None if it is not known; the targets of a regression are numbers, and not decoded.
    """
    array = array_of(what, y)
    if array.dtype.kind == "O":
        raise InputError(f"{what} holds Python objects of several types: convert it, for example with y.astype(str)")
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind not in "fc":
        return array[:, 0], ""
    columns = array.ndim == 2 and array.shape[1] > 1 and array.dtype.kind in "biuf" and len(array) > 0
    if task != "regression" and columns and ((array == 0) | (array == 1)).all() and (array.sum(1) == 1).all():
        return array.argmax(1), "one-hot targets read as classes"
    return array, ""
