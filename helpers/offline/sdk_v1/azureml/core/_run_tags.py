"""The tags and properties of a run.

Imported by a job's side too: standard library only, and valid on Python 3.7.
"""

from azureml._tags import names_of, told_texts
from azureml.core._run_records import service_exception


class _RunTags:
    """A part of Run."""

    @property
    def tags(self):
        """The tags when they were last asked for; get_tags() asks anew."""
        return dict(self._record.tags)

    def get_tags(self):
        """The tags now, a dict of str to str."""
        return dict(self._refresh().tags)

    def tag(self, key, value=None):
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags):
        """Set tags from a dict; other tags stay."""
        self._change("set_tags", told_texts(tags))

    def remove_tags(self, tags):
        """Remove the tags of these names, a list."""
        self._change("remove_tags", names_of(tags))

    @property
    def properties(self):
        """The properties when they were last asked for; get_properties() asks anew."""
        return dict(self._record.properties)

    def get_properties(self):
        """The properties now, a dict of str to str."""
        return dict(self._refresh().properties)

    def add_properties(self, properties):
        """Add properties from a dict. They cannot be changed: ServiceException for a name that has another value."""
        if not properties:
            return
        properties = told_texts(properties)
        there = self.get_properties()
        for name, value in properties.items():
            if there.get(name, value) != value:
                raise service_exception(
                    f"Property {name} of run {self._run_id} is immutable: it is {there[name]!r} already.",
                    400,
                )
        self._change("set_properties", properties)
