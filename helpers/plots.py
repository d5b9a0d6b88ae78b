"""The notebooks' pictures. Each is small, comes with words for those who cannot see it, and reads on light and dark."""

import base64
import html
import io
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from helpers import display
from helpers.scoring import Answer
from helpers.words import counted

# On white and on JupyterLab's and GitHub's dark pages alike: text at a contrast of 4.2 at least, colours at 3.6.
# Blue and vermilion of Okabe and Ito's palette differ for every kind of colour vision.
# The green, which is darker than theirs, only stands beside the blue where there is a difference that is not of colour.
INK, BLUE, VERMILION, GREEN = "#787878", "#0072B2", "#D55E00", "#008A64"
PAPER, ON_PAPER = "#ffffff", "#000000"  # where text stands on a colour or a line, its ground is the same everywhere
PIXELS_PER_INCH = 96
ACCURACY_TICKS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
SHARPNESS = 2  # image pixels for each pixel on the page
WORDS = "The picture in words"


def digits(images: np.ndarray, labels: Sequence[int], predictions: Sequence[int] | None = None) -> None:
    """Show images (n, height, width) in rows of ten under their labels.

    With `predictions`, a title reads "true → predicted", in vermilion where the two differ.
    """
    count, height, width = images.shape
    rows, in_row, down, across = max(1, -(-count // 10)), 10, height + 8, width + 3  # the latter from image to image
    sheet = np.ma.masked_all((rows * down, in_row * across), images.dtype)  # the page shows through between images
    figure = Figure(figsize=(8, 8 * sheet.shape[0] / sheet.shape[1]), facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))  # one for all: many would take a second to draw
    axes.set_axis_off()
    for position, (image, label) in enumerate(zip(images, labels, strict=True)):
        top, left = down * (position // in_row) + down - height, across * (position % in_row)
        sheet[top : top + height, left : left + width] = image
        title, color = str(label), INK
        if predictions is not None:
            title = f"{label} → {predictions[position]}"
            color = VERMILION if predictions[position] != label else INK
        axes.text(left + width / 2, top - 2, title, fontsize=9, color=color, ha="center")
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255)
    if predictions is None:
        alt = f"{counted(len(images), 'handwritten digit')}: {_listed(labels)}"
    else:
        pairs = [f"{label} read as {got}" for label, got in zip(labels, predictions, strict=True)]
        alt = f"{counted(len(images), 'handwritten digit')}: {_listed(pairs)}"
    _show(figure, counted(len(images), "digit"), alt)


def class_balance(labels_by_set: Mapping[str, np.ndarray]) -> None:
    """Show how the ten digits are distributed in each set of labels, as shares of the set."""
    figure = _figure(6, 2.6)
    axes = _axes(figure.subplots(), xlabel="digit", ylabel="share of the set")
    width = 0.8 / len(labels_by_set)
    told = []
    for index, (name, labels) in enumerate(labels_by_set.items()):
        shares = np.bincount(labels, minlength=10) / len(labels)
        places = np.arange(10) + (index - (len(labels_by_set) - 1) / 2) * width
        axes.bar(places, shares, width, label=name, color=(BLUE, VERMILION)[index % 2])
        told.append(f"{name} set from {shares.min():.1%} ({shares.argmin()}) to {shares.max():.1%} ({shares.argmax()})")
    axes.set_xticks(range(10))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.axhline(0.1, color=INK, linewidth=0.8, linestyle=":")
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    _show(figure, "class balance", "Bar chart of each digit's share: " + "; ".join(told))


def network(inputs: int, layers: Sequence[tuple[int, str]]) -> None:
    """Show a network of dense layers, each told by its neurons and its activation, with their shapes and parameters.

    A dense layer has, for each of its neurons, a weight for each neuron of the layer before it, and a bias.
    """
    widths = [inputs, *(neurons for neurons, _ in layers)]
    parameters = [(before + 1) * neurons for before, neurons in itertools.pairwise(widths)]
    names = ["Input", *(f"Dense, {activation}" for _, activation in layers)]
    counts = ["no parameters", *(counted(count, "parameter") for count in parameters)]
    figure = _figure(8, 3.2)
    axes = _axes(figure.subplots(), xlim=(-0.5, len(layers) + 0.5), ylim=(-1.75, 1.4))
    axes.set_axis_off()
    columns = [_column(width) for width in widths]
    for place, (left, right) in enumerate(itertools.pairwise(columns)):
        for start, end in itertools.product(left, right):
            axes.plot([place, place + 1], [start, end], "-", color=INK, linewidth=0.3, zorder=1)
    for place, (heights, width, name, count) in enumerate(zip(columns, widths, names, counts, strict=True)):
        axes.plot([place] * len(heights), heights, "o", color=BLUE if place else INK, markersize=8, zorder=2)
        if len(heights) < width:
            axes.plot([place] * 3, [-0.06, 0, 0.06], ".", color=INK, markersize=3)
        axes.text(place, 1.15, name, ha="center", va="bottom", color=INK, fontsize=10)
        axes.text(place, -1.15, f"(None, {width})\n{count}", ha="center", va="top", color=INK, fontsize=9)
    told = [
        f"{counted(neurons, 'neuron')} with {activation} and {counted(count, 'parameter')}"
        for (neurons, activation), count in zip(layers, parameters, strict=True)
    ]
    alt = f"Network of {counted(inputs, 'input')} and {counted(len(layers), 'dense layer')}: " + "; ".join(told)
    _show(figure, "network", f"{alt}. {counted(sum(parameters), 'parameter')} in all")


def _column(neurons: int) -> np.ndarray:
    """Heights, from -1 to 1, of the neurons that are drawn: ten at most, or six with a gap in the middle."""
    if neurons <= 10:
        return np.linspace(-1, 1, neurons) if neurons > 1 else np.zeros(1)
    upper = np.linspace(0.3, 1, 3)
    return np.concatenate([-upper[::-1], upper])


def training_curve(metrics: Mapping[str, object]) -> None:
    """Show accuracy and loss over the epochs, from what `run.get_metrics()` returns."""
    _show(*curve(metrics))


def curve(metrics: Mapping[str, object]) -> tuple[Figure, str, str]:
    """The figure that `training_curve` shows, its name and its alt text."""
    figure = _figure(8, 2.8)
    told = []
    for axes, name in zip(figure.subplots(1, 2), ("Accuracy", "Loss"), strict=True):
        _axes(axes, xlabel="epoch", title=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        for series, label, color, style in (
            (name, "validation", BLUE, "o-"),
            (f"Training {name.lower()}", "training", VERMILION, "s--"),
        ):
            values = np.atleast_1d(metrics.get(series, []))
            if len(values):
                epochs = range(1, len(values) + 1)
                axes.plot(epochs, values, style, color=color, label=label, linewidth=1.5, markersize=3)
                change = f"goes from {values[0]:.3f} to {values[-1]:.3f} in {counted(len(values), 'epoch')}"
                told.append(f"{label} {name.lower()} {change}")
        _legend(axes, loc="best")
    return figure, "training curve", "Line charts of accuracy and loss: " + ("; ".join(told) or "nothing logged yet")


def latency(seconds: np.ndarray) -> None:
    """Show how long requests took, from what `scoring.latencies` returns."""
    milliseconds = np.asarray(seconds) * 1000
    median, slowest = np.median(milliseconds), milliseconds.max()
    figure = _figure(6, 2.4)
    axes = _axes(figure.subplots(), xlabel="milliseconds until the answer", ylabel="requests")
    axes.hist(milliseconds, bins=30, color=BLUE)
    axes.axvline(median, color=VERMILION, linewidth=1.5, label=f"median {median:.1f} ms")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes, loc="best")
    asked = counted(len(milliseconds), "request")
    alt = f"Histogram of the time that {asked} took: half of them less than {median:.1f} ms"
    _show(figure, "latency", f"{alt}, the slowest {slowest:.1f} ms")


def traffic(answers: Sequence[Answer]) -> None:
    """Show who answered an endpoint's requests as time went by, from what `scoring.while_asked` returns.

    Dotted lines are where a step was done.
    """
    figure = _figure(8, 2.6)
    axes = _axes(figure.subplots(), xlabel="seconds", ylabel="requests in 0.1 s")
    began = answers[0].sent
    names = sorted({answer.deployment for answer in answers if answer.deployment})
    stages = sorted({answer.done for answer in answers if answer.done is not None})
    axes.hist(
        [[answer.sent - began for answer in answers if answer.deployment == name] for name in names],
        bins=np.arange(0, answers[-1].sent - began + 0.1, 0.1),
        stacked=True,
        label=names,
        color=[BLUE, GREEN, VERMILION, INK][: len(names)],
        hatch=["", "///", "...", "xxx"][: len(names)],
        edgecolor=PAPER,
        linewidth=0,
    )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    told = []
    for stage in stages:
        asked = [answer for answer in answers if answer.done == stage]
        shares = [sum(answer.deployment == name for answer in asked) / len(asked) for name in names]
        told.append(", ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True)))
        if stage:
            axes.axvline(asked[0].sent - began, color=INK, linewidth=1, linestyle=":")
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(names))
    lost = sum(answer.deployment is None for answer in answers)
    requests = counted(len(answers), "request")
    alt = f"Who answered {requests}, {lost} of them lost, one stage after another: {'; '.join(told)}"
    _show(figure, "traffic", alt)


def learning_curves(curves: Sequence[Sequence[float]], stopped: Sequence[bool]) -> None:
    """Show the accuracies of many trials over the epochs: the best in blue, and a cross where one was stopped."""
    figure = _figure(6, 3)
    axes = _axes(figure.subplots(), xlabel="epoch", ylabel="accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_yscale("function", functions=(_spread, lambda height: 1 - np.exp(-height)))
    axes.set_yticks(ACCURACY_TICKS, [f"{accuracy:g}" for accuracy in ACCURACY_TICKS])
    reached = [float(np.fmax.reduce(curve, initial=0)) for curve in curves]
    best = int(np.argmax(reached))
    colors = {"the best": BLUE, "stopped": VERMILION, "others": INK}
    for index, (curve, was_stopped) in enumerate(zip(curves, stopped, strict=True)):
        kind = "the best" if index == best else "stopped" if was_stopped else "others"
        epochs = range(1, len(curve) + 1)
        width, order = (2, 3) if index == best else (1, 2)
        axes.plot(epochs, curve, "-", color=colors[kind], linewidth=width, zorder=order)
        if was_stopped and len(curve):
            axes.plot(epochs[-1], curve[-1], "x", color=VERMILION, markersize=7, markeredgewidth=2, zorder=4)
    seen = [value for curve in curves for value in curve if np.isfinite(value)]
    if seen:
        axes.set_ylim(1 - 1.1 * (1 - min(seen)), 1 - 0.9 * (1 - max(seen)))
    for kind, color in colors.items():
        axes.plot([], [], "x-" if kind == "stopped" else "-", color=color, label=kind)
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    trials = counted(len(curves), "trial")
    alt = f"Line chart of the accuracy over the epochs for {trials}, of which {sum(stopped)} "
    alt += "was stopped" if sum(stopped) == 1 else "were stopped"
    _show(figure, "learning curves", f"{alt}; the best reaches {reached[best]:.4f}")


def parallel_coordinates(columns: Mapping[str, Sequence[float]], stopped: Sequence[bool]) -> None:
    """Show trials as lines across upright axes, one for each column; the last is the accuracy, which colours them.

    A column of few values has them at equal distances; one that covers more than an order of magnitude is logarithmic.
    The accuracy's axis is also the scale of the colours. What was stopped is dashed. Trials without an accuracy, which
    is None or NaN, are left out.
    """
    *names, metric = columns
    known = [index for index, value in enumerate(columns[metric]) if value is not None and not np.isnan(value)]
    known.sort(key=lambda index: columns[metric][index])  # the best last, on top
    figure = _figure(8, 3.2)
    axes = _axes(figure.subplots(), xlim=(-0.3, len(names) + 0.3), ylim=(-0.06, 1.06))
    axes.set_axis_off()
    scale = LinearSegmentedColormap.from_list("accuracy", [VERMILION, INK, BLUE])
    shades, strip = np.linspace(0, 1, 256)[:, np.newaxis], (len(names), len(names) + 0.06, 0, 1)
    axes.imshow(shades, cmap=scale, vmin=0, vmax=1, extent=strip, origin="lower", aspect="auto")
    heights = []
    for place, (name, values) in enumerate(columns.items()):
        height, ticks = _upright([values[index] for index in known], _spread if name == metric else None)
        heights.append(height)
        axes.plot([place, place], [0, 1], color=INK, linewidth=0.8)
        axes.text(place, 1.1, name, ha="center", va="bottom", color=INK, fontsize=9)
        side, aside = ("left", 0.09) if name == metric else ("right", -0.03)
        for at, text in ticks:
            ground = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}  # lines pass behind the text
            style = {"ha": side, "va": "center", "color": ON_PAPER, "fontsize": 8}
            axes.text(place + aside, at, text, **style, bbox=ground, zorder=3)
    for rank, index in enumerate(known):
        line, style = [height[rank] for height in heights], "--" if stopped[index] else "-"
        width = 0.8 + 1.4 * (rank + 1) / len(known)
        axes.plot(range(len(columns)), line, style, color=scale(line[-1]), linewidth=width)
    alt = f"Parallel coordinates of {counted(len(known), 'trial')} over {_listed(names)} and {metric}"
    if known:
        alt += "; the best has " + _listed([f"{name} {values[known[-1]]:.4g}" for name, values in columns.items()])
    _show(figure, "parallel coordinates", alt)


def _spread(accuracy: np.ndarray) -> np.ndarray:
    """A height on which accuracies near 1 lie apart as they should: half the mistakes are always the same step."""
    return -np.log(1 - np.minimum(accuracy, 0.9999))


def _upright(values: Sequence[float], spread: Callable | None) -> tuple[list[float], list[tuple[float, str]]]:
    """Heights of the values on an upright axis, from 0 to 1, and the axis' ticks: (height, text)."""
    if not values:
        return [], []
    distinct = sorted(set(values))
    if len(distinct) <= 5 and spread is None:
        places = {value: (at + 0.5) / len(distinct) for at, value in enumerate(distinct)}
        return [places[value] for value in values], [(place, f"{value:.4g}") for value, place in places.items()]
    wide = distinct[0] > 0 and distinct[-1] > 10 * distinct[0]
    convert = spread or (np.log if wide else np.asarray)
    low, high = convert(np.array([distinct[0], distinct[-1]]))
    if high == low:
        return [0.5] * len(values), [(0.5, f"{value:.3g}") for value in distinct]
    heights = (convert(np.asarray(values)) - low) / (high - low)
    if wide and not spread:
        ticks, between = [], _powers(distinct[0], distinct[-1])
    else:
        ticks, margin = [(0, f"{distinct[0]:.3g}"), (1, f"{distinct[-1]:.3g}")], 0.1 * (high - low)
        between = [tick for tick in ACCURACY_TICKS if spread and low + margin < spread(tick) < high - margin]
    return heights.tolist(), ticks + [(float((convert(tick) - low) / (high - low)), f"{tick:g}") for tick in between]


def _powers(low: float, high: float) -> list[float]:
    """Round values from low to high for the ticks of a logarithmic axis: 1, 2 and 5, or over many decades 1 alone."""
    steps = (1, 2, 5) if high < 1000 * low else (1,)
    return [float(tick) for tick in LogLocator(subs=steps).tick_values(low, high) if low <= tick <= high]


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> None:
    """Show how often each digit was read as each; mistakes are coloured, the more the stronger."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, predictions), 1)
    mistakes = counts * ~np.eye(10, dtype=bool)
    figure = _figure(5.2, 4)
    axes = _axes(figure.subplots(), xlabel="predicted digit", ylabel="true digit")
    paper_to_vermilion = LinearSegmentedColormap.from_list("mistakes", [PAPER, VERMILION])
    axes.imshow(mistakes, cmap=paper_to_vermilion, vmin=0, vmax=max(1, mistakes.max()))
    for (true, predicted), count in np.ndenumerate(counts):
        if count:
            axes.text(predicted, true, count, ha="center", va="center", fontsize=8, color=ON_PAPER)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    true, predicted = np.unravel_index(mistakes.argmax(), mistakes.shape)
    alt = f"Confusion matrix of {counted(len(labels), 'digit')}, {mistakes.sum():,} of them misread"
    if mistakes.any():
        alt += f"; the commonest mistake is {true} read as {predicted}, {counted(mistakes.max(), 'time')}"
    _show(figure, "confusion matrix", alt)


def show(figure: Figure, name: str, alt: str, handle=None):
    """Show a figure with its words: as the picture's alternative text and, folded up, below it.

    The picture is a PNG within HTML: nbconvert and JupyterLab leave out the alternative text of one that stands alone.
    Returns a handle, with which the next figure replaces this one.
    """
    return display.show(as_data(figure, name, alt), handle=handle)


def as_data(figure: Figure, name: str, alt: str) -> dict[str, str]:
    """A figure and its words by MIME type, as HTML and as text."""
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=PIXELS_PER_INCH * SHARPNESS)
    content, width = base64.b64encode(image.getvalue()).decode("ascii"), figure.get_figwidth() * PIXELS_PER_INCH
    words = html.escape(alt)
    picture = f'<img src="data:image/png;base64,{content}" alt="{words}" width="{width:.0f}">'
    folded = f"<details><summary>{WORDS}</summary>{words}</details>"
    return {"text/html": picture + folded, "text/plain": f"[picture: {name}]\n{WORDS}: {alt}"}


def _show(figure: Figure, name: str, alt: str) -> None:
    show(figure, name, alt)  # a value would be shown below the cell


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained", facecolor="none")


def _axes(axes, **labels):
    """Axes in the colour that reads on every page, which shows through, without the frame that says nothing."""
    axes.set(**labels, facecolor="none")
    axes.title.set(color=INK, fontsize=10)
    axes.tick_params(colors=INK, labelsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=9)
    for side, spine in axes.spines.items():
        spine.set(color=INK, visible=side in ("left", "bottom"))
    return axes


def _legend(axes, **place) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**place, fontsize=8, labelcolor=INK, frameon=False)


def _listed(items: Sequence) -> str:
    """The first thirty, since nobody listens to more."""
    return ", ".join(map(str, items[:30])) + (", …" if len(items) > 30 else "")
