"""The training script as a process of its own, on a few hundred images that are easy to learn."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

import helpers
from helpers import mnist, plots

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "training" / "keras_mnist.py"
TRAIN, TEST = 330, 70
OPTIONS = ["--epochs", 2, "--batch-size", 40, "--first-layer-neurons", 30, "--seed", 7]


def write_digits(folder, train=TRAIN, test=TEST, side=8):
    """Four IDX files of images, `side` × `side`: the label is the place of the one bright pixel."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    for part, count in [("train", train), ("t10k", test)]:
        labels = np.arange(count, dtype="u1") % 10
        images = rng.integers(0, 60, (count, side, side), "u1")
        images[np.arange(count), labels // 5 * 4, labels % 5] = 255
        for kind, array in [("images-idx3", images), ("labels-idx1", labels)]:
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("data") / "mounted" / "host.example")


def run_script(*arguments, script=SCRIPT, cwd=None, path=None, **environment):
    """Run the script to its end with its own defaults; `path` is a folder to import from first."""
    own = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
    inherited = {key: value for key, value in os.environ.items() if key not in own}
    if path:
        inherited["PYTHONPATH"] = os.pathsep.join([str(path), inherited["PYTHONPATH"]])
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def record_of(outputs):
    return json.loads((outputs / "model" / "training.json").read_text(), parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    """A run by hand of two epochs with an uneven last batch: the finished process and its working directory."""
    cwd = tmp_path_factory.mktemp("work")
    return run_script("--data-folder", digits.parents[0], *OPTIONS, cwd=cwd), cwd


SUBCLASS = """
import keras

@keras.saving.register_keras_serializable()
class Network(keras.Model):
    def __init__(self, **named):
        super().__init__(**named)
        self.hidden, self.last = keras.layers.Dense(8, activation="relu"), keras.layers.Dense(10)

    def call(self, images):
        return self.last(self.hidden(images))

def build(pixels, first_layer_neurons, second_layer_neurons, learning_rate):
    model = Network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss=loss, metrics=["accuracy"])
    return model
"""


def test_a_network_of_ones_own_may_be_a_subclass_of_the_model(digits, tmp_path):
    folder = helpers.stage_training_script()
    (folder / "network.py").write_text(SUBCLASS)
    options = ["--data-folder", digits, "--output-folder", tmp_path]
    first = run_script(*options, "--epochs", 1, script=folder / "keras_mnist.py")
    assert first.returncode == 0, first.stderr
    second = run_script(*options, "--epochs", 2, "--resume-from", tmp_path, script=folder / "keras_mnist.py")
    assert second.returncode == 0, second.stderr
    assert "Resumed after epoch 1" in second.stdout
    assert record_of(tmp_path)["hyperparameters"]["epochs"] == 2


def test_prints_what_it_trains_on_and_one_line_per_epoch(trained):
    finished, _ = trained
    assert finished.returncode == 0, finished.stderr
    assert not re.search(r"^[IWE]\d{4} |absl", finished.stderr, re.MULTILINE)  # what TensorFlow notes on loading
    sets, versions, epochs, last = np.split(np.array(finished.stdout.splitlines()), [3, 4, 6])
    assert list(sets) == ["Training set: 297 images", "Validation set: 33 images", "Test set: 70 images"]
    assert re.search(r"keras 3\.\S+, tensorflow 2\.\S+, numpy 2\.\S+, on [CG]PU:0$", versions[0])
    for number, line in enumerate(epochs, 1):
        shape = re.sub(r"\d+\.\d+", "#", line)
        assert shape == f"Epoch  {number}/2: loss #, accuracy # (training #, #), # s"
    assert re.fullmatch(r"Final test loss \d\.\d{4}, final test accuracy \d\.\d{4}", last[0])


def test_writes_the_model_its_record_and_the_curve(trained):
    finished, cwd = trained
    outputs = cwd / "outputs"
    written = {str(path.relative_to(cwd)) for path in cwd.rglob("*") if path.is_file()}
    assert written == {
        "outputs/model/model.keras",
        "outputs/model/training.json",
        "outputs/checkpoints/checkpoint.npz",
        "outputs/Accuracy vs Loss.png",
    }
    assert (outputs / "Accuracy vs Loss.png").read_bytes().startswith(b"\x89PNG")
    record = record_of(outputs)
    assert record["model_file"] == "model.keras"
    assert record["sha256"] == hashlib.sha256((outputs / "model" / "model.keras").read_bytes()).hexdigest()
    assert record["hyperparameters"] == {
        "batch_size": 40,
        "first_layer_neurons": 30,
        "second_layer_neurons": 100,
        "learning_rate": 0.001,
        "learning_rate_rule": "constant",
        "dataset_repeat": 1,
        "epochs": 2,
        "seed": 7,
        "validation_split": 0.1,
    }
    assert set(record["versions"]) == {"python", "keras", "tensorflow", "numpy"}
    metrics = record["metrics"]
    assert set(metrics) == {"Loss", "Accuracy", "Final test loss", "Final test accuracy"}
    assert f"Final test loss {metrics['Final test loss']:.4f}" in finished.stdout
    assert f"Epoch  2/2: loss {metrics['Loss']:.4f}, accuracy {metrics['Accuracy']:.4f}" in finished.stdout


def test_the_saved_model_loads_safely_and_gives_the_same_figures(trained, digits):
    code = f"""
import sys, json
sys.path.insert(0, {str(ROOT / "helpers")!r})
import keras, mnist
model = keras.models.load_model("outputs/model/model.keras", safe_mode=True)
data = mnist.load({str(digits)!r})
images = data.test_images.reshape(len(data.test_images), -1) / 255
print(json.dumps([
    model.evaluate(images, data.test_labels, verbose=0),
    [layer.units for layer in model.layers],
    model.steps_per_execution,
]))
"""
    finished = subprocess.run([sys.executable, "-c", code], cwd=trained[1], capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    (loss, accuracy), units, steps = json.loads(finished.stdout)
    metrics = record_of(trained[1] / "outputs")["metrics"]
    assert loss == pytest.approx(metrics["Final test loss"], rel=1e-5)
    assert accuracy == metrics["Final test accuracy"]
    assert units == [30, 100, 10]
    assert steps == 1  # nothing of the training loop's tuning is left in the file


def test_jax_without_azure_with_no_validation_split(digits, tmp_path):
    """With 0 all images are trained on and the test set validates; the SDK need not be installed."""
    (tmp_path / "no_azure" / "azureml").mkdir(parents=True)
    (tmp_path / "no_azure" / "azureml" / "__init__.py").write_text("raise AssertionError('the SDK was imported')")
    options = ["--epochs", 40, "--validation-split", 0, "--learning-rate", 0.01]
    finished = run_script(
        "--data-folder", digits, *options, cwd=tmp_path, KERAS_BACKEND="jax", path=tmp_path / "no_azure"
    )
    assert finished.returncode == 0, finished.stderr
    assert not re.search(r"^[IWE]\d{4} |absl", finished.stderr, re.MULTILINE)  # TensorFlow is not imported
    assert finished.stdout.startswith("Training set: 330 images\nValidation set: 70 images\nTest set: 70 images\n")
    record = record_of(tmp_path / "outputs")
    assert "jax" in record["versions"]
    metrics = record["metrics"]
    assert metrics["Accuracy"] == metrics["Final test accuracy"] > 0.9
    assert metrics["Loss"] == pytest.approx(metrics["Final test loss"], rel=1e-5)


NETWORK = """
import importlib.util, json, os, sys
sys.path.insert(0, {training!r})
os.environ["KERAS_BACKEND"] = "jax"
from quiet import NOT_NEEDED, WEB_FRAMEWORK, quietly
with quietly():
    import keras, mlflow, network
for name in (*NOT_NEEDED, WEB_FRAMEWORK):  # Keras was imported without them, and whoever asks later finds them
    assert name not in sys.modules and importlib.util.find_spec(name), name
model = network.build(784, 300, 100, 0.001)
print(json.dumps([
    [[layer.units, layer.activation.__name__, layer.count_params(), str(layer.output.shape)] for layer in model.layers],
    [model.input_shape[1], model.count_params()],
    [model.loss, type(model.optimizer).__name__],
]))
"""


def test_the_notebook_draws_and_tells_the_network_that_is_trained(monkeypatch):
    """Its picture is drawn without Keras: the figures have to be those of the model that network.py builds."""
    finished = subprocess.run(
        [sys.executable, "-c", NETWORK.format(training=str(SCRIPT.parent))], capture_output=True, text=True, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    layers, (inputs, parameters), (loss, optimizer) = json.loads(finished.stdout)

    cells = {cell.id: cell.source for cell in nbformat.read(ROOT / "notebooks" / "04_train.ipynb", 4).cells}
    drawn = []
    monkeypatch.setattr(plots, "_show", lambda figure, name, alt: drawn.append((figure, alt)))
    exec(cells["parameters"] + "\n" + cells["network-picture"], {"helpers": helpers})
    ((figure, alt),) = drawn
    texts = [text.get_text() for text in figure.axes[0].texts]
    told = "; ".join(f"{units} neurons with {name} and {count:,} parameters" for units, name, count, _ in layers)
    assert alt == f"Network of {inputs} inputs and {len(layers)} dense layers: {told}. {parameters:,} parameters in all"
    for _, name, count, shape in layers:
        assert f"Dense, {name}" in texts and f"{shape}\n{count:,} parameters" in texts
    assert f"`{loss}`" in cells["network-compile"] and f"`{optimizer}`" in cells["network-compile"]
    assert f"784 × 300 + 300 = {layers[0][2]:,}" in cells["network-read"]


def test_the_network_and_the_story_are_short_enough_to_be_read():
    source = (SCRIPT.parent / "network.py").read_text()
    assert len(source.splitlines()) < 30
    assert re.findall(r"^\s*(?:import|from) (\S+)", source, re.MULTILINE) == ["keras"]
    assert len(SCRIPT.read_text().splitlines()) <= 130


LOOP = """
import os, resource, sys
sys.path.insert(0, {training!r})
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
from batches import Batches
from dataset import flat
from quiet import quietly
with quietly():
    import fast_epochs, keras, network
from contextlib import nullcontext
random = np.random.default_rng(0)
images, labels = random.integers(0, 256, (127, 4, 5), "u1"), random.integers(0, 10, 127, "u1")
for looping in (True, False):
    keras.utils.set_random_seed(3)
    model = network.build(20, 8, 8, 0.01)
    model.evaluate(*flat((images, labels)), verbose=0)
    batches = Batches(images, labels, 10, seed=4, repeat=2)
    traced, one_step = [], model.train_step
    if looping:
        model.train_step = lambda data: traced.append(data) or one_step(data)
    with fast_epochs.step_by_step(model, batches) if looping else nullcontext():
        given = fast_epochs.chunks(batches) if looping else fast_epochs.Steps(batches)
        history = model.fit(given, shuffle=False, verbose=0)
    assert "train_step" not in vars(model)
    assert len(traced) == looping, "TensorFlow goes through a step once, to compile it"
    print(history.history["loss"][0], *(weights.sum() for weights in model.get_weights()))
    if looping:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(10):
            b"x" * (20 << 20)
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        assert faults < 20_000, f"{{faults}}: each block of 5,120 pages comes from the system anew"
"""


def test_the_compiled_loop_over_batches_trains_as_they_would_one_by_one():
    """127 images in batches of 10, twice: twelve batches are a chunk, the last seven images one of their own.

    Nor does a large block of memory take longer to get afterwards, as a step's products need them.
    """
    code = LOOP.format(training=str(SCRIPT.parent))
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    looped, one_by_one = (np.array(line.split(), float) for line in finished.stdout.splitlines())
    assert looped == pytest.approx(one_by_one, abs=1e-4)
    assert len(set(looped)) == len(looped)


RECORDER = """
import json, os
class Run:
    @classmethod
    def get_context(cls):
        return cls()
    def write(self, *event):
        with open(os.environ["EVENTS"], "a") as file:
            file.write(json.dumps(event) + "\\n")
    def log(self, name, value, description="", step=None):
        self.write(name, value, step)
    def log_image(self, name, path=None, plot=None, description=""):
        self.write(name, [axes.get_title() for axes in plot.axes], None)
    def flush(self):
        self.write("flush", None, None)
"""


@pytest.fixture
def recording_sdk(tmp_path):
    """An `azureml` that writes what a run is told to a file: arguments of run_script, and a reader of that file."""
    (tmp_path / "sdk" / "azureml").mkdir(parents=True)
    (tmp_path / "sdk" / "azureml" / "__init__.py").touch()
    (tmp_path / "sdk" / "azureml" / "core.py").write_text(RECORDER)
    events = tmp_path / "events.jsonl"
    environment = {"path": tmp_path / "sdk", "EVENTS": str(events), "AZUREML_RUN_ID": "a-run"}
    return environment, lambda: [json.loads(line) for line in events.read_text().splitlines()]


def test_a_job_logs_each_epoch_and_gives_the_figures_of_the_same_seed_by_hand(trained, digits, tmp_path, recording_sdk):
    """As it is submitted: the reader beside the script, away from the repository, azureml at hand."""
    environment, events = recording_sdk
    for module in [*SCRIPT.parent.glob("*.py"), mnist.__file__]:
        shutil.copy(module, tmp_path)
    script = tmp_path / SCRIPT.name
    finished = run_script("--data-folder", digits, *OPTIONS, script=script, cwd=tmp_path, **environment)
    assert finished.returncode == 0, finished.stderr
    metrics = record_of(tmp_path / "outputs")["metrics"]
    assert metrics == record_of(trained[1] / "outputs")["metrics"]

    epoch = ["Loss", "Accuracy", "Training loss", "Training accuracy"]
    end = ["Final test loss", "Final test accuracy", "Accuracy vs Loss", "flush"]
    assert [(name, step) for name, _, step in events()] == [
        *((name, step) for step in (1, 2) for name in epoch),
        *((name, None) for name in end),
    ]
    values = {(name, step): value for name, value, step in events()}
    assert values["Loss", 2] == metrics["Loss"] and values["Accuracy", 2] == metrics["Accuracy"]
    assert values["Final test accuracy", None] == metrics["Final test accuracy"]
    assert values["Accuracy vs Loss", None] == ["Accuracy", "Loss"]
    assert not list((tmp_path / "outputs").glob("*.png"))  # it is in the run history


def test_a_training_that_diverges_fails_and_saves_no_model(digits, tmp_path, recording_sdk):
    environment, events = recording_sdk
    options = ["--learning-rate", 1e38]
    finished = run_script("--data-folder", digits, *options, cwd=tmp_path, KERAS_BACKEND="jax", **environment)
    assert finished.returncode == 1
    last = finished.stderr.splitlines()[-1]
    assert last.startswith("The training diverged") and "--learning-rate" in last
    assert not any(path.is_file() for path in (tmp_path / "outputs").rglob("*"))
    assert events()[-1][0] == "flush"


def refused(*arguments, cwd, **environment):
    """The last line of stderr of a script that must refuse its arguments at once, TensorFlow not imported."""
    (cwd / "no_keras").mkdir()
    (cwd / "no_keras" / "keras.py").write_text("raise AssertionError('keras was imported')")
    finished = run_script(*arguments, cwd=cwd, path=cwd / "no_keras", **environment)
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == "" and "Traceback" not in finished.stderr
    return finished.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--batch-size", "0", "a whole number above 0, not '0'"),
        ("--batch-size", "2.5", "a whole number above 0, not '2.5'"),
        ("--epochs", "-1", "a whole number above 0"),
        ("--first-layer-neurons", "many", "a whole number above 0, not 'many'"),
        ("--learning-rate", "0", "a number above 0"),
        ("--learning-rate", "nan", "a number above 0"),
        ("--learning-rate", "inf", "a number above 0"),
        ("--validation-split", "1.5", "from 0 to below 1, not '1.5'"),
        ("--validation-split", "nan", "from 0 to below 1"),
        ("--seed", "-3", "from 0 to 4294967295"),
        ("--validation-split", "0.001", "330 images leaves one part empty"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(digits, tmp_path, option, value, message):
    line = refused("--data-folder", digits, f"{option}={value}", cwd=tmp_path)
    assert option in line and message in line


def test_a_folder_without_data_is_refused(tmp_path):
    line = refused("--data-folder", tmp_path / "nowhere", cwd=tmp_path)
    assert "train-images-idx3-ubyte.gz" in line and "nowhere" in line


def test_damaged_data_is_refused(tmp_path):
    data = write_digits(tmp_path / "data")
    damaged = data / "t10k-images-idx3-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-10])
    line = refused("--data-folder", data, cwd=tmp_path)
    assert str(damaged) in line and "damaged" in line


def test_an_output_folder_that_cannot_be_made_is_refused(digits, tmp_path):
    (tmp_path / "outputs").write_text("a file in its place")
    assert "outputs" in refused("--data-folder", digits, cwd=tmp_path)
