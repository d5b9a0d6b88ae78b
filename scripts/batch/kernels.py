"""The kernels that notebooks run in: this interpreter's own, on channels that nobody else can have."""

import tempfile
import weakref
from pathlib import Path
from typing import IO

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import HasTraits, default

from helpers.temporary import own_folder

PREFIX = "batch-kernel-"  # of the names of the kernels' folders
LONGEST = 69  # bytes of a folder for the kernels'; a socket's path has at most 103 on macOS and 107 on Linux


class OwnChannels(HasTraits):
    """A kernel manager whose channels are sockets in a private folder, which goes with the kernel.

    Where this process is killed, the next one that makes such a folder deletes it.

    By default they are TCP ports that were free when the manager looked. Half a second later, when the kernel binds
    them, another process may have one: the kernel dies, or never answers (jupyter_client's write_connection_file,
    ipykernel's init_sockets). Other users of the machine cannot open the folder, so nothing has to be encrypted.
    """

    _folder: Path | None = None
    _remove_folder: weakref.finalize | None = None

    @default("transport")
    def _sockets(self):
        return "ipc"

    @default("ip")
    def _where_the_sockets_are(self):
        return str(self._own_folder() / "channel")

    @default("connection_file")
    def _where_it_is_told(self):
        return str(self._own_folder() / "connection.json")

    def _own_folder(self) -> Path:
        if self._folder is None:
            parent = Path(tempfile.gettempdir() if _holds_sockets(tempfile.gettempdir()) else "/tmp")
            self._folder, delete = own_folder(PREFIX, parent)
            self._remove_folder = weakref.finalize(self, delete)
        return self._folder

    def cleanup_connection_file(self):
        """Jupyter calls this as a kernel ends for good, and not as it is started again."""
        super().cleanup_connection_file()
        if self._remove_folder is not None:
            self._remove_folder()


def _holds_sockets(folder: str) -> bool:
    try:
        return len(folder.encode()) <= LONGEST  # ZeroMQ takes UTF-8
    except UnicodeEncodeError:
        return False


class ThisInterpreter(OwnChannels, AsyncKernelManager):
    """Starts the python3 kernel of the running interpreter, whatever kernels the machine has installed.

    messages: the file that gets what the kernel's process says of itself; None for standard error.
    """

    messages: IO | None = None

    async def start_kernel(self, **options):
        return await super().start_kernel(**options, stderr=self.messages)

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self):
        return KernelSpecManager(kernel_dirs=[])
