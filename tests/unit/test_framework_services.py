"""Models that are deployed without an InferenceConfig, by their framework."""

import importlib.util
import json
from pathlib import Path

import joblib
import numpy as np
import pytest
from azureml.core import Model
from azureml.core.webservice import LocalWebservice
from azureml.exceptions import UserErrorException, WebserviceException

from helpers.offline.engine.services import framework_models

ROWS = np.array([[0.0], [1.0], [2.0], [3.0]])


def registered(workspace, name, framework, path=None):
    if path is None:
        from sklearn.linear_model import LinearRegression  # not above: each worker collects this module

        path = Path(f"{name}.pkl")
        joblib.dump(LinearRegression().fit(ROWS, 2 * ROWS[:, 0] + 1), path)
    return Model.register(workspace, str(path), name, model_framework=framework)


def loaded(framework, folder, monkeypatch):
    """The script of a framework, as the server has it once it has begun."""
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(folder))
    spec = importlib.util.spec_from_file_location("script", framework_models.SCRIPTS[framework])
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.init()
    return script


def told(answer):
    """The status of an answer, and what it says."""
    return (answer.status_code, json.loads(answer.get_data())) if hasattr(answer, "status_code") else (200, answer)


def test_a_scikit_learn_model_is_served_by_itself(workspace):
    model = registered(workspace, "line", Model.Framework.SCIKITLEARN)
    service = Model.deploy(workspace, "line", [model])
    service.wait_for_deployment()
    answer = service.run(json.dumps({"data": [[5], [6]]}))
    assert answer == {"predict": [pytest.approx(11), pytest.approx(13)]}
    service.update(models=[registered(workspace, "line", Model.Framework.SCIKITLEARN)])
    assert service.state == "Transitioning"
    other = registered(workspace, "custom", Model.Framework.CUSTOM)
    with pytest.raises(WebserviceException, match='both "models" and "inference_config" inputs'):
        service.update(models=[other])
    service.delete()


def test_what_a_scikit_learn_model_answers(tmp_path, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression().fit(ROWS, [0, 0, 1, 1]), tmp_path / "model.pkl")
    script = loaded(framework_models.SKLEARN, tmp_path, monkeypatch)
    assert script.run('{"data": [[0], [3]], "method": "predict"}') == {"predict": [0, 1]}
    (shares,) = script.run('{"data": [[3]]}')["predict_proba"]
    assert len(shares) == 2 and shares[1] > 0.8
    for request, words in (
        ("no json", "JSON object"),
        ("[]", "JSON object"),
        ('{"data": [[0]], "method": "fit"}', "no method 'fit'"),
        ('{"data": [[0, 1]]}', "features"),
    ):
        status, answer = told(script.run(request))
        assert status == 400 and words in answer["message"], request


def test_what_a_saved_model_answers(tmp_path, monkeypatch):
    import tensorflow as tf

    class Two(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "a"), tf.TensorSpec([None], tf.float32, "b")])
        def both(self, a, b):
            return {"sum": a + b, "name": tf.fill(tf.shape(a), "x")}

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "rows")])
        def one(self, rows):
            return {"total": tf.reduce_sum(rows, 1)}

    two = Two()
    tf.saved_model.save(two, str(tmp_path / "model" / "1"), {"serving_default": two.one, "both": two.both})
    script = loaded(framework_models.TENSORFLOW, tmp_path, monkeypatch)
    for request, answer in (
        ({"instances": [[1, 2], [3, 4]]}, {"predictions": [3, 7]}),
        ({"inputs": [[1, 2]]}, {"outputs": [3]}),
        ({"inputs": {"rows": [[1, 2]]}}, {"outputs": [3]}),
        (
            {"signature_name": "both", "instances": [{"a": 1, "b": 2}]},
            {"predictions": [{"name": "x", "sum": 3}]},
        ),
        ({"signature_name": "both", "inputs": {"a": [1], "b": [2]}}, {"outputs": {"name": ["x"], "sum": [3]}}),
    ):
        assert script.run(json.dumps(request)) == answer, request
    for request, words in (
        ({"data": [[1, 2]]}, 'either "instances" or "inputs"'),
        ({"instances": []}, "one row at least"),
        ({"instances": [[1, 2, 3]]}, "shape"),
        ({"signature_name": "none", "instances": [[1, 2]]}, "no signature 'none'; it has: "),
        ({"signature_name": "both", "instances": [1]}, "give a, b by their names"),
    ):
        status, answer = told(script.run(json.dumps(request)))
        assert status == 400 and words in answer["error"], (request, answer)


@pytest.mark.parametrize(
    ("framework", "error", "words"),
    [
        (Model.Framework.CUSTOM, UserErrorException, "with model_framework set to Custom. Default environments are"),
        (Model.Framework.TFKERAS, UserErrorException, "with model_framework set to TfKeras"),
        (Model.Framework.TENSORFLOW, WebserviceException, r"not in SavedModel's format.*model\.export\(folder\)"),
        (Model.Framework.ONNX, NotImplementedError, "a model of the framework Onnx without an InferenceConfig is not"),
    ],
)
def test_what_is_not_served_by_itself(workspace, framework, error, words):
    model = registered(workspace, "other", framework)
    with pytest.raises(error, match=words):
        Model.deploy(workspace, "other", [model])


def test_several_models_folders_and_local_services_need_a_script(workspace, tmp_path):
    model = registered(workspace, "line", Model.Framework.SCIKITLEARN)
    for models in ([], [model, model]):
        with pytest.raises(UserErrorException, match="when deploying zero or multiple models"):
            Model.deploy(workspace, "none", models)
    with pytest.raises(NotImplementedError, match="A LocalWebservice without an InferenceConfig"):
        Model.deploy(workspace, "none", [model], deployment_config=LocalWebservice.deploy_configuration())
    Path("folder").mkdir()
    for name in "ab":
        Path("folder", name).write_text(name)
    folder = registered(workspace, "folder", Model.Framework.SCIKITLEARN, "folder")
    with pytest.raises(WebserviceException, match=r"has 2 files\. A scikit-learn model that is deployed without"):
        Model.deploy(workspace, "none", [folder])
