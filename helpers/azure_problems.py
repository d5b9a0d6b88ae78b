"""What Azure's refusals mean, and what to do next.

Azure and its SDK tell a problem by codes in long answers. Here these are recognised by code or opening words and
explained; the original exception stays in the chain. Sources of the codes: azureml-core's own messages, "Microsoft
Entra authentication and authorization error codes" and "Common Azure Resource Manager deployment errors".
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from helpers import config_file

SECRETS = ("AZURE_CLIENT_SECRET", "AZUREML_SERVICE_PRINCIPAL_PASSWORD")
ROLES = (
    "In the portal, under Access control (IAM) of the workspace, its owner can give you AzureML Data Scientist (to run "
    "and register) and AzureML Compute Operator (to create and delete clusters). Sizes and quotas are read from the "
    "subscription, which takes Reader there. A new role may need some minutes to take effect."
)

# (what is in the answer, what to do): the first that is found counts.
ADVICE = (
    (
        r"config\.json, could not be found|could not find config\.json",
        "There is no config.json in this folder or in one above it. Download it in Azure ML studio (ml.azure.com: the "
        "workspace's name at the top right, then 'Download config file') and put it into the notebooks' folder or the "
        "repository's. docs/azure.md shows other ways.",
    ),
    (
        r"AADSTS(900382|900439|90038)\b",
        "The login belongs to another Azure cloud than the one that was asked. Set AZUREML_CURRENT_CLOUD to "
        "AzureCloud, AzureChinaCloud or AzureUSGovernment, and restart the kernel.",
    ),
    (
        r"AADSTS(90002|900021|900023)\b",
        "The tenant was not found. Compare AZURE_TENANT_ID with `az account show --query tenantId`. If it is right, "
        "the tenant is in another Azure cloud: set AZUREML_CURRENT_CLOUD to AzureChinaCloud or AzureUSGovernment.",
    ),
    (
        r"AADSTS7000222\b",
        "The service principal's secret has expired. Make a new one (`az ad app credential reset --id <client id>`) "
        "and put it into AZURE_CLIENT_SECRET.",
    ),
    (
        r"AADSTS7000215\b",
        "AZURE_CLIENT_SECRET is not a secret of this service principal. It has to be the secret's value, not its id.",
    ),
    (
        r"AADSTS700016\b",
        "The service principal was not found. Compare AZURE_CLIENT_ID and AZURE_TENANT_ID with its application in the "
        "portal, under Microsoft Entra ID, App registrations.",
    ),
    (
        r"azure-cli package is not installed|requires azure-cli",
        "AZUREML_AUTH=cli needs the package azure-cli in this kernel's environment, where it does not go together with "
        "the other packages' versions. Leave AZUREML_AUTH out: the SDK then takes over the login of `az login`.",
    ),
    (
        r"Failed to connect to MSI",
        "There is no managed identity here: only a machine on Azure has one, if it was given one. Elsewhere use "
        "AZUREML_AUTH=service-principal.",
    ),
    (
        r"AADSTS(70043|70008|700082|700084|50173|50076|50078|50079)\b|ExpiredAuthenticationToken|"
        r"Could not retrieve user token|does not exist in MSAL token cache|Can't find token from MSAL cache",
        "The login has expired or is missing. Sign in again, by `az login` or with AZUREML_AUTH=interactive, and run "
        "the cell again. A batch does not have to sign in with AZUREML_AUTH=service-principal.",
    ),
    (
        r"InvalidAuthenticationTokenTenant|tenant in the (MSI )?authentication is different",
        "The login is for another tenant than the subscription's. Name the subscription's by `az login --tenant`, or "
        "by AZURE_TENANT_ID with AZUREML_AUTH.",
    ),
    (
        r"You don't have access to \S+ subscription|SubscriptionNotFound|InvalidSubscriptionId|"
        r"specified subscription name",
        "This login does not see the subscription that config.json names. Compare its subscription_id (an id, not a "
        "name) with `az account list`; if it is right, sign in to its tenant, or ask its owner for access.",
    ),
    (
        r"ClusterCoreQuotaReached|exceeding (the )?(approved|quota limits)|QuotaExceeded|reached core quota",
        "The quota does not suffice: a subscription may use only so many cores of each family of VM sizes, and often "
        "none with a GPU. Ask for more in Azure ML studio, under Quota, or choose a smaller size, fewer nodes or a "
        "size without a GPU, such as vm_size=Standard_DS3_v2.",
    ),
    (
        r"AuthorizationFailed|does not have authorization to perform action|LinkedAuthorizationFailed|"
        r"Response Code: 403|\"?status_code\"?: 403",
        f"The login is good, but has no permission for this{{action}}. {ROLES}",
    ),
    (
        r"ResourceGroupNotFound|Workspace not found|The Resource '\S+/workspaces/\S+' .*not found",
        "The subscription has no such workspace. Compare resource_group and workspace_name in config.json with "
        "`az ml workspace list`: it may have been deleted, or be in another subscription.",
    ),
    (
        r"Failed to establish a new connection|NameResolutionError|Failed to resolve|getaddrinfo failed",
        "Azure cannot be reached from here. Check the network and, if there is one, the proxy (HTTPS_PROXY). "
        'backend = "offline" needs no network.',
    ),
)


class AzureProblem(Exception):
    """Azure refused, or cannot be asked; the message says what to do."""


@contextmanager
def explained() -> Iterator[None]:
    """Where Azure refuses what stands in the block, raise AzureProblem, which says what to do.

    What is not recognised is raised as it is. Where an answer repeats a secret of the environment, AzureProblem is
    raised without the original exception, and with the secret struck out.
    """
    try:
        yield
    except AzureProblem:
        raise
    except Exception as error:
        answer = "\n".join(str(link) for link in _chain(error))
        advice = _advice(error, answer)
        if any(secret in answer for secret in _secrets()):
            told = _struck_out(str(getattr(error, "message", error)))
            raise AzureProblem(f"{advice or 'Azure refused.'}\nThe answer was: {told}") from None
        if advice is None:
            raise
        raise AzureProblem(advice) from error


def _chain(error: BaseException | None) -> list[BaseException]:
    """The exception and those that it came from."""
    links = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


def _secrets() -> list[str]:
    return [os.environ[name] for name in SECRETS if os.environ.get(name)]


def _struck_out(text: str) -> str:
    for secret in _secrets():
        text = text.replace(secret, "***")
    return text


def _advice(error: Exception, answer: str) -> str | None:
    for pattern, advice in ADVICE:
        if re.search(pattern, answer, re.IGNORECASE):
            return advice.replace("{action}", _action(answer))
    return config_file.problem(error)


def _action(answer: str) -> str:
    """The refused action and its scope, as far as the answer tells them; its quotes may be escaped."""
    found = re.search(r"perform action \\*'([^'\\]+)\\*'(?: over scope \\*'([^'\\]+))?", answer)
    if not found:
        return ""
    return f": {found[1]}" + (f" on {found[2]}" if found[2] else "")
