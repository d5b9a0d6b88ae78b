"""What a sweep draws from a search space."""

import math
import statistics

import optuna
import pytest

from helpers.offline.engine.sweeps.sampling import Sampler, check, quantized
from helpers.offline.engine.workspace.errors import Invalid


def sampling(space, name="RANDOM"):
    return {"name": name, "parameter_space": space}


def drawn(space, count, name="RANDOM"):
    sampler = Sampler(sampling(space, name), "maximize")
    return [sampler.draw() for _ in range(count)]


SPACE = {
    "--batch-size": ["choice", [[25, 50, 100]]],
    "seed": ["randint", [7]],
    "rate": ["uniform", [0.5, 1.5]],
    "width": ["quniform", [10, 100, 15]],
    "lr": ["loguniform", [-9, -4]],
    "neurons": ["qloguniform", [1, 6, 8]],
    "shift": ["normal", [10, 2]],
    "steps": ["qnormal", [50, 20, 5]],
    "scale": ["lognormal", [1, 0.5]],
    "depth": ["qlognormal", [2, 0.5, 3]],
}


def test_each_expression_is_drawn_as_it_is_defined():
    by_name = {name: [one[name] for one in drawn(SPACE, 400)] for name in SPACE}
    assert set(by_name["--batch-size"]) == {25, 50, 100}
    assert set(by_name["seed"]) == set(range(7))
    assert 0.5 <= min(by_name["rate"]) < 0.55 and 1.45 < max(by_name["rate"]) <= 1.5
    assert set(by_name["width"]) == {15, 30, 45, 60, 75, 90, 105}  # round(10 / 15) * 15 up to round(100 / 15) * 15
    logs = [math.log(value) for value in by_name["lr"]]
    assert -9 <= min(logs) < -8.9 and -4.1 < max(logs) <= -4
    assert statistics.fmean(logs) == pytest.approx(-6.5, abs=0.3)
    assert all(value % 8 == 0 for value in by_name["neurons"]) and 392 < max(by_name["neurons"]) <= 408
    assert statistics.fmean(by_name["shift"]) == pytest.approx(10, abs=0.4)
    assert statistics.stdev(by_name["shift"]) == pytest.approx(2, abs=0.3)
    assert all(value % 5 == 0 for value in by_name["steps"])
    assert statistics.stdev(by_name["steps"]) == pytest.approx(20, abs=3)
    assert statistics.fmean(map(math.log, by_name["scale"])) == pytest.approx(1, abs=0.1)
    assert all(value % 3 == 0 for value in by_name["depth"])
    assert statistics.median(by_name["depth"]) == pytest.approx(math.exp(2), abs=1.6)


@pytest.mark.parametrize("value, q, expected", [(7, 5, 5), (8, 5, 10), (2.5, 5, 0), (7.5, 5, 10), (12.4, 1, 12)])
def test_quantized_is_round_of_the_quotient_times_q(value, q, expected):
    assert quantized(value, q) == expected
    assert isinstance(quantized(value, float(q)), int)  # a script that wants an int can read it


@pytest.mark.parametrize("name", ["RANDOM", "BayesianOptimization"])
def test_the_same_space_draws_the_same_trials_in_whatever_order_it_is_written(name):
    space = {"b": ["uniform", [0, 1]], "a": ["choice", [[1, 2, 3]]]}
    first = drawn(space, 12, name)
    assert first == drawn(dict(reversed(space.items())), 12, name)
    assert list(first[0]) == ["b", "a"]
    assert first != drawn({**space, "b": ["uniform", [0, 2]]}, 12, name)
    assert first[:4] == drawn(space, 4, name)  # more trials are further trials


def test_a_grid_is_every_combination_once():
    space = {"lr": ["choice", [[1, 2, 3]]], "batch": ["choice", [["8", "9"]]]}
    assert drawn(space, 7, "GRID") == [
        {"lr": 1, "batch": "8"},
        {"lr": 1, "batch": "9"},
        {"lr": 2, "batch": "8"},
        {"lr": 2, "batch": "9"},
        {"lr": 3, "batch": "8"},
        {"lr": 3, "batch": "9"},
        None,
    ]


def test_random_sampling_of_a_finite_space_repeats_nothing_and_ends():
    space = {"a": ["choice", [[1, 2, 3]]], "b": ["randint", [4]]}
    *trials, last = drawn(space, 13)
    assert last is None
    assert len({tuple(trial.items()) for trial in trials}) == 12


@pytest.mark.parametrize("name", ["RANDOM", "GRID"])
def test_an_option_that_stands_there_twice_is_one(name):
    space = {"a": ["choice", [[16, 16, 32]]], "b": ["choice", [["x", "x"]]]}
    *trials, last = drawn(space, 3, name)
    assert last is None
    assert sorted(trial["a"] for trial in trials) == [16, 32]


def test_any_value_that_json_holds_can_be_a_choice():
    values = ["relu", True, None, 1.5, [1, 2]]
    assert all(trial["x"] in values for trial in drawn({"x": ["choice", [values]]}, 5))


@pytest.mark.parametrize("goal, near", [("maximize", 0.8), ("minimize", 0.2)])
def test_bayesian_sampling_learns_from_what_it_is_told(goal, near):
    sampler = Sampler(sampling({"x": ["uniform", [0, 1]]}, "BayesianOptimization"), goal)
    values = []
    for number in range(40):
        values.append(sampler.draw()["x"])
        distance = abs(values[-1] - near)
        sampler.tell(number, None if number == 3 else -distance if goal == "maximize" else distance)
    assert statistics.median(values[25:]) == pytest.approx(near, abs=0.1)


