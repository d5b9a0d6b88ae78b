"""What has been retired since the article is recognised, and told with its successor, before anything is submitted."""

from pathlib import Path

import pytest

import helpers
from helpers import retired
from helpers.offline.engine.compute import vm_sizes

TRAINING = Path(__file__).resolve().parents[2] / "scripts" / "training"
ARTICLE = """
channels:
- conda-forge
dependencies:
- python=3.6.2
- pip:
  - azureml-defaults
  - tensorflow-gpu==2.0.0
  - keras<=2.3.1
  - matplotlib
"""


def conda_file(tmp_path, text):
    path = tmp_path / "conda.yml"
    path.write_text(text)
    return path


def test_the_articles_choices_are_all_told_at_once(tmp_path):
    with pytest.raises(helpers.Retired) as raised:
        helpers.check_current(
            vm_size="STANDARD_NC6",
            base_image="mcr.microsoft.com/azureml/openmpi3.1.2-cuda10.0-cudnn7-ubuntu18.04",
            conda_file=conda_file(tmp_path, ARTICLE),
        )
    lines = str(raised.value).splitlines()
    expected = [
        ("STANDARD_NC6 was retired by Azure on 2023-08-31", "Standard_NC4as_T4_v3"),
        ("ubuntu18.04 has not been maintained since January 2023", retired.GPU_IMAGE),
        ("python=3.6.2", "python=3.11"),
        ("tensorflow-gpu==2.0.0", "tensorflow[and-cuda]"),
        ("keras<=2.3.1", "keras>=3.15.1"),
    ]
    assert len(lines) == len(expected)
    for line, (named, successor) in zip(lines, expected, strict=True):
        assert named in line
        assert f"Use its successor {successor}" in line


def test_what_this_repository_uses_is_current():
    helpers.check_current("Standard_NC4as_T4_v3", retired.GPU_IMAGE, TRAINING / "conda_dependencies.yml")
    helpers.check_current(base_image=retired.CPU_IMAGE)
    helpers.check_current()


def test_no_successor_is_retired_itself():
    for _, successor in retired.VM_SIZES.values():
        assert vm_sizes.find(successor).gpus
    assert retired.image_problem(retired.GPU_IMAGE) is None
    assert retired.image_problem(retired.CPU_IMAGE) is None


@pytest.mark.parametrize(
    ("image", "successor"),
    [
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest", retired.CPU_IMAGE),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04", retired.GPU_IMAGE),
        ("example.com/mine-ubuntu18.04", None),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", None),
    ],
)
def test_of_images_only_azure_mls_own_are_judged(image, successor):
    problem = retired.image_problem(image)
    assert (problem is None) if successor is None else problem.endswith(f"Use its successor {successor}.")


@pytest.mark.parametrize(
    ("line", "is_retired"),
    [
        ("python=3.7", True),
        ("python==3.10.4", True),
        ("python=3.11", False),
        ("python=3.12.1", False),
        ("python>=3.8", False),
        ("python", False),
        ("python-dateutil=2.8", False),
        ("keras=2.3.1", True),
        ("keras=3.15.1", False),
        ("cudatoolkit=10.0", False),
    ],
)
def test_a_conda_package(tmp_path, line, is_retired):
    problems = retired.package_problems(conda_file(tmp_path, f"dependencies:\n- {line}\n"))
    assert bool(problems) is is_retired


@pytest.mark.parametrize(
    ("line", "is_retired"),
    [
        ("keras<3", True),
        ("keras==2.15.*", True),
        ("keras~=2.3", True),
        ("keras", False),
        ("keras>2", False),
        ("keras>=2,<4", False),
        ("keras==3.12.1", False),
        ("keras>=3.1,<3.5", False),
        ("tensorflow-gpu", True),
        ("TensorFlow_GPU==2.0", True),
        ("tensorflow[and-cuda]>=2.21", False),
        ("-r other.txt", False),
    ],
)
def test_a_pip_package(tmp_path, line, is_retired):
    problems = retired.package_problems(conda_file(tmp_path, f"dependencies:\n- pip:\n  - '{line}'\n"))
    assert bool(problems) is is_retired


def test_a_file_that_is_no_specification_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"conda\.yml is not a conda specification"):
        helpers.check_current(conda_file=conda_file(tmp_path, "- python"))
