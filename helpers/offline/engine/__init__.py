"""What the mocked SDK stands on: assets, run history, snapshots, jobs and cluster nodes in one folder.

The engine knows nothing of notebooks and nothing of the SDK's class names; it may be used without either.
Every function takes the offline workspace's folder first, as `folder.open_folder()` returns it.
"""
