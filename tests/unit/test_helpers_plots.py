"""The pictures: what they draw, what they tell those who cannot see them, and that they read on every page."""

import base64
import io
import re

import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from nbconvert import HTMLExporter

from helpers import plots

METRICS = {
    "Accuracy": [0.9, 0.95, 0.97],
    "Training accuracy": [0.8, 0.96, 0.99],
    "Loss": [0.3, 0.2, 0.25],
    "Training loss": [0.5, 0.1, 0.05],
}


@pytest.fixture
def shown(monkeypatch):
    """What is shown, by MIME type."""
    shown = []
    monkeypatch.setattr(plots.display, "show", lambda data, handle=None: shown.append(data))
    return shown


def alt_of(shown) -> str:
    (data,) = shown
    name, words = data["text/plain"].splitlines()
    assert name.startswith("[picture: ")
    return words.removeprefix("The picture in words: ")


def pixels(shown) -> np.ndarray:
    (content,) = re.findall(r'src="data:image/png;base64,([^"]+)"', shown[0]["text/html"])
    return imread(io.BytesIO(base64.b64decode(content)))


def has_color(image: np.ndarray, color: str) -> bool:
    return bool((np.abs(image[..., :3] - to_rgb(color)).max(axis=-1) < 0.02).any())


def test_digits_are_told_with_their_labels(shown):
    plots.digits(np.zeros((13, 28, 28), np.uint8), list(range(10)) + [1, 2, 3])
    assert alt_of(shown) == "13 handwritten digits: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3"


def test_digits_stand_in_rows_of_ten_below_their_labels(shown):
    images = np.zeros((12, 28, 28), np.uint8)
    images[11] = 255
    plots.digits(images, ["", *"1234567890", ""])
    picture = pixels(shown)[..., 0]
    height, width = picture.shape[0] // 2, picture.shape[1] // 10
    cells = picture[: 2 * height, : 10 * width].reshape(2, height, 10, width).swapaxes(1, 2)
    ink = (cells < 0.5).mean(axis=(2, 3))
    assert ink[0, 0] == 0 and (ink[1, 2:] == 0).all()
    assert (ink[0, 1:] > 0.001).all() and (ink[0, 1:] < 0.03).all()  # a label alone
    assert ink[1, 1] == pytest.approx(28 * 28 / (36 * 31), abs=0.02)
    label = (cells[0, 1] < 0.5).any(axis=1).nonzero()[0]
    assert label.max() < height * 8 / 36


def test_there_may_be_no_digit(shown):
    plots.digits(np.zeros((0, 28, 28), np.uint8), [])
    assert alt_of(shown) == "0 handwritten digits: "


def test_many_digits_are_told_by_the_first_thirty(shown):
    plots.digits(np.zeros((40, 28, 28), np.uint8), [7] * 40)
    assert alt_of(shown).count("7") == 30
    assert alt_of(shown).endswith(", …")


def test_wrong_predictions_are_marked_and_told(shown):
    images = np.zeros((2, 28, 28), np.uint8)
    plots.digits(images, np.array([4, 7]), np.array([9, 7]))
    assert alt_of(shown) == "2 handwritten digits: 4 read as 9, 7 read as 7"
    assert has_color(pixels(shown), plots.VERMILION)
    shown.clear()
    plots.digits(images, np.array([4, 7]), np.array([4, 7]))
    assert not has_color(pixels(shown), plots.VERMILION)


def test_the_class_balance_tells_the_rarest_and_the_commonest_digit(shown):
    labels = np.array([0] * 50 + [1] * 30 + [5] * 20)
    plots.class_balance({"training": labels, "test": np.arange(10)})
    assert "training set from 0.0% (2) to 50.0% (0)" in alt_of(shown)
    assert "test set from 10.0% (0) to 10.0% (0)" in alt_of(shown)


def test_the_network_tells_its_layers_and_their_parameters(shown):
    plots.network(4, [(3, "relu"), (1, "tanh")])
    assert alt_of(shown) == (
        "Network of 4 inputs and 2 dense layers: 3 neurons with relu and 15 parameters; "
        "1 neuron with tanh and 4 parameters. 19 parameters in all"
    )
    assert has_color(pixels(shown), plots.BLUE) and has_color(pixels(shown), plots.INK)


@pytest.mark.parametrize(("neurons", "drawn"), [(1, 1), (2, 2), (10, 10), (11, 6), (5000, 6)])
def test_a_layer_is_drawn_with_ten_neurons_at_most(neurons, drawn):
    heights = plots._column(neurons)
    assert len(heights) == len(set(heights)) == drawn
    assert heights.min() == -heights.max() >= -1


def test_the_training_curve_tells_both_sets_and_both_figures(shown):
    plots.training_curve(METRICS)
    alt = alt_of(shown)
    assert "validation accuracy goes from 0.900 to 0.970 in 3 epochs" in alt
    assert "training loss goes from 0.500 to 0.050 in 3 epochs" in alt
    assert has_color(pixels(shown), plots.BLUE)
    assert has_color(pixels(shown), plots.VERMILION)


def test_a_single_epoch_is_a_number_and_not_a_list(shown):
    plots.training_curve({"Accuracy": 0.9, "Loss": 0.3})
    assert "validation accuracy goes from 0.900 to 0.900 in 1 epoch;" in alt_of(shown)


def test_a_run_that_logged_nothing_has_an_empty_curve(shown):
    plots.training_curve({})
    assert alt_of(shown).endswith("nothing logged yet")


def test_the_confusion_matrix_tells_how_many_are_wrong_and_the_commonest_mistake(shown):
    labels = np.array([4, 4, 4, 8, 8, 1])
    plots.confusion_matrix(labels, np.array([9, 9, 4, 3, 8, 1]))
    alt = alt_of(shown)
    assert "6 digits, 3 of them misread" in alt
    assert "is 4 read as 9, 2 times" in alt
    assert has_color(pixels(shown), plots.VERMILION)


