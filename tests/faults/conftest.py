from small_clone import clone, index

__all__ = ["clone", "index"]  # fixtures
