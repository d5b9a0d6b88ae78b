"""What a workshop is held with: copies of the notebooks for each learner, and a world of their own."""


class WorkshopError(Exception):
    """What was asked for cannot be done; the message says why, and what can."""
