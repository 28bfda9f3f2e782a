#!/usr/bin/env bash
# Gets a quote, submits an order and shows its result, over HTTP. Needs only curl.
#
#   ./order.sh [http://127.0.0.1:3000]
#
# If the daemon requires an API key, set ORDERCTL_API_KEY.
set -euo pipefail
url=${1:-http://127.0.0.1:3000}
key=example-$(date +%s)-$$

request() {
    # The header is in a file, because every user of the machine can read the command line.
    curl --silent --show-error --fail-with-body \
        --header @<(printf '%s' "${ORDERCTL_API_KEY:+Authorization: Bearer $ORDERCTL_API_KEY}") "$@"
    echo
}

request "$url/api/quote?token_in=SOL&token_out=USDC&amount_in=0.1"

# With the same key the order can be sent again after a lost answer: it is traded once.
for _ in 1 2; do
    request "$url/api/orders" --header "Idempotency-Key: $key" --header "Content-Type: application/json" \
        --data '{"token_in": "SOL", "token_out": "USDC", "amount_in": "0.1"}'
done

# The key is also the client order id. The first status in the answer is the order's; later ones are those of its events.
status=
until [[ $status =~ ^(confirmed|failed|cancelled|expired)$ ]]; do
    sleep 0.2
    order=$(request "$url/api/orders/$key")
    status=$(sed 's/"status":"/\n/; s/^.*\n\([a-z]*\).*/\1/' <<< "$order")
done
echo "$order"
[[ $status == confirmed ]]