def test_without_a_mistake_there_is_no_commonest_one(shown):
    plots.confusion_matrix(np.arange(10), np.arange(10))
    assert alt_of(shown) == "Confusion matrix of 10 digits, 0 of them misread"


@pytest.mark.parametrize("page", ["#ffffff", "#111111", "#0d1117"], ids=["light", "JupyterLab dark", "GitHub dark"])
def test_text_and_colours_stand_out_on_every_page(page):
    def luminance(color):
        channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return np.dot((0.2126, 0.7152, 0.0722), channels)

    def contrast(one, other):
        darker, lighter = sorted((luminance(one), luminance(other)))
        return (lighter + 0.05) / (darker + 0.05)

    assert contrast(plots.INK, page) >= 4.2
    assert contrast(plots.BLUE, page) >= 3  # what WCAG 2 asks of graphics
    assert contrast(plots.VERMILION, page) >= 3
    assert contrast(plots.GREEN, page) >= 3
    assert contrast(plots.ON_PAPER, plots.VERMILION) >= 4.5


def test_the_page_shows_through_and_pictures_are_small(shown):
    plots.training_curve(METRICS)
    (width,) = re.findall(r' width="(\d+)">', shown[0]["text/html"])
    image = pixels(shown)
    assert image[0, 0, 3] == 0
    assert int(width) <= 8 * 96
    assert image.shape[0] <= 4 * 96 * plots.SHARPNESS
    assert image.shape[1] == int(width) * plots.SHARPNESS


def test_a_page_that_nbconvert_makes_has_the_words_of_a_picture_as_its_alternative_text(shown):
    plots.latency([0.001, 0.002, 0.009])
    output = nbformat.v4.new_output("display_data", shown[0])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (picture,) = re.findall(r"<img [^>]*>", page)
    assert f'alt="{alt_of(shown)}"' in picture and "<details><summary>The picture in words</summary>" in page


TRIALS = {
    "batch-size": [25, 50, 50, 25],
    "learning-rate": [0.0001, 0.001, 0.02, 0.003],
    "accuracy": [0.9, 0.98, None, float("nan")],
}


def test_parallel_coordinates_tell_the_best_and_leave_out_what_has_no_accuracy(shown):
    plots.parallel_coordinates(TRIALS, [True, False, False, True])
    assert alt_of(shown) == (
        "Parallel coordinates of 2 trials over batch-size, learning-rate and accuracy; "
        "the best has batch-size 50, learning-rate 0.001, accuracy 0.98"
    )
    assert has_color(pixels(shown), plots.BLUE)


@pytest.mark.parametrize("count", [0, 1])
def test_parallel_coordinates_of_none_or_one(shown, count):
    plots.parallel_coordinates({"width": [10] * count, "accuracy": [0.9] * count}, [False] * count)
    assert ("1 trial over" if count else "0 trials over") in alt_of(shown)


def test_the_page_shows_through_but_for_what_is_black_which_has_a_ground(shown):
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 14] = 255
    plots.digits(images, [1, 2])
    plots.parallel_coordinates(TRIALS, [True, False, False, True])
    for picture in (pixels(shown), pixels(shown[1:])):
        black, white = ((picture == [shade, shade, shade, 1]).all(axis=-1).sum() for shade in (0, 1))
        assert 0 < black < white
        assert (picture[0, [0, -1], 3] == 0).all()  # the upper corners


@pytest.mark.parametrize(
    "low, high, ticks",
    [
        (0.000154, 0.00295, ["0.0002", "0.0005", "0.001", "0.002"]),
        (0.0001, 0.01, ["0.0001", "0.0002", "0.0005", "0.001", "0.002", "0.005", "0.01"]),
        (0.00005, 0.5, ["0.0001", "0.001", "0.01", "0.1"]),
    ],
)
def test_a_logarithmic_axis_has_round_values_as_ticks(low, high, ticks):
    values = [low, *np.geomspace(low, high, 7)[1:-1], high]
    heights, told = plots._upright(values, None)
    assert [text for _, text in told] == ticks
    expected = [np.log(float(text) / low) / np.log(high / low) for text in ticks]
    assert [at for at, _ in told] == pytest.approx(expected)
    assert heights == pytest.approx(np.linspace(0, 1, 7))


def test_places_on_an_upright_axis():
    few, ticks = plots._upright([100, 25, 100], None)
    assert few == [0.75, 0.25, 0.75] and ticks == [(0.25, "25"), (0.75, "100")]
    many, ticks = plots._upright([1, 10, 100, 1000, 10000, 100000], None)
    assert many == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    even, _ = plots._upright([1, 2, 3, 4, 5, 6], None)
    assert even == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    mistakes, ticks = plots._upright([0.84, 0.92, 0.96], plots._spread)
    assert mistakes == pytest.approx([0, 0.5, 1])  # half the mistakes, the same step
    assert [text for _, text in ticks] == ["0.84", "0.96", "0.9", "0.95"][: len(ticks)]


def test_learning_curves_mark_what_was_stopped_and_the_best(shown):
    plots.learning_curves([[0.9, 0.95], [0.8, float("nan")], [], [0.7]], [False, True, True, False])
    assert alt_of(shown) == (
        "Line chart of the accuracy over the epochs for 4 trials, of which 2 were stopped; the best reaches 0.9500"
    )
    image = pixels(shown)
    assert has_color(image, plots.BLUE) and has_color(image, plots.VERMILION)


def test_learning_curves_of_trials_that_logged_nothing(shown):
    plots.learning_curves([[], []], [True, False])
    assert "2 trials" in alt_of(shown)
