"""Train with the article's own stack, offline: Keras 2.3.1 on TensorFlow 2.0 and Python 3.7.

The first time an environment is built for it, which downloads some 300 MB.
"""

import in_venv  # noqa: F401 - before what may not be there

import helpers
from helpers.mnist import FILES, MIRRORS


def main() -> None:
    helpers.use_backend("offline")
    from azureml.core import Dataset, Environment, Experiment, ScriptRunConfig

    ws = helpers.connect()
    script_folder = helpers.stage_training_script("legacy")
    environment = Environment.from_conda_specification("keras-legacy", str(script_folder / "conda_dependencies.yml"))
    environment.environment_variables["AZUREML_OFFLINE_BUILD"] = "1"
    dataset = Dataset.File.from_files([MIRRORS[0] + name for name in FILES])
    config = ScriptRunConfig(
        source_directory=str(script_folder),
        script="keras_mnist_legacy.py",
        arguments=["--data-folder", dataset.as_named_input("mnist").as_mount()],
        compute_target="local",
        environment=environment,
        max_run_duration_seconds=1800,
    )
    run = Experiment(ws, "keras-legacy").submit(config)
    helpers.watch(run)
    run.wait_for_completion()


if __name__ == "__main__":
    main()
