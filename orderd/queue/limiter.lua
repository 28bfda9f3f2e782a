-- Decides whether an order may start: at most `limit` starts in any window of time, first come first served.
--
-- KEYS  1 ready     exists while `starts` is known to contain all starts of the last window
--       2 opening   the time from which the starts that Redis has lost can be read from Postgres
--       3 starts    sorted set: "order:time of the start" by that time
--       4 line      sorted set of the waiting orders, all with score 0: their ids are UUIDv7, so it is in order of arrival;
--                   priority orders have the prefix "!", which sorts before all ids
--       5 patience  sorted set: the orders of the line by the time at which they lose their place
-- ARGV  1 order, or '' to query whether the limit is ready  2 limit  3 window  4 grace  5 lag      (times in microseconds)
--       6, 7 bounds of the expected clock
--
-- Returns {"go", start}, {"slot", time from now}, {"unseeded", opening}, {"ready", ''}, or {"set", ''} if the clock is
-- outside of its bounds.

local ready, opening, starts, line, patience = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local order, limit, window, grace, lag = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
if now < tonumber(ARGV[6]) or now > tonumber(ARGV[7]) then
    return {'set', ''}
end

local function text(time)
    return string.format('%.0f', time)
end

local name = '!' .. order
if tonumber(redis.call('ZSCORE', patience, name) or 0) <= now then
    name = order
end

local function wait_until(time)
    if order ~= '' then
        redis.call('ZADD', line, 0, name)
        redis.call('ZADD', patience, text(time + grace), name)
    end
    return {'slot', text(time - now)}
end

-- Starts that were granted just before Redis lost them may not be in Postgres yet: wait for them.
if redis.call('EXISTS', ready) == 0 then
    local from = redis.call('GET', opening)
    if not from then
        from = text(now + lag)
        redis.call('SET', opening, from)
    end
    if now < tonumber(from) then
        return wait_until(tonumber(from))
    end
    return {'unseeded', from}
end

if order == '' then
    return {'ready', ''}
end

redis.call('ZREMRANGEBYSCORE', starts, '-inf', text(now - window))
local lost = redis.call('ZRANGEBYSCORE', patience, '-inf', text(now), 'LIMIT', 0, 1000)
for _, id in ipairs(lost) do
    redis.call('ZREM', line, id)
    redis.call('ZREM', patience, id)
end

local rank = redis.call('ZLEXCOUNT', line, '-', '(' .. name)
local free = limit - redis.call('ZCARD', starts)
if rank < free then
    local start = order .. ':' .. text(now)
    redis.call('ZADD', starts, text(now), start)
    redis.call('ZREM', line, name)
    redis.call('ZREM', patience, name)
    return {'go', start}
end

-- The first `free` orders of the line can start now, and each further one when one more start leaves the window. An order
-- `limit` places behind another starts one window after it.
local place = rank % limit
local opens = now
if place >= free then
    opens = redis.call('ZRANGE', starts, place - free, place - free, 'WITHSCORES')[2] + window
end
return wait_until(opens + math.floor(rank / limit) * window)
