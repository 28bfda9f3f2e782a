#!/bin/sh
# Boots systemd in a container over a copy-on-write view of this machine's files, or of those of another system (SYSTEM,
# a directory made by debootstrap), runs a script in it, and prints the script's output. Nothing is written outside the
# view, which is in memory and in a private mount namespace.
#
#   unshare --mount tests/systemd/boot.sh PROJECT VENV [SYSTEM]
set -eu
project=$1 venv=$2 system=${3:-/}
view=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs -o size=4g tmpfs "$view"
mkdir "$view/changes" "$view/work" "$view/root"
mount -t overlay overlay -o "lowerdir=$system,upperdir=$view/changes,workdir=$view/work" "$view/root"
root=$view/root

# The daemon as it is installed: its virtual environment and its code under /opt, which its account can read.
install -d "$root/opt/orderd/bin"
cp -a "$venv/." "$root/opt/orderd/"
# The units cannot read an interpreter below /root or /home (ProtectHome), so it is copied as well.
base=$("$venv/bin/python" -c 'import sys; print(sys.base_prefix)')
if [ "$base" != /usr ]; then
    cp -a "$base" "$root/opt/python"
    ln -sf /opt/python/bin/python3 "$root/opt/orderd/bin/python"
    sed -i 's#^home = .*#home = /opt/python/bin#' "$root/opt/orderd/pyvenv.cfg"
fi
for part in orderd orderctl db; do cp -a "$project/$part" "$root/opt/orderd/"; done
for program in orderd orderctl; do
    printf '#!/bin/sh\nLD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/orderd exec /opt/orderd/bin/python -c "from %s.main import main; main()" "$@"\n' \
        "$program" >"$root/opt/orderd/bin/$program"
    chmod 0755 "$root/opt/orderd/bin/$program"
done
find "$root/opt/orderd" -name '__editable__*' -delete
cp -a "$project/deploy" "$root/opt/orderd/deploy"
install -m 0755 "$project/tests/systemd/inside.sh" "$root/opt/orderd/inside.sh"
cat >"$root/etc/systemd/system/proof.service" <<UNIT
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/opt/orderd/inside.sh
StandardOutput=file:/transcript
StandardError=file:/transcript
ExecStopPost=/bin/systemctl --no-block poweroff
TimeoutStartSec=500
UNIT
mkdir -p "$root/etc/systemd/system/proof.target.wants"
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' >"$root/etc/systemd/system/proof.target"
ln -sf ../proof.service "$root/etc/systemd/system/proof.target.wants/proof.service"
sed -i 's/After=multi-user.target/After=basic.target/' "$root/etc/systemd/system/proof.service"

timeout 560 systemd-nspawn --quiet --directory "$root" --register=no --keep-unit --private-network --boot \
    systemd.unit=proof.target >"$view/console" 2>&1 </dev/null || true
cat "$root/transcript" 2>/dev/null || { tail -50 "$view/console"; exit 1; }
tail -1 "$root/transcript" | grep -q '^passed$'
