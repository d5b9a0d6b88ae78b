"""Which hyperparameters the trials of a sweep get: a search space is drawn from with Optuna's samplers.

A search space maps a parameter's name to an expression, [kind, arguments], as azureml.train.hyperdrive's functions
write it. What each kind means is told at
https://learn.microsoft.com/python/api/azureml-train-core/azureml.train.hyperdrive.parameter_expressions: a `log` one is
the exponential of a draw, a `q` one is rounded to a multiple of its last argument: round(draw / q) * q.

A `seed` beside the space makes the draws; without one, the text of the space is the seed, so that the same space is
drawn from in the same order, always. What BayesianOptimization draws depends as well on what it was told before. RANDOM
may have a `rule`, "random" or "sobol", whose points cover the space evenly, and a `logbase` in the place of e.
"""

import hashlib
import itertools
import json
import math
import statistics
import sys

from helpers.offline.engine.workspace.errors import Invalid
from helpers.words import counted

RANDOM, GRID, BAYESIAN = "RANDOM", "GRID", "BayesianOptimization"
ARGUMENTS = {  # kind of expression: number of its arguments
    "choice": 1,
    "randint": 1,
    "uniform": 2,
    "quniform": 3,
    "loguniform": 2,
    "qloguniform": 3,
    "normal": 2,
    "qnormal": 3,
    "lognormal": 2,
    "qlognormal": 3,
}
SOBOL = "sobol"
LARGEST = 700  # the exponential of little more is no number
SUPPORTED = {RANDOM: set(ARGUMENTS), GRID: {"choice"}, BAYESIAN: {"choice", "quniform", "uniform"}}


def check(sampling: dict) -> None:
    """Refuse a sampling {"name": …, "parameter_space": …} that cannot be drawn from. Raises Invalid."""
    name, space = sampling["name"], sampling["parameter_space"]
    if not isinstance(space, dict) or not space:
        raise Invalid(
            "The parameter space is empty. Give it one parameter at least, such as {'--batch-size': choice(…)}."
        )
    if sampling.get("rule", "random") not in ("random", SOBOL):
        raise Invalid(f"The rule of random sampling is {sampling['rule']!r}; there are random and {SOBOL}.")
    base = _base(sampling)
    for parameter, expression in space.items():
        _check_expression(parameter, expression, base)
        if expression[0] not in SUPPORTED[name]:
            supported = ", ".join(sorted(SUPPORTED[name]))
            raise Invalid(f"{parameter!r} is a {expression[0]}; {name} sampling supports {supported} only.")


def size(space: dict) -> int | None:
    """How many combinations a search space has; None where there is no end of them."""
    total = 1
    for kind, arguments in space.values():
        if kind not in ("choice", "randint"):
            return None
        total *= len(_options(arguments)) if kind == "choice" else arguments[0]
    return total


class Sampler:
    """Draws one trial's parameters after the other, and is told how they did."""

    def __init__(self, sampling: dict, goal: str):
        """`goal` is "maximize" or "minimize"."""
        self._space = sampling["parameter_space"]
        self._left = size(self._space)
        self._seen = set() if sampling["name"] == RANDOM and self._left else None
        self._grid = _grid(self._space) if sampling["name"] == GRID else None
        self._base = _base(sampling)
        self._sampling, self._goal = sampling, goal
        self._study = None if self._grid else _study(sampling, goal, seed(sampling))
        self._trials = []

    def learn(self, earlier: list[tuple[dict, float | None]]) -> None:
        """Know the trials of earlier sweeps, parameters and best metric, before the first draw.

        Bayesian sampling draws by what they came to. The others only do not repeat the draws that those sweeps began
        with, as they would by the same seed.
        """
        if not earlier or self._study is None:
            return
        self._study = _study(self._sampling, self._goal, seed(self._sampling, len(earlier)))
        for parameters, value in earlier:
            self.know(parameters, value)

    def know(self, parameters: dict, value: float | None) -> None:
        """Take into account, in Bayesian sampling, what parameters that were not drawn here came to."""
        if self._sampling["name"] == BAYESIAN and value is not None:
            self._study.add_trial(_known(self._space, parameters, value))

    def draw(self) -> dict | None:
        """The next trial's parameters, by name; None once the whole of a finite space is drawn.

        Random sampling repeats no combination of a finite space; Bayesian sampling may.
        """
        if self._left == 0:
            return None
        if self._left:
            self._left -= 1
        if self._grid:
            return next(self._grid)
        while True:
            trial = self._study.ask()
            drawn = {name: _draw(trial, name, *self._space[name], self._base) for name in sorted(self._space)}
            text = json.dumps(drawn)
            if self._seen is None or text not in self._seen:
                break
        if self._seen is not None:
            self._seen.add(text)
        self._trials.append(trial)
        return {name: drawn[name] for name in self._space}

    def tell(self, number: int, value: float | None) -> None:
        """How trial `number`, from 0 in the order of drawing, did: its best metric, None where it has none."""
        if self._study is None:
            return
        from optuna.trial import TrialState

        if value is None:
            self._study.tell(self._trials[number], state=TrialState.FAIL)
        else:
            self._study.tell(self._trials[number], value)


