"""The kernel against Matérn's formula, the fit against other kernels, and the improvement against an integral."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel

from study.search.samplers.gaussian_process import (
    NOISES,
    SCALES,
    VARIANCES,
    Believer,
    ParameterMatern,
    expected_improvement,
    fitted_process,
)

OF_COLUMN = [0, 1, 1, 1, 2]
"""A number, a choice of three options, a number."""
OPTIONS = np.random.default_rng(1).integers(3, size=30)
NUMBERS = np.random.default_rng(0).random((30, 2))
COLUMNS = np.column_stack([NUMBERS[:, 0], np.eye(3)[OPTIONS] / math.sqrt(2), NUMBERS[:, 1]])
VALUES = np.cos(5 * NUMBERS[:, 0]) + 0.3 * (OPTIONS == 1) + 0.1 * np.random.default_rng(2).standard_normal(30)
VALUES = (VALUES - VALUES.mean()) / VALUES.std()


def matern(scales):
    """The covariances by the formula, of each pair by itself; two options are 1 apart."""
    found = np.empty((30, 30))
    for i in range(30):
        for j in range(30):
            apart = [NUMBERS[i, 0] - NUMBERS[j, 0], float(OPTIONS[i] != OPTIONS[j]), NUMBERS[i, 1] - NUMBERS[j, 1]]
            d = math.sqrt(5) * math.hypot(*(one / scale for one, scale in zip(apart, scales, strict=True)))
            found[i, j] = (1 + d + d**2 / 3) * math.exp(-d)
    return found


def test_the_columns_of_a_parameter_share_its_length_scale():
    scales = [0.3, 2.0, 0.7]
    kernel = ParameterMatern(OF_COLUMN, scales)
    assert kernel(COLUMNS) == pytest.approx(matern(scales))
    assert kernel(COLUMNS, COLUMNS[:5]) == pytest.approx(matern(scales)[:, :5])


@pytest.mark.parametrize(("of_column", "scales"), [(OF_COLUMN, [0.3, 2.0, 0.7]), ([0] * 5, [0.4])])
def test_the_derivatives_are_the_differences(of_column, scales):
    kernel = ParameterMatern(of_column, scales)
    _, slopes = kernel(COLUMNS, eval_gradient=True)
    assert slopes.shape == (30, 30, len(scales))
    for place in range(len(scales)):
        step = np.eye(len(scales))[place] * 1e-6
        above, below = (kernel.clone_with_theta(kernel.theta + sign * step)(COLUMNS) for sign in (1, -1))
        assert slopes[:, :, place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_no_other_kernel_within_the_bounds_is_more_likely():
    found = fitted_process(COLUMNS, OF_COLUMN, VALUES)
    [variance, *scales] = np.exp(found.kernel_.theta)
    noise = found.alpha
    for values, (least, most) in ((scales, SCALES), ([variance], VARIANCES), ([noise], NOISES)):
        assert all(0.999 * least < value < 1.001 * most for value in values)

    def likelihood(variance, scales, noise):
        kernel = ConstantKernel(variance) * ParameterMatern(OF_COLUMN, scales) + WhiteKernel(noise)
        process = GaussianProcessRegressor(kernel, optimizer=None).fit(COLUMNS, VALUES)
        return process.log_marginal_likelihood_value_

    rng, best = np.random.default_rng(3), likelihood(variance, scales, noise)
    for _ in range(100):
        random = [np.exp(rng.uniform(*np.log(bounds), size)) for bounds, size in ((VARIANCES, 1), (SCALES, 3))]
        assert likelihood(random[0][0], random[1], np.exp(rng.uniform(*np.log(NOISES)))) < best


def test_predictions_are_those_of_the_closed_formula_without_noise():
    found = fitted_process(COLUMNS[:20], OF_COLUMN, VALUES[:20])
    [variance, *scales] = np.exp(found.kernel_.theta)
    covariance = variance * matern(scales)
    weights = np.linalg.solve(covariance[:20, :20] + found.alpha * np.eye(20), covariance[:20, 20:])
    mean, deviation = found.predict(COLUMNS[20:], return_std=True)
    assert mean == pytest.approx(VALUES[:20] @ weights)
    assert deviation**2 == pytest.approx(variance - (covariance[:20, 20:] * weights).sum(0))


def test_some_points_decide_on_the_kernel_and_all_on_the_predictions():
    few, all_points = fitted_process(COLUMNS[5:15], OF_COLUMN, VALUES[5:15]), fitted_process(COLUMNS, OF_COLUMN, VALUES)
    found = fitted_process(COLUMNS, OF_COLUMN, VALUES, np.arange(5, 15))
    assert (found.kernel_, found.alpha) == (few.kernel_, few.alpha) != (all_points.kernel_, all_points.alpha)
    again = few.fit(COLUMNS, VALUES)
    assert found.predict(COLUMNS[:3]) == pytest.approx(again.predict(COLUMNS[:3]))


def test_a_believer_predicts_as_a_process_that_was_fitted_to_what_it_predicted():
    process = fitted_process(COLUMNS[:15], OF_COLUMN, VALUES[:15])
    believer = Believer(process, COLUMNS[15:])
    columns, values = COLUMNS[:15], VALUES[:15]
    for chosen in (0, 7, 7, 14):
        mean, deviation = process.fit(columns, values).predict(COLUMNS[15:], return_std=True)
        assert believer.mean == pytest.approx(mean, abs=1e-9)
        assert believer.variance == pytest.approx(deviation**2, abs=1e-9)
        columns, values = np.vstack([columns, COLUMNS[15 + chosen]]), np.append(values, mean[chosen])
        believer.take_as_tried(chosen)


def test_the_improvement_is_the_integral_of_what_is_below_the_best():
    mean, deviation = np.array([0.0, 0.5, -1.0, 3.0]), np.array([1.0, 0.2, 0.5, 2.0])
    for best in (-1.0, 0.3):
        for found, m, d in zip(expected_improvement(mean, deviation, best), mean, deviation, strict=True):
            integral, _ = scipy.integrate.quad(scipy.stats.norm(m, d).cdf, -30, best, points=[m], epsabs=1e-13)
            assert found == pytest.approx(integral, rel=1e-6, abs=1e-12)
