#!/bin/sh
# Builds the component: build.sh [FILE]. The first run installs componentize-py below target/.
set -eu
cd "$(dirname "$0")"
target=../../../target/plugins
file=${1:-$target/journal-python.wasm}
mkdir -p "$target"
if ! [ -x "$target/python/bin/componentize-py" ]; then
    python3 -m venv "$target/python"
    "$target/python/bin/pip" install --quiet --disable-pip-version-check \
        --requirement requirements.txt
fi
"$target/python/bin/componentize-py" --wit-path ../../../wit --wit-path ../../../plugin-kit/wit \
    --world stratalog:plugin/command componentize journal --output "$file"
