"""FileDataset: files in datastores or at web addresses, to be listed, downloaded, mounted or given to a job."""

import random
import tempfile
from pathlib import Path

from azureml import _engine
from azureml._strict import module_getattr, refuse_unknown, unsupported
from azureml.data.abstract_dataset import AbstractDataset, _check_share, _checked_count
from azureml.exceptions import UserErrorException

__getattr__ = module_getattr(__name__)


class FileDataset(AbstractDataset):
    """Files, by reference; made by `Dataset.File.from_files()`."""

    def __init__(self):
        super().__init__()

    def to_path(self):
        """The files' paths inside the dataset, each with a slash in front.

        Raises UserErrorException for a path that matches nothing and an address that is not known offline.
        """
        return [f"/{file.relative}" for file in self._resolved()]

    def download(self, target_path=None, overwrite=False, ignore_not_found=False):
        """Copy the files below `target_path`, a new temporary folder by default; returns the copies' paths.

        Raises UserErrorException, before anything is written, for a file that is there unless `overwrite` is True, and
        for a path that matches nothing, as the real SDK does also with `ignore_not_found`, which changes nothing here.
        """
        files = self._resolved()
        target = Path(target_path or tempfile.mkdtemp()).absolute()
        with _engine.translated():
            if not overwrite:
                for file in files:
                    if (target / file.relative).exists():
                        raise UserErrorException(
                            f'File "{target / file.relative}" already exists. Set overwrite=True to overwrite it, '
                            "or choose an empty target path."
                        )
            target.mkdir(parents=True, exist_ok=True)
            return [str(path) for path in _engine.data.place(files, target, "download", overwrite=overwrite)]

    def mount(self, mount_point=None, **kwargs):
        """Lay the files out below `mount_point`, a new temporary folder by default, while the context lasts.

        Use it as `with dataset.mount() as context:`, or call its start() and stop(); context.mount_point is the folder.
        Raises UserErrorException for a folder that is not empty.
        """
        refuse_unknown("FileDataset.mount()", kwargs)
        point = Path(mount_point or tempfile.mkdtemp()).absolute()
        if point.exists() and any(point.iterdir()):
            raise UserErrorException(
                "Dataset mount point must be empty, mounting dataset to non-empty folder is not supported."
            )
        return _MountContext(self, point, temporary=not mount_point)

    def as_mount(self, path_on_compute=None):
        """The dataset as a job's input, its files mounted."""
        return self.as_named_input(name=None).as_mount(path_on_compute=path_on_compute)

    def as_download(self, path_on_compute=None):
        """The dataset as a job's input, its files copied to the compute."""
        return self.as_named_input(name=None).as_download(path_on_compute=path_on_compute)

    def as_hdfs(self):
        """The dataset as a job's input, as an HDFS path."""
        return self.as_named_input(name=None).as_hdfs()

    def skip(self, count):
        """The dataset without its first `count` files."""
        return FileDataset._create(self._single_sources()[_checked_count(count) :])

    def take(self, count):
        """The dataset of the first `count` files."""
        return FileDataset._create(self._single_sources()[: _checked_count(count)])

    def take_sample(self, probability, seed=None):
        """The dataset of files that are each taken with this probability; a seed makes it the same every time."""
        _check_share("probability", probability)
        chance = random.Random(seed)
        return FileDataset._create([source for source in self._single_sources() if chance.random() < probability])

    def random_split(self, percentage, seed=None):
        """Two datasets: the files that fall to the first with this probability (0 to 1), and the others."""
        _check_share("percentage", percentage)
        chance = random.Random(seed)
        halves = ([], [])
        for source in self._single_sources():
            halves[chance.random() >= percentage].append(source)
        return tuple(FileDataset._create(half) for half in halves)

    def file_metadata(self, col):
        unsupported("FileDataset.file_metadata()")

    def filter(self, expression):
        unsupported("FileDataset.filter()")

    def as_cache(self, datacache_store):
        unsupported("FileDataset.as_cache()")

    def hydrate(self, datacache_store, replica_count=None):
        unsupported("FileDataset.hydrate()")

    def _single_sources(self):
        """One source for each file, which keeps the file's path in this dataset."""
        return [file.source for file in self._resolved()]


class _MountContext:
    """The files of a dataset in a folder, from start() to stop()."""

    def __init__(self, dataset, mount_point, temporary):
        self._dataset = dataset
        self._temporary = temporary
        self._placed = []
        self.mount_point = str(mount_point)

    def start(self):
        """Lay the files out."""
        files = self._dataset._resolved()
        point = Path(self.mount_point)
        point.mkdir(parents=True, exist_ok=True)
        with _engine.translated():
            layout = _engine.data.layout_of(_engine.folder.open_folder(), self._dataset._sources)
            self._placed = _engine.data.place(files, point, "mount", as_is=layout is not None)

    def stop(self):
        """Take them away; the data itself stays, and so does what somebody else put there."""
        for path in self._placed:
            path.unlink(missing_ok=True)
        self._placed = []
        point = Path(self.mount_point)
        folders = sorted((path for path in point.rglob("*") if path.is_dir()), reverse=True)  # the deepest first
        for folder in folders + [point] * self._temporary:
            if not any(folder.iterdir()):
                folder.rmdir()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop()
