#!/usr/bin/env bash
# Gets a quote, submits an order and shows its result, over HTTP. Needs only curl.
#
#   ./order.sh [http://127.0.0.1:3000]
#
# Where the daemon needs an API key, it is taken from ORDERCTL_API_KEY.
set -euo pipefail
url=${1:-http://127.0.0.1:3000}
key=example-$(date +%s)-$$

ask() {
    # By a file, for the command line can be read by every user of the machine.
    curl --silent --show-error --fail-with-body \
        --header @<(printf '%s' "${ORDERCTL_API_KEY:+Authorization: Bearer $ORDERCTL_API_KEY}") "$@"
    echo
}

ask "$url/api/quote?token_in=SOL&token_out=USDC&amount_in=0.1"

# The key makes it safe to send the order again where no answer came: it is traded once.
for _ in 1 2; do
    ask "$url/api/orders" --header "Idempotency-Key: $key" --header "Content-Type: application/json" \
        --data '{"token_in": "SOL", "token_out": "USDC", "amount_in": "0.1"}'
done

# The key is a name of the order too. The first status in the answer is the order's own; its events have others.
status=
until [[ $status =~ ^(confirmed|failed|cancelled|expired)$ ]]; do
    sleep 0.2
    order=$(ask "$url/api/orders/$key")
    status=$(sed 's/"status":"/\n/; s/^.*\n\([a-z]*\).*/\1/' <<< "$order")
done
echo "$order"
[[ $status == confirmed ]]