def seed(sampling: dict, earlier: int = 0) -> int:
    """The seed of a sampling: the one that it has, or one from its name and its space, whatever their order.

    Where it goes on from earlier trials, one from their number, too.
    """
    if sampling.get("seed") is not None:
        return sampling["seed"]
    kept = {key: sampling[key] for key in ("name", "parameter_space")} | ({"earlier": earlier} if earlier else {})
    return int.from_bytes(hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).digest()[:4])


def _known(space: dict, parameters: dict, value: float):
    """A trial of an earlier sweep, as Optuna keeps what it has suggested (see _draw)."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna.trial import create_trial

    suggested, distributions = {}, {}
    for name, (kind, arguments) in space.items():
        if kind == "choice":
            suggested[name] = arguments[0].index(parameters[name])
            distributions[name] = CategoricalDistribution(range(len(arguments[0])))
        else:  # a number between two bounds, which a rounded one may be just beyond
            low, high = arguments[:2]
            suggested[name] = min(max(parameters[name], low), high)
            distributions[name] = FloatDistribution(low, high)
    return create_trial(params=suggested, distributions=distributions, value=value)


def _study(sampling: dict, goal: str, seed: int):
    """What trials are asked of: an Optuna study that lives in this process alone, or points of a Sobol sequence."""
    if sampling.get("rule") == SOBOL:
        return _Sobol(len(sampling["parameter_space"]), seed)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if sampling["name"] == RANDOM:
        sampler = optuna.samplers.RandomSampler(seed=seed)
    else:  # constant_liar: trials that still run are not drawn once more
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.create_study(sampler=sampler, direction=goal)


class _Sobol:
    """In the place of a study: each trial is the next point of a scrambled Sobol sequence, one coordinate a parameter.

    Optuna's own sampler of such points falls back to chance while no trial has ended.
    """

    def __init__(self, dimensions: int, seed: int):
        from scipy.stats import qmc

        self._sequence = qmc.Sobol(dimensions, seed=seed)
        self._point = iter(())

    def ask(self):
        self._point = iter(self._sequence.random(1)[0])
        return self

    def tell(self, trial, value=None, state=None) -> None:
        """What a trial came to changes nothing."""

    def suggest_float(self, name: str, low: float, high: float) -> float:
        return float(low + (high - low) * next(self._point))

    def suggest_int(self, name: str, low: int, high: int) -> int:
        return low + int((high - low + 1) * next(self._point))

    def suggest_categorical(self, name: str, options: range) -> int:
        return options[self.suggest_int(name, 0, len(options) - 1)]


def _base(sampling: dict) -> float:
    """The base of logarithms. Raises Invalid."""
    base = sampling.get("logbase", "e")
    if base == "e":
        return math.e
    try:
        if float(base) > 0 and math.isfinite(float(base)):
            return float(base)
    except (TypeError, ValueError):
        pass
    raise Invalid(f"logbase is {base!r}; give a number above 0, or 'e'.")


def _options(arguments: list) -> list:
    """What a choice is between; an option that stands there twice is drawn more often, but is one."""
    return list({json.dumps(option): option for option in arguments[0]}.values())


def _grid(space: dict):
    options = [_options(arguments) for _, arguments in space.values()]
    return (dict(zip(space, values, strict=True)) for values in itertools.product(*options))


def _draw(trial, name: str, kind: str, arguments: list, log_base: float):
    """A value of one expression, by what Optuna suggests for its uniform part."""
    if kind == "choice":
        options = arguments[0]
        return options[trial.suggest_categorical(name, range(len(options)))]
    if kind == "randint":
        return trial.suggest_int(name, 0, arguments[0] - 1)
    if kind.endswith("uniform"):
        value = trial.suggest_float(name, arguments[0], arguments[1])
    else:
        value = _normal(trial.suggest_float(name, 0, 1), *arguments[:2])
    if _is_log(kind):
        value = math.exp(value) if log_base == math.e else log_base**value
    return quantized(value, arguments[2]) if kind.startswith("q") else value


def _normal(share: float, mean: float, deviation: float) -> float:
    """The number below which this share of a normal distribution is; its furthest ends are cut off."""
    return mean + deviation * statistics.NormalDist().inv_cdf(min(max(share, 1e-12), 1 - 1e-12))


def _is_log(kind: str) -> bool:
    return kind.removeprefix("q").startswith("log")


def quantized(value: float, q: float) -> int:
    """The multiple of `q`, a whole number, that is next to `value`; halfway between two, Python's round decides."""
    return round(value / q) * int(q)


