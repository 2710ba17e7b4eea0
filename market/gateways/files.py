"""The file store: a folder or a bucket, through obstore. Keys name their content, so a file never changes.

A folder serves one machine; `s3://bucket/prefix` serves several (credentials come from the usual AWS variables, which
obstore reads itself). Both refuse keys that climb out of the store.
"""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from market.catalogue.ports import StoredFile
from market.kernel.errors import Unavailable
from market.kernel.uow import gateway

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class FileStoreUnavailable(Unavailable):
    """The store does not answer or refuses us."""

    code = "files.unavailable"


@gateway
class ObjectFiles:
    """Files in any store that obstore speaks: a folder (made when missing) or the address of a bucket.

    The store is opened at the first use, because importing obstore costs the cold start 80 ms.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _store(self) -> "ObjectStore":
        from obstore.store import LocalStore, from_url

        if "://" in self._url:
            return from_url(self._url)
        folder = Path(self._url).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder)

    def put(self, *, key: str, content: bytes, content_type: str) -> None:
        """Store `content` under `key`; does nothing when the key exists. Raises FileStoreUnavailable."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, BaseError

        attributes = {"Content-Type": content_type} if "://" in self._url else None  # a folder knows no content type
        try:
            obstore.put(self._store, key, content, mode="create", attributes=attributes)
        except AlreadyExistsError:
            return
        except (BaseError, OSError) as error:
            raise FileStoreUnavailable("The file could not be stored just now. Please try again in a minute.") from error

    def get(self, *, key: str) -> StoredFile | None:
        """Return what lies under `key`, or None, also for a key that leads out of the store. Raises FileStoreUnavailable."""
        import obstore
        from obstore.exceptions import BaseError, NotFoundError

        try:
            found = obstore.get(self._store, key)
            return StoredFile(content=bytes(found.bytes()), etag=str(found.meta["e_tag"] or key))
        except (NotFoundError, FileNotFoundError, ValueError):
            return None
        except (BaseError, OSError) as error:
            raise FileStoreUnavailable("This file cannot be read just now. Please try again in a minute.") from error
