#!/bin/sh
# A release, as far as it goes without publishing: both distributions are built and checked; then every Python that is
# named installs each of them in empty environments, away from the checkout and, for root, as another user: the daemon
# with all extras, and the client alone, which trades with it. Called by `make package` with the Pythons.
set -eu
work=$(mktemp -d) daemon=
trap 'test -z "$daemon" || { kill "$daemon"; wait "$daemon" || true; }; rm -rf "$work"' EXIT
chmod 755 "$work"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
fail() { echo "FAILED: $*" >&2; exit 1; }
megabytes() { du -sm "$1/lib" | cut -f 1; }

echo "== build"
expected="commit $(git rev-parse HEAD | cut -c 1-10)"
rm -rf dist build/lib build/bdist.*
"$1" -m venv "$work/tools"
"$work/tools/bin/python" -m pip install build twine
"$work/tools/bin/python" -m build --outdir dist >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }
"$work/tools/bin/python" -m twine check --strict dist/*
wheel=$(cd dist && echo *.whl) sdist=$(cd dist && echo *.tar.gz)
ls -l dist

echo "== each tracked file is in the source distribution, and each of the packages in the wheel"
git ls-files | sort >"$work/tracked"
tar -tzf "dist/$sdist" | sed 's#^[^/]*/##' | sort >"$work/in-sdist"
"$work/tools/bin/python" -m zipfile --list "dist/$wheel" | sed 's/ .*//' | sort >"$work/in-wheel"
missing=$(comm -23 "$work/tracked" "$work/in-sdist")
test -z "$missing" || fail "not in $sdist: $missing"
missing=$(grep -E '^(orderctl|orderd|db)/' "$work/tracked" | comm -23 - "$work/in-wheel")
test -z "$missing" || fail "not in $wheel: $missing"
echo "$(wc -l <"$work/tracked") tracked; $(wc -l <"$work/in-wheel") in the wheel"

echo "== from wheels alone"
for version in $(sed -n 's/.*"Programming Language :: Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml); do
    for machine in x86_64 aarch64; do
        "$work/tools/bin/python" -m pip download --only-binary=:all: --python-version "$version" \
            --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
            --constraint constraints.txt --dest "$work/download" "dist/$wheel[all]"
        echo "Python $version on $machine: $(find "$work/download" -name '*.whl' | wc -l) wheels"
        rm -rf "$work/download"
    done
done

# Those who install have a home of their own, and the distributions, but not the checkout.
mkdir "$work/home" "$work/given"
cp "dist/$wheel" "dist/$sdist" constraints.txt "$work/given/"
test "$(id -u)" != 0 || chown nobody "$work/home"
cd "$work/home"
export HOME="$work/home" PIP_CONSTRAINT="$work/given/constraints.txt"

for python; do
    user=
    if [ "$(id -u)" = 0 ]; then
        user="setpriv --reuid=nobody --regid=nogroup --clear-groups"
        $user "$python" -c pass 2>/dev/null || { user=; echo "only root can run $python"; chown root "$work/home"; }
    fi
    for distribution in "$wheel" "$sdist"; do
        echo "== $($user "$python" --version) as $($user id --user --name), $distribution"
        for part in daemon client; do
            case $part in daemon) extras='[all]' ;; client) extras= ;; esac
            $user "$python" -m venv "$part"
            $user env -u PIP_CONSTRAINT "$part/bin/python" -m pip install --constraint "$PIP_CONSTRAINT" "$work/given/$distribution$extras"
            for program in orderctl orderd; do
                release=$($user "$part/bin/$program" --version)
                case $release in *"$expected"*) ;; *) fail "$release is not of $expected" ;; esac
            done
            echo "$part: $release, $(megabytes "$part") MB"
        done
        ! find client/ -iname '*pgserver*' -o -iname '*valkey*' | grep -q . || fail "the client alone has servers"
        $user daemon/bin/orderd run --state-dir state --port 0 >log 2>&1 &
        daemon=$!
        left=60
        until [ -s state/gateway.json ]; do
            kill -0 $daemon && [ $left -gt 0 ] || { cat log; fail "the daemon does not start"; }
            left=$((left - 1)); sleep 1
        done
        url=$(sed 's/.*"url": *"\([^"]*\)".*/\1/' state/gateway.json)
        $user client/bin/orderctl --url "$url" submit SOL USDC 1.5 --watch --yes || { tail log; fail "no trade"; }
        kill $daemon
        wait $daemon || fail "the daemon ended with exit code $?"
        daemon=
        ! grep -q Traceback log || fail "a clean stop that logs a traceback: $(cat log)"
        rm -rf daemon client state log
    done
done
