"""What runs leave: their metrics, tags, files, logs and snapshots, in an MLflow store and the folder beside it.

Modules: new_store and mlflow_store (how one is made and opened), experiments, runs and metrics in its tables, artifacts
and run_files, logs, snapshot, statuses, tags, job_states (the table of jobs), spool, which carries what a job writes
into the store, and studio, the page that shows it.
"""
