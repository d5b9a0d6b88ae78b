"""What the offline backend stands on: an Azure ML workspace in one folder.

The rooms, from the ground up; each uses only those before it:

    workspace     the folder, its database, names, files, errors
    processes     programs in process groups, and processes that outlive whoever starts them
    history       runs, metrics, files, snapshots, the MLflow store, what jobs write to their spools
    assets        datasets and their files, datastores, models
    compute       clusters, nodes, VM sizes
    environments  checking and building what a job's environment asks for
    jobs          submitting, supervising and ending jobs, and runs as Azure ML tells them
    sweeps        many trials of one job
    pipelines     jobs that follow each other
    services      models behind an entry script
    removal       a cluster's deletion, and the workspace's reset

The engine knows nothing of notebooks and nothing of the SDKs' class names; it may be used without either.
Every function takes the offline workspace's folder first, as `workspace.folder.open_folder()` returns it.
"""
