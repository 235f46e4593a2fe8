from .download import pull
from .upload import push

__all__ = ["pull", "push"]
