"""What the engine refuses, by kind. Each message is a sentence for the user that says what to do."""


class EngineError(Exception):
    """Base of all errors below."""


class NotFound(EngineError):
    """Something was asked for by a name or id that the workspace does not have."""


class AlreadyExists(EngineError):
    """Something of that name is there already."""


class InvalidName(EngineError):
    """A name that the service refuses."""


class Invalid(EngineError):
    """Any other input that the service refuses."""


class TooLarge(EngineError):
    """A snapshot over the service's limits."""


class NotAllowed(EngineError):
    """The state of the thing forbids what was asked."""


class FolderError(EngineError):
    """The offline workspace's folder cannot be used."""


class FolderUnreadable(FolderError):
    """What the offline workspace's folder holds cannot be read; it can only be removed."""


class WouldNotEnd(FolderError):
    """Something that runs in the offline workspace does not end when it is told to."""


class StoreUnavailable(FolderError):
    """The offline workspace's store is locked, or its disk is full or fails: the same may be done later."""


class BuildFailed(EngineError):
    """An environment that cannot be built from its specification."""
