"""The file store: what is written stays, and no key leads out of it."""

import pytest

from market.gateways.files import ObjectFiles
from market.gateways.memory import MemoryFiles


@pytest.fixture(params=["folder", "memory"])
def files(request, tmp_path):
    return ObjectFiles(str(tmp_path / "files")) if request.param == "folder" else MemoryFiles()


def test_what_is_put_is_got_and_never_changes(files):
    files.put(key="photos/a.webp", content=b"first", content_type="image/webp")
    files.put(key="photos/a.webp", content=b"second", content_type="image/webp")
    found = files.get(key="photos/a.webp")
    assert found.content == b"first"
    assert found.etag
    assert files.get(key="photos/b.webp") is None


@pytest.mark.parametrize("key", ["../secret", "photos/../../secret", "/etc/passwd", "photos/%2e%2e/%2e%2e/secret"])
def test_no_key_leads_out_of_the_folder(tmp_path, key):
    (tmp_path / "secret").write_bytes(b"private")
    files = ObjectFiles(str(tmp_path / "files"))
    assert files.get(key=key) is None
