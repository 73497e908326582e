"""scikit-learn's Gaussian process with one length scale for each parameter, and expected improvement."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.spatial.distance import pdist, squareform
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

Array = NDArray[np.float64]
SCALES = (0.1, 10.0)
"""Length scales, from least to greatest, where a whole range has length 1: beyond 10 a parameter hardly matters."""
VARIANCES = (0.1, 10.0)
"""Variances of the values without noise; all values together have variance 1."""
NOISES = (1e-3, 1.0)
"""Variances of the noise."""


class ParameterMatern(Matern):  # type: ignore[misc]  # scikit-learn has no types
    """Matérn's kernel with nu = 5/2, where the columns of one parameter share their length scale.

    parameter_of_column: for each column of the points, the position of its parameter.
    """

    def __init__(
        self,
        parameter_of_column: Sequence[int],
        length_scale: ArrayLike = 1.0,
        length_scale_bounds: tuple[float, float] = SCALES,
        nu: float = 2.5,
    ) -> None:
        super().__init__(length_scale, length_scale_bounds, nu)
        self.parameter_of_column = parameter_of_column

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:
        """The covariances; eval_gradient: and their derivatives by the logarithm of each length scale."""
        parameters, owner = max(self.parameter_of_column) + 1, np.asarray(self.parameter_of_column)
        scales = np.broadcast_to(self.length_scale, parameters)
        covariance = Matern(scales[owner], nu=self.nu)(X, Y)
        if not eval_gradient:
            return covariance
        squares = [pdist(X[:, owner == number], "sqeuclidean") / scale**2 for number, scale in enumerate(scales)]
        distance = np.sqrt(5 * np.sum(squares, axis=0))
        common = 5 / 3 * (1 + distance) * np.exp(-distance)
        return covariance, np.stack([squareform(common * square) for square in squares], axis=-1)


def fitted_process(
    columns: Array, parameter_of_column: Sequence[int], values: Array, deciding: Any = slice(None)
) -> GaussianProcessRegressor:
    """The process that explains the values best, of those within the bounds. Its kernel is that without noise, so it
    predicts values without noise; fitted again to more points, it keeps the kernel.

    columns: of the points, shape (points, columns). values: all together with mean 0 and variance 1. deciding: the
    positions of the points that decide on the kernel; all points decide on the predictions.
    """
    scales = np.ones(max(parameter_of_column) + 1)
    kernel = ConstantKernel(1.0, VARIANCES) * ParameterMatern(parameter_of_column, scales)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # at a bound, as of no noise
        process = GaussianProcessRegressor(kernel + WhiteKernel(0.1, NOISES))
        found = process.fit(columns[deciding], values[deciding]).kernel_
    return GaussianProcessRegressor(found.k1, alpha=found.k2.noise_level, optimizer=None).fit(columns, values)


class Believer:
    """What a process predicts at some candidates while it takes suggestions as tried, with the values it predicts.

    Such a value changes no prediction, only how certain others are: the covariance with the suggestion, given all that
    is known, is one more row of the Cholesky factor (Ginsbourger et al. 2010, "Kriging believer").
    mean, variance: of the values without noise, shape (candidates,).
    """

    def __init__(self, process: GaussianProcessRegressor, candidates: Array) -> None:
        self.kernel, self.noise, self.candidates = process.kernel_, process.alpha, candidates
        self.rows = solve_triangular(process.L_, self.kernel(process.X_train_, candidates), lower=True)
        self.mean: Array = process.predict(candidates)
        self.variance: Array = self.kernel.diag(candidates) - np.einsum("rc,rc->c", self.rows, self.rows)

    def take_as_tried(self, chosen: int) -> None:
        """Be as certain as if the candidate in this position had been tried."""
        covariance = self.kernel(self.candidates[[chosen]], self.candidates)[0] - self.rows[:, chosen] @ self.rows
        row = covariance / np.sqrt(self.variance[chosen] + self.noise)
        self.rows = np.vstack([self.rows, row])
        self.variance = np.maximum(self.variance - row**2, 0.0)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """By how much a normal value is below `best`, counting 0 if it is above, on average."""
    z = (best - mean) / deviation
    improvement: Array = deviation * (z * norm.cdf(z) + norm.pdf(z))
    return improvement
