"""`python -m helpers.offline.reset`: end what runs in the offline workspace and delete its folder."""

import sys

from helpers.offline.engine import removal
from helpers.offline.engine.workspace import folder
from helpers.offline.engine.workspace.errors import FolderError

if __name__ == "__main__":
    path = folder.offline_folder()
    try:
        removal.reset(path)
    except FolderError as error:
        sys.exit(str(error))
    print(f"The offline workspace in {path} is reset.")
