"""The mocked Azure Machine Learning SDK: azureml-core's import paths and signatures, on the offline engine.

Imported in a job as well as in a notebook, so it imports nothing by itself: the rest is loaded on use.
"""

from azureml._strict import explain_missing_modules

explain_missing_modules()
