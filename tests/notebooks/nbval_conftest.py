"""The conftest.py of a world that nbval runs in: its notebooks share a kernel, whose channels are its own.

What a kernel and a notebook import takes seconds, for each of a series. Each finds the kernel as it was at first, but
for what has been imported: without names, with the environment variables of its start, in the notebook's folder.
"""

import nbval.kernel
import nbval.plugin
from batch.kernels import OwnChannels
from jupyter_client.manager import KernelManager

AS_NEW = """
import os
shell = get_ipython()
shell.at_start = getattr(shell, "at_start", None) or dict(os.environ)
os.environ.clear()
os.environ.update(shell.at_start)
os.chdir({folder!r})
shell.reset()
"""
running: list[nbval.kernel.RunningKernel] = []


def shared_kernel(name: str, cwd: str, startup_timeout: float) -> nbval.kernel.RunningKernel:
    """The kernel for the notebook in the folder `cwd`; the first time, it is started."""
    if not running:
        running.append(nbval.kernel.RunningKernel(name, cwd, startup_timeout))
    (kernel,) = running
    reply = kernel.kc.execute(AS_NEW.format(folder=cwd), silent=True, reply=True, timeout=startup_timeout)
    assert reply["content"]["status"] == "ok", reply["content"]
    return kernel


def pytest_sessionfinish() -> None:
    for kernel in running:
        kernel.stop()


nbval.kernel.KernelManager = type("Kernel", (OwnChannels, KernelManager), {})
nbval.plugin.RunningKernel = shared_kernel
nbval.plugin.IPyNbFile.teardown = lambda notebook: None  # which would end the kernel