def _check_expression(parameter: str, expression, base: float) -> None:
    well_formed = isinstance(expression, (list, tuple)) and len(expression) == 2 and isinstance(expression[1], list)
    if not well_formed or expression[0] not in ARGUMENTS:
        kinds = ", ".join(ARGUMENTS)
        raise Invalid(f"{parameter!r} has an unknown expression, {expression!r}. The known ones are {kinds}.")
    kind, arguments = expression
    if len(arguments) != ARGUMENTS[kind]:
        raise Invalid(f"{parameter!r}: {kind} takes {counted(ARGUMENTS[kind], 'argument')}, not {len(arguments)}.")
    if kind == "choice":
        if not isinstance(arguments[0], list) or not arguments[0]:
            raise Invalid(f"{parameter!r}: choice takes a list of one value at least.")
        return
    largest = sys.float_info.max
    if not all(isinstance(argument, (int, float)) and -largest <= argument <= largest for argument in arguments):
        raise Invalid(f"{parameter!r}: {kind} takes numbers, not {arguments!r}.")
    if kind == "randint" and (arguments[0] != int(arguments[0]) or arguments[0] < 1):
        raise Invalid(f"{parameter!r}: randint takes a whole number above 0.")
    if kind.startswith("q") and (arguments[2] <= 0 or arguments[2] != int(arguments[2])):
        raise Invalid(f"{parameter!r}: the q of {kind} is {arguments[2]}; give a whole number above 0.")
    if kind.endswith("uniform") and arguments[0] > arguments[1]:
        raise Invalid(f"{parameter!r}: the range of {kind} is from {arguments[0]} to {arguments[1]}.")
    if kind.endswith("normal") and arguments[1] < 0:
        raise Invalid(f"{parameter!r}: the sigma of {kind} is {arguments[1]}; it cannot be negative.")
    if kind != "randint":
        _check_ends(parameter, kind, arguments, base)


def _check_ends(parameter: str, kind: str, arguments: list, base: float) -> None:
    """Refuse what draws numbers that no float holds, be it once in a thousand draws."""
    ends = arguments[:2] if kind.endswith("uniform") else [_normal(share, *arguments[:2]) for share in (0, 1)]
    if not math.isfinite(ends[1] - ends[0]):
        raise Invalid(f"{parameter!r}: {kind} draws from {ends[0]:.6g} to {ends[1]:.6g}, a range that no number holds.")
    highest = max(ends, key=lambda end: math.log(base) * end)
    if _is_log(kind) and math.log(base) * highest > LARGEST:
        raise Invalid(
            f"{parameter!r}: {kind} draws up to {base:.6g} to the power of {highest:.6g}, which no number holds."
        )
