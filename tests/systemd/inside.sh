#!/bin/bash
# Runs in the container, and tests the units step by step. Ends at the first step that fails.
set -eu
export PATH=/opt/orderd/bin:$PATH
exec 2>&1

step() { echo "== $*"; }
fail() { echo "FAILED: $*"; systemctl --no-pager status orderd || true; journalctl --no-pager -u orderd -n 80 -o cat | grep -v 'migrat' | cut -c1-300; exit 1; }
shown() { systemctl show --value --property "$1" orderd; }
wait_for() { # SECONDS COMMAND...
    local left=$(($1 * 5)); shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1)); [ $left -gt 0 ] || return 1
        sleep 0.2
    done
}
restart_under_load() { # UNIT, while ten clients per second connect
    rm -f /tmp/enough /tmp/results
    ( while [ ! -e /tmp/enough ]; do
          { curl --silent --max-time 60 --output /dev/null http://127.0.0.1:3000/health && echo answered || echo refused; } >>/tmp/results &
          sleep 0.1
      done
      wait ) &
    local hammer=$!
    systemctl restart "$1" || fail "$1 did not restart"
    touch /tmp/enough; wait $hammer; sort /tmp/results | uniq -c
    ! grep -q refused /tmp/results || fail "a connection was refused"
}
trap 'echo "FAILED in line $LINENO"' ERR

step "install"
cd /opt/orderd/deploy
install -D -m 0644 orderd.sysusers /etc/sysusers.d/orderd.conf
systemd-sysusers
install -D -m 0644 orderd.tmpfiles /etc/tmpfiles.d/orderd.conf
systemd-tmpfiles --create orderd.conf
install -m 0644 ./*.service ./*.socket ./*.timer /etc/systemd/system/
getent passwd orderd
stat -c '%n %U:%G %a' /etc/orderd /var/backups/orderd
echo 'ORDERD_CONFIG=/etc/orderd/orderd.toml' >/etc/orderd/orderd.env
echo 'rate_limit = 100' >/etc/orderd/orderd.toml
chgrp -R orderd /etc/orderd; chmod 0640 /etc/orderd/*
ip link set lo up

step "the wallet as a credential in /etc that only root can read"
(umask 077; ORDERD_STATE_DIR=/tmp/made ORDERD_RPC_URL=http://127.0.0.1:1 timeout 60 orderd wallet >/dev/null 2>&1 || true)
[ -f /tmp/made/wallet.json ] || fail "no wallet was created"
install -m 0600 -o root -g root /tmp/made/wallet.json /etc/orderd/wallet.json
mkdir -p /etc/systemd/system/orderd.service.d
cat >/etc/systemd/system/orderd.service.d/proof.conf <<UNIT
[Service]
LoadCredential=orderd.wallet:/etc/orderd/wallet.json
WatchdogSec=15
RestartSec=1
UNIT
systemctl daemon-reload
systemctl --version | head -1
for unit in orderd orderd-gateway orderd-worker@1 orderd-notifier orderd-simnet orderd-backup; do
    systemd-analyze security --no-pager $unit | tail -1
done

if [ "$(systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p')" -ge 253 ]; then
    step "reload by notify-reload: systemctl returns when the settings are in force"
    for unit in orderd orderd-gateway orderd-worker@ orderd-notifier; do
        install -D -m 0644 notify-reload.conf /etc/systemd/system/$unit.service.d/notify-reload.conf
    done
    systemctl daemon-reload
    in_force() { "$@"; }
else
    in_force() { wait_for 20 "$@"; }
fi

step "start"
systemctl start orderd.socket
systemctl start orderd.service || fail "orderd did not start"
systemctl --no-pager status orderd | sed -n 1,14p
[ "$(shown ActiveState)" = active ] || fail "orderd is not active"
shown StatusText | grep -q 'accepting orders' || fail "the status does not show the address"
[ ! -e /var/lib/orderd/wallet.json ] || fail "the wallet of the credential is not used"

step "trade"
orderctl submit SOL USDC 1.5 --watch || fail "an order was not filled"

step "operator commands with the account, the settings and the state directory of the service"
install -m 0755 orderd-admin /usr/local/sbin/
orderd-admin api-key create desk | grep -q '^orderd_' || fail "no API key was created"
! orderd-admin doctor | grep -q 'is created at the first start' || fail "orderd-admin lacks the wallet's credential"
! orderd api-key create mine --state-dir /var/lib/orderd || fail "root wrote into the directory of the service"

step "priorities in the journal"
journalctl -u orderd -o json --no-pager | grep -q '"PRIORITY":"6"' || fail "no line has the priority info"
journalctl -u orderd -p err --no-pager -o cat | cut -c1-200

step "reload"
pid=$(shown MainPID)
printf 'rate_limit = 55\nworker_threads = 3\n' >/etc/orderd/orderd.toml
systemctl reload orderd
in_force sh -c "orderctl status --output json | grep -q '\"limit\": *55'" || fail "the rate limit is not 55"
[ "$(shown MainPID)" = "$pid" ] || fail "orderd was restarted"
[ "$(shown ActiveState)" = active ] || fail "orderd is not active after the reload"
journalctl -u orderd -o cat --no-pager | grep '"action": "reloaded"' | cut -c1-220
printf 'rate_limit = "much"\n' >/etc/orderd/orderd.toml
systemctl reload orderd
wait_for 20 sh -c "journalctl -u orderd -o cat --no-pager | grep -q reload_refused" || fail "an invalid file was not refused"
orderctl status --output json | grep -q '"limit": *55' || fail "the rate limit has changed"
printf 'rate_limit = 55\n' >/etc/orderd/orderd.toml

step "restart while clients connect: no connection is refused"
restart_under_load orderd

step "watchdog: the worker is suspended, and systemd restarts the daemon"
before=$(shown NRestarts)
pkill -STOP -f 'orderd.main worker'
wait_for 90 sh -c "[ \$(systemctl show --value --property NRestarts orderd) -gt $before ]" || fail "the watchdog did not restart orderd"
wait_for 60 systemctl is-active orderd || fail "orderd is not active after the watchdog"
journalctl -u orderd --no-pager -o cat | grep -i 'watchdog' | tail -3 | cut -c1-200
wait_for 60 orderctl status || fail "orderd does not answer after the watchdog"
orderctl submit SOL USDC 0.5 --watch || fail "an order was not filled after the watchdog"

step "backup by the timer's service"
systemctl start orderd-backup.timer
systemctl list-timers orderd-backup.timer --no-pager | sed -n 1,2p
systemctl start orderd-backup.service || { journalctl --no-pager -u orderd-backup -n 20 -o cat; fail "no backup"; }
ls -l /var/backups/orderd

step "stop"
systemctl stop orderd.service orderd.socket
[ "$(shown Result)" = success ] || fail "orderd ended with $(shown Result)"
! pgrep -u orderd >/dev/null || fail "processes are left"

step "separate roles: the chain, two workers, the notifier and the gateway in their units, with the machine's services"
programs=$(LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/orderd python -c \
    'from orderd.embedded import postgres, redis; print(postgres.binary("initdb").parent, redis.server_binary())')
read -r postgres redis <<<"$programs"
install -d -o orderd -g orderd -m 0700 /var/lib/services
setpriv --reuid=orderd --regid=orderd --clear-groups "$postgres/initdb" --pgdata=/var/lib/services/postgres \
    --username=orderd --auth=trust >/dev/null
as_service() { systemd-run --quiet --unit="$1" --uid=orderd --gid=orderd -p WorkingDirectory=/var/lib/services -- "${@:2}"; }
as_service proof-postgres "$postgres/postgres" -D /var/lib/services/postgres -c unix_socket_directories= \
    -c listen_addresses=127.0.0.1 -c timezone=UTC
as_service proof-redis "$redis" --bind 127.0.0.1 --port 6379 --appendonly yes --maxmemory-policy noeviction
systemctl start orderd-simnet || { journalctl --no-pager -u orderd-simnet -n 20 -o cat; fail "simnet did not start"; }
systemctl show --property StatusText orderd-simnet
cat >>/etc/orderd/orderd.env <<ENV
ORDERD_DATABASE_URL=postgresql://orderd@127.0.0.1:5432/postgres
ORDERD_REDIS_URL=redis://127.0.0.1:6379/0
ORDERD_RPC_URL=http://127.0.0.1:8899
ORDERD_RPC_WS_URL=ws://127.0.0.1:8900
ENV
with_env() { env $(cat /etc/orderd/orderd.env) ORDERD_STATE_DIR=/tmp/made "$@"; }
with_env orderd migrate || { journalctl --no-pager -u proof-postgres -n 20 -o cat; fail "the migration failed"; }
wallet=$(with_env ORDERD_WALLET=/tmp/made/wallet.json orderd wallet | grep -oE '[1-9A-HJ-NP-Za-km-z]{32,44}' | head -1)
echo "ORDERD_WALLET_ADDRESS=$wallet" >>/etc/orderd/orderd.env
cat >/opt/orderd/receiver.py <<'PYTHON'
from http.server import BaseHTTPRequestHandler, HTTPServer

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with open("/tmp/alerts", "ab") as file:
            file.write(self.headers["webhook-id"].encode() + b" " + body + b"\n")
        self.send_response(204)
        self.end_headers()

HTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()
PYTHON
systemd-run --quiet --unit=proof-receiver -E LD_LIBRARY_PATH=/opt/python/lib -- /opt/orderd/bin/python /opt/orderd/receiver.py
(umask 077; printf '[receivers.bot]\nwebhook = "http://127.0.0.1:9000/"\nsecret = "whsec_%s"\n' \
    "$(head -c 24 /dev/urandom | base64)" >/etc/orderd/alerts.toml)
parts="orderd-worker@1 orderd-worker@2 orderd-notifier orderd-gateway"
systemctl start orderd-gateway.socket $parts || { journalctl --no-pager -n 60 -o cat | cut -c1-300; fail "a role did not start"; }
systemctl show --property Id,ActiveState,StatusText $parts
orderctl submit SOL USDC 1 --watch || fail "an order was not filled"
wait_for 20 grep -q '"type": *"filled"' /tmp/alerts || { journalctl --no-pager -u orderd-notifier -n 20 -o cat; fail "no alert for the fill"; }
cut -c1-200 /tmp/alerts
systemctl show --property StatusText orderd-gateway orderd-notifier

step "separate roles: a killed worker is restarted, and orders are executed meanwhile"
systemctl kill --signal=KILL orderd-worker@1
orderctl submit SOL USDC 0.25 --watch || fail "the other worker did not fill an order"
wait_for 60 sh -c "[ \$(systemctl show --value --property NRestarts orderd-worker@1) -ge 1 ]" || fail "the worker was not restarted"
wait_for 60 systemctl is-active orderd-worker@1 || fail "the worker is not active"

step "separate roles: reload, restart while systemd holds the port, stop"
printf 'rate_limit = 44\n' >/etc/orderd/orderd.toml
systemctl reload $parts
in_force sh -c "orderctl status --output json | grep -q '\"limit\": *44'" || fail "the rate limit is not 44"
restart_under_load orderd-gateway
systemctl stop orderd-gateway.socket $parts orderd-simnet
for part in $parts orderd-simnet; do
    [ "$(systemctl show --value --property Result $part)" = success ] || fail "$part ended with $(systemctl show --value --property Result $part)"
done
systemctl stop proof-receiver proof-redis proof-postgres
! pgrep -u orderd >/dev/null || fail "processes are left"

echo "passed"
