"""The ground: the folder that is the workspace, its SQLite file, names and files, and what is refused.

Modules: folder, database, names, files, leftovers, outages, errors, telemetry, and the faults of a
drill.
"""
