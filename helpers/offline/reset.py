"""`python -m helpers.offline.reset`: end what runs in the offline workspace and delete its folder."""

import sys

from helpers.offline.engine import folder
from helpers.offline.engine.errors import FolderError

if __name__ == "__main__":
    path = folder.offline_folder()
    try:
        folder.reset(path)
    except FolderError as error:
        sys.exit(str(error))
    print(f"The offline workspace in {path} is reset.")