@pytest.mark.parametrize(
    "space, told",
    [
        ({}, "is empty"),
        (None, "is empty"),
        ({"x": ["gamma", [1, 2]]}, "unknown expression"),
        ({"x": 3}, "unknown expression"),
        ({"x": ["uniform", 3]}, "unknown expression"),
        ({"x": ["uniform", [1]]}, "takes 2 arguments, not 1"),
        ({"x": ["choice", [[]]]}, "a list of one value at least"),
        ({"x": ["uniform", [2, 1]]}, "from 2 to 1"),
        ({"x": ["uniform", ["a", 1]]}, "takes numbers"),
        ({"x": ["uniform", [0, math.nan]]}, "takes numbers"),
        ({"x": ["randint", [0]]}, "above 0"),
        ({"x": ["quniform", [0, 1, 0]]}, "the q of quniform is 0"),
        ({"x": ["normal", [0, -1]]}, "cannot be negative"),
        ({"x": ["uniform", [0, 10**400]]}, "takes numbers"),
        ({"x": ["uniform", [-1.7e308, 1.7e308]]}, "from -1.7e.308 to 1.7e.308, a range that no number holds"),
        ({"x": ["qnormal", [0, 1e308, 2]]}, "from -inf to inf, a range that no number holds"),
        ({"x": ["loguniform", [0, 1000]]}, "2.71828 to the power of 1000, which no number holds"),
        ({"x": ["lognormal", [720, 1]]}, "to the power of 727.034, which no number holds"),
        ({"x": ["qlognormal", [690, 3, 2]]}, "to the power of 711.103, which no number holds"),
    ],
)
def test_a_space_that_cannot_be_drawn_from_is_refused(space, told):
    with pytest.raises(Invalid, match=told):
        check(sampling(space))


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize(
    "expression",
    [
        ["uniform", [-8e307, 8e307]],
        ["quniform", [-8e307, 8e307, 3]],
        ["loguniform", [-5000, 699]],
        ["qloguniform", [0, 699, 1e308]],
        ["normal", [1e307, 1e306]],
        ["qnormal", [0, 1e307, 2]],
        ["lognormal", [690, 1]],
        ["qlognormal", [600, 10, 2]],
    ],
)
def test_what_is_not_refused_is_drawn_at_its_furthest_ends_too(monkeypatch, expression, share):
    check(sampling({"x": expression}))
    sampler = Sampler(sampling({"x": expression}), "maximize")
    monkeypatch.setattr(optuna.Trial, "suggest_float", lambda trial, name, low, high: low + share * (high - low))
    assert math.isfinite(sampler.draw()["x"])


@pytest.mark.parametrize("name, kind", [("GRID", "uniform"), ("BayesianOptimization", "loguniform")])
def test_an_expression_that_the_sampling_does_not_support_is_refused(name, kind):
    with pytest.raises(Invalid, match=f"is a {kind}; {name} sampling supports choice"):
        check(sampling({"x": [kind, [0, 1]]}, name))


def test_sobol_points_cover_the_space_more_evenly_than_chance():
    def cells(**details):
        """How many of 64 equal cells of a square 64 draws have hit."""
        sampler = Sampler(sampling({"x": ["uniform", [0, 8]], "y": ["randint", [8]]}) | details, "maximize")
        return len({(int(one["x"]), one["y"]) for one in (sampler.draw() for _ in range(64))})

    assert cells(rule="sobol") > 60 > 50 > cells(rule="random")


def test_a_seed_is_the_draws_and_a_logbase_takes_the_place_of_e():
    space = {"x": ["loguniform", [-3, -1]]}

    def first(**details):
        return Sampler(sampling(space) | details, "maximize").draw()["x"]

    assert first(seed=1) == first(seed=1) != first(seed=2)
    assert first(seed=1, logbase=10) == pytest.approx(10 ** math.log(first(seed=1)))
    assert first(seed=1, logbase="e") == first(seed=1)


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({"rule": "halton"}, "rule of random sampling is 'halton'"),
        ({"logbase": -2}, "logbase is -2"),
        ({"logbase": "ten"}, "logbase is 'ten'"),
        ({"logbase": 10, "parameter_space": {"x": ["loguniform", [0, 310]]}}, "10 to the power of 310"),
        ({"logbase": 0.5, "parameter_space": {"x": ["lognormal", [-1020, 1]]}}, "0.5 to the power of -1027.03"),
    ],
)
def test_what_random_sampling_cannot_be_told(details, told):
    with pytest.raises(Invalid, match=told):
        check(sampling({"x": ["uniform", [0, 1]]}) | details)


def test_a_sweep_that_goes_on_from_another_draws_anew_and_by_what_is_known():
    space = {"rate": ["uniform", [0, 1]], "width": ["quniform", [10, 100, 15]], "kind": ["choice", [["a", "b"]]]}
    known = [({"rate": rate / 20, "width": 105, "kind": "b"}, -abs(rate / 20 - 0.8)) for rate in range(20)]
    for name in ("RANDOM", "BayesianOptimization"):
        warm = Sampler(sampling(space, name), "maximize")
        warm.learn([*known, ({"rate": 0.5, "width": 15, "kind": "a"}, None)])
        draws = [warm.draw() for _ in range(10)]
        assert draws[0] != drawn(space, 1, name)[0]
    near = statistics.fmean(abs(draw["rate"] - 0.8) for draw in draws)
    assert near < 0.25, "drawn as if nothing were known, which is 0.34 on average"
