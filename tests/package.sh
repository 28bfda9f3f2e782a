#!/bin/sh
# The walk of a release, as far as it goes without publishing: both distributions are built, checked, installed into
# environments of their own, and used from another directory. Called by `make package` with a Python and a version.
set -eu
python=$1 root=$(pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # where root installs, Postgres runs as somebody else

rm -rf dist build/lib build/bdist.*
"$python" -m venv "$work/tools"
"$work/tools/bin/python" -m pip install --quiet --disable-pip-version-check build twine
"$work/tools/bin/python" -m build --outdir dist >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
"$work/tools/bin/python" -m twine check --strict dist/*

expected="commit $(git rev-parse HEAD 2>/dev/null | cut -c 1-10)"
for distribution in dist/*.whl dist/*.tar.gz; do
    "$python" -m venv "$work/installed"
    "$work/installed/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt "$root/$distribution"'[embedded]'
    for program in orderctl orderd; do
        told=$(cd / && "$work/installed/bin/$program" --version)
        echo "$distribution: $told"
        case $told in *"$expected"*) ;; *) echo "the commit is not that of this checkout: $expected" >&2; exit 1 ;; esac
    done
    (cd "$work" && HOME=$work "$work/installed/bin/orderd" demo >"$work/demo.log" 2>&1) || { cat "$work/demo.log"; exit 1; }
    echo "$distribution: the demo has traded"
    rm -rf "$work/installed"
done
ls -l dist
