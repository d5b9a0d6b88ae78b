"""Of the SDK's private client, the one module that people change."""
