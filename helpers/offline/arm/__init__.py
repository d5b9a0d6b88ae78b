"""Answers, in this process, what the real SDK v2 (azure-ai-ml) asks of Azure: nothing leaves the machine.

The client is Microsoft's own and is not changed: it sends its requests through azure-core, and there an adapter gives
them to `routes`, whose functions check, translate and call the engine. No state and no processes are kept here.
"""
