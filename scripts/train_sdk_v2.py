"""Train the Keras model on MNIST with the SDK v2 and register it, step by step as Microsoft's article on it does.

    .venv/bin/python scripts/train_sdk_v2.py                    offline: the job is a process of this machine
    .venv/bin/python scripts/train_sdk_v2.py --backend azure    in the workspace that config.json names

Between use_backend and the end everything is the SDK's own: what is learnt here holds wherever an MLClient is used.
"""

import argparse
import logging
import sys

import in_venv  # noqa: F401 - before what may not be there

import helpers

CLUSTER = "gpu-cluster"
IMAGE = "mcr.microsoft.com/azureml/openmpi5.0-cuda12.6-ubuntu24.04"
MNIST = "wasbs://datasets@azuremlexamples.blob.core.windows.net/mnist/"
MODEL = "keras-mnist-in-one-script"  # not the name of the lessons, which would go on with it
COMMAND = """\
python keras_mnist.py --data-folder ${{inputs.data_folder}} --epochs ${{inputs.epochs}}
--batch-size ${{inputs.batch_size}} --learning-rate ${{inputs.learning_rate}}
--first-layer-neurons ${{inputs.first_layer_neurons}} --second-layer-neurons ${{inputs.second_layer_neurons}}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("offline", "azure"), default="offline")
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    helpers.use_backend(given.backend)
    train(given.epochs)


def train(epochs: int):
    """The registered model of a new job."""
    from azure.ai.ml import Input, MLClient, command
    from azure.ai.ml.entities import AmlCompute, Environment, Model
    from azure.core.exceptions import ResourceNotFoundError
    from azure.identity import DefaultAzureCredential

    # The workspace. The client warns of classes of its own that it calls experimental.
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    ml_client = MLClient.from_config(DefaultAzureCredential(), show_progress=False)

    # The cluster, which costs nothing while it is idle.
    try:
        ml_client.compute.get(CLUSTER)
    except ResourceNotFoundError:
        cluster = AmlCompute(
            name=CLUSTER,
            size="STANDARD_NC4AS_T4_V3",
            min_instances=0,
            max_instances=4,
            idle_time_before_scale_down=120,
            tags=helpers.SERIES_TAG,
        )
        ml_client.compute.begin_create_or_update(cluster).result()

    # The environment: an image, and what the script needs on top of it.
    code = helpers.stage_training_script("v2")
    environment = ml_client.environments.create_or_update(
        Environment(name="keras-env", image=IMAGE, conda_file=code / "conda_dependencies.yml")
    )

    # The job. Its inputs are written into the command; the data is mounted on the cluster.
    job = command(
        code=str(code),
        command=COMMAND.replace("\n", " "),
        inputs={
            "data_folder": Input(type="uri_folder", path=MNIST),
            "epochs": epochs,
            "batch_size": 50,
            "first_layer_neurons": 300,
            "second_layer_neurons": 100,
            "learning_rate": 0.001,
        },
        compute=CLUSTER,
        environment=f"{environment.name}:{environment.version}",
        experiment_name="keras-in-one-script",
        display_name="keras-classify-mnist-digit-images-with-dnn",
    )
    job.set_limits(timeout=1800)  # seconds, after which Azure stops it: a limit of the bill
    job = ml_client.jobs.create_or_update(job)
    ml_client.jobs.stream(job.name)  # until it has ended; raises an error if it failed
    status = ml_client.jobs.get(job.name).status
    if status != "Completed":
        sys.exit(f"The job {job.name} has not completed, it is {status.value}: no model is registered.")

    # The model, out of the files that the job has left in outputs/.
    path = f"azureml://jobs/{job.name}/outputs/artifacts/paths/outputs/model/"
    model = Model(name=MODEL, path=path, type="custom_model", tags=helpers.SERIES_TAG)
    model = ml_client.models.create_or_update(model)
    print(f"Registered {model.name}, version {model.version}, of the job {model.job_name}")
    return model


if __name__ == "__main__":
    main()
