"""Credentials. Offline there is nothing to log in to: they are accepted, and no token is ever asked for."""

from azureml._strict import module_getattr, refuse_unknown, unsupported

__getattr__ = module_getattr(__name__)


class AbstractAuthentication:
    """Base of the credentials."""

    def __init__(self, cloud=None):
        self._cloud = cloud

    def get_authentication_header(self):
        """Not supported offline: there is no token."""
        unsupported(f"{type(self).__name__}.get_authentication_header()")

    def get_token(self, *scopes, **kwargs):
        """Not supported offline: there is no token."""
        unsupported(f"{type(self).__name__}.get_token()")

    def signed_session(self, session=None):
        """Not supported offline: there is no token."""
        unsupported(f"{type(self).__name__}.signed_session()")


class InteractiveLoginAuthentication(AbstractAuthentication):
    """Login in the browser; offline nobody is asked."""

    def __init__(self, force=False, tenant_id=None, cloud=None):
        super().__init__(cloud)
        self._tenant_id = tenant_id


class AzureCliAuthentication(AbstractAuthentication):
    """The login of the Azure CLI; offline it need not be installed."""


class ServicePrincipalAuthentication(AbstractAuthentication):
    """A service principal's id; its password is dropped at once, since offline nothing needs it."""

    def __init__(
        self,
        tenant_id,
        service_principal_id,
        service_principal_password,
        cloud="AzureCloud",
        _enable_caching=True,
    ):
        super().__init__(cloud)
        self._tenant_id = tenant_id
        self._service_principal_id = service_principal_id


class MsiAuthentication(AbstractAuthentication):
    """A managed identity; identity_config names it where there are several."""

    def __init__(self, cloud=None, **kwargs):
        refuse_unknown("MsiAuthentication()", kwargs, allowed=["identity_config"])
        super().__init__(cloud)
