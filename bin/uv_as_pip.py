"""Run uv where pip would look for packages. Usage: uv_as_pip SETTINGS UV ARGUMENTS...; SETTINGS holds `pip config list`."""

import ast
import os
import sys

# pip's name of a setting -> uv's variable, and what stands between several values there.
NAMES = {
    "index-url": ("UV_INDEX_URL", " "),
    "extra-index-url": ("UV_EXTRA_INDEX_URL", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}

settings, uv, *arguments = sys.argv[1:]
with open(settings) as lines:
    said = [line.partition("=") for line in lines if "=" in line]
for key, _, value in sorted(said, key=lambda line: line[0].startswith(":env:")):  # the environment counts more than files
    name, between = NAMES.get(key.rpartition(".")[2], ("", ""))
    if name:
        os.environ[name] = between.join(str(ast.literal_eval(value)).split())
os.execv(uv, [uv, *arguments])
