"""What is deployed where a model of a known framework comes without an entry script: a script of ours, and packages.

What the service takes is told at https://learn.microsoft.com/azure/machine-learning (No-code model deployment): a
scikit-learn model in a file, and a TensorFlow model in SavedModel's format.
"""

from pathlib import Path

from helpers.offline.engine import environments
from helpers.offline.engine.assets.models import ModelRecord
from helpers.offline.engine.workspace.errors import Invalid

SKLEARN, TENSORFLOW = "ScikitLearn", "TensorFlow"
HERE = Path(__file__).parent
SCRIPTS = {SKLEARN: HERE / "sklearn_script.py", TENSORFLOW: HERE / "tensorflow_script.py"}
PACKAGES = {SKLEARN: ["scikit-learn", "joblib", "numpy", "pandas", "scipy"], TENSORFLOW: ["tensorflow"]}


def wanted_for(model: ModelRecord, framework: str) -> dict:
    """The environment and entry script of services.deploy() for a model of one of SCRIPTS. Raises Invalid."""
    names = model.files
    if framework == SKLEARN and len(names) != 1:
        raise Invalid(
            f"The model {model.id} has {len(names)} files. A scikit-learn model that is deployed without an entry "
            "script is a single one, such as joblib.dump() writes."
        )
    if framework == TENSORFLOW and not any(Path(name).name == "saved_model.pb" for name in names):
        raise Invalid(
            f"The model {model.id} is not in SavedModel's format: it has no file saved_model.pb. Without an entry "
            "script only that is served; write it with model.export(folder) of Keras, or tf.saved_model.save()."
        )
    dependencies = [{"pip": [*PACKAGES[framework], environments.SERVER]}]
    return {
        "source_directory": None,
        "entry_script": str(SCRIPTS[framework]),
        "environment": {
            "name": f"{framework} without an entry script",
            "python": {"condaDependencies": {"dependencies": dependencies}},
            "docker": {"baseImage": None},
        },
    }
