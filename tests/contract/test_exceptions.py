"""The SDK's exceptions say the same of themselves on both sides."""

import pytest

PLAIN = ["TrainingException", "ExperimentExecutionException", "ProjectSystemException", "SnapshotException"]
PLAIN += ["WorkspaceException", "ComputeTargetException", "UserErrorException", "AuthenticationException"]
PLAIN += ["RunConfigurationException", "WebserviceException", "ModelNotFoundException", "ActivityFailedException"]
PLAIN += ["ModelPathNotFoundException", "DiscoveryUrlNotFoundException", "ParallelRunException"]
DETAILS = {"target": "here", "details": ["more"], "reference_code": "x", "message_format": "{a}"}
DETAILS |= {"message_parameters": {"a": 1}}


@pytest.mark.parametrize("keywords", [{}, {"inner_exception": "inner"}, DETAILS])
@pytest.mark.parametrize("name", PLAIN)
def test_exception_texts(both, name, keywords):
    both.same("exception_texts", name, ["What happened."], keywords)


def test_exceptions_with_words_of_their_own(both):
    both.same("exception_texts", "RunEnvironmentException", [], {})
    both.same("exception_texts", "AzureMLAggregatedException", [["one", "two"]], {})
