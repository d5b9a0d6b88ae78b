"""Who connects to Azure: taken from environment variables, so that no notebook holds a secret.

AZUREML_AUTH names the way, one of WAYS; without it the SDK finds a login by itself, or asks for one. The values that
a way needs are read from the variables that Azure's other libraries read, too. Offline nobody logs in: the credential
is made and not used.
"""

import os

from helpers.azure_problems import AzureProblem

VARIABLE = "AZUREML_AUTH"
WAYS = ("service-principal", "managed-identity", "cli", "interactive")
SERVICE_PRINCIPAL = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
CLOUD = "AZUREML_CURRENT_CLOUD"


def credential():
    """What `auth=` of Workspace.from_config takes: the SDK's credential object, or None to leave it to the SDK.

    Raises AzureProblem where AZUREML_AUTH has another value, and where a variable of the service principal is missing.
    """
    from azureml.core import authentication

    way = os.environ.get(VARIABLE)
    tenant, client, secret = (os.environ.get(name) for name in SERVICE_PRINCIPAL)
    match way:
        case None | "":
            return None
        case "service-principal":
            missing = [name for name in SERVICE_PRINCIPAL if not os.environ.get(name)]
            if missing:
                raise AzureProblem(
                    f"{VARIABLE}=service-principal also needs {' and '.join(missing)} in the environment. "
                    "docs/azure.md explains where to find the values."
                )
            cloud = os.environ.get(CLOUD, "AzureCloud")
            return authentication.ServicePrincipalAuthentication(tenant, client, secret, cloud=cloud)
        case "managed-identity":
            # An identity of its own for the machine, or the one among several that AZURE_CLIENT_ID names.
            chosen = {"identity_config": {"client_id": client}} if client else {}
            return authentication.MsiAuthentication(**chosen)
        case "cli":
            return authentication.AzureCliAuthentication()
        case "interactive":
            return authentication.InteractiveLoginAuthentication(tenant_id=tenant)
        case _:
            raise AzureProblem(f"{VARIABLE}={way} is not known. Use {', '.join(WAYS)}, or leave it out.")
